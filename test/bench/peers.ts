// What Parley is measured against and in front of: an nginx as the agent, an nginx as the proxy, the floor.
// In: ports. Out: running processes, pinned to a core each.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, start, type Child } from "../harness/processes.ts";

const node = join(import.meta.dirname, "../../node_modules/.bin/node");

/** Characters: lines of requests come by the hundred megabytes. */
const KEPT_OUTPUT = 1_000_000;

export interface Peer {
  /** All processes whose CPU counts. */
  readonly pids: readonly number[];
  readonly child: Child;
}

function nginxConf(folder: string, http: string): string {
  return `worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/error.log crit;
events { worker_connections 8192; }
http { access_log off; keepalive_requests 100000000; keepalive_timeout 75s; client_body_buffer_size 64k;
client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
${http} }
`;
}

async function nginx(folder: string, core: number, http: string, url: string): Promise<Peer> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "nginx.conf");
  writeFileSync(file, nginxConf(folder, http));
  const child = start("taskset", ["-c", String(core), "nginx", "-p", folder, "-c", file], { name: "nginx" });
  await eventually(`nginx answers on ${url}`, async () => (await fetch(url)).status > 0);
  const workers = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "latin1").trim().split(" ").map(Number);
  return { child, pids: [child.pid, ...workers] };
}

/** An agent made of nginx: one fixed JSON answer to every request. It runs beside the load generator, never as the proxy. */
export const nginxAgent = (folder: string, port: number, answer: string): Promise<Peer> =>
  nginx(
    folder,
    0,
    `server { listen 127.0.0.1:${port}; location / { default_type application/json; return 200 '${answer}'; } }`,
    `http://127.0.0.1:${port}/`,
  );

/** nginx as a plain reverse proxy with connections kept open to the agent. */
export const nginxProxy = (folder: string, port: number, agentPort: number): Promise<Peer> =>
  nginx(
    folder,
    1,
    `upstream agent { server 127.0.0.1:${agentPort}; keepalive 64; keepalive_requests 100000000; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://agent; proxy_http_version 1.1; proxy_set_header Connection ""; } }`,
    `http://127.0.0.1:${port}/`,
  );

/** The least that a Node proxy can do. */
export const floorProxy = (port: number, agentPort: number): Promise<Peer> =>
  pinnedNode(
    join(import.meta.dirname, "floor.ts"),
    [],
    { PORT: String(port), UPSTREAM: `http://127.0.0.1:${agentPort}` },
    /listening/,
  );

/** Starts a Node script pinned to a core, the proxies' unless told otherwise, and waits for a line of its output. */
export async function pinnedNode(
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  ready: RegExp,
  core = 1,
): Promise<Peer> {
  const child = start("taskset", ["-c", String(core), node, script, ...args], {
    name: script,
    env: { ...process.env, ...env },
    keep: KEPT_OUTPUT,
  });
  await child.line(ready);
  return { child, pids: [child.pid] };
}
