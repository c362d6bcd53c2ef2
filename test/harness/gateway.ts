// Operators and proxies as processes of their own. In: an API server, addresses of operators. Out: handles to wait for, restart and break them.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ApiServer } from "./api-server.ts";
import { eventually, freePort, start, type Child } from "./processes.ts";

const root = join(import.meta.dirname, "../..");
/** The pinned Node: the processes under test run on it as they do in production. */
export const node = join(root, "node_modules/.bin/node");

/** As the images have it. */
const ALLOCATOR = { MALLOC_ARENA_MAX: "1", MALLOC_MMAP_THRESHOLD_: "131072" };

export interface ParleyProcess {
  readonly name: string;
  readonly url: string;
  readonly adminUrl: string;
  child: Child;
  /** Ends the process as `signal` does and starts it again with the same files and ports; resolves when it is started, not when it is ready. */
  restart(signal?: NodeJS.Signals): Promise<void>;
  ready(ms?: number): Promise<void>;
}
export type OperatorProcess = ParleyProcess;
export type ProxyProcess = ParleyProcess;

/** Where an operator runs, when it is not simply beside the test. */
export interface OperatorPlace {
  /** Words before the command, as `nsenter` and what it enters. */
  readonly enter: readonly string[];
  /** The address that it listens on for proxies. */
  readonly host: string;
  readonly kubeconfig: string;
}

/** The file that starts a part of Parley in a tree: what a user starts, or its main.ts where there is no such thing yet. */
const launcher = (tree: string, part: "operator" | "proxy"): string =>
  [join(tree, part, `parley-${part}.js`), join(tree, part, "main.ts")].find(existsSync) ?? part;

async function ok(url: string): Promise<true | undefined> {
  const answer = await fetch(url);
  await answer.arrayBuffer();
  return answer.status === 200 ? true : undefined;
}

function handle(name: string, url: string, adminUrl: string, run: () => Child): ParleyProcess {
  const handled: ParleyProcess = {
    name,
    url,
    adminUrl,
    child: run(),
    restart: async (signal = "SIGTERM") => {
      handled.child.signal(signal);
      await handled.child.ended;
      handled.child = run();
    },
    ready: async (ms = 60_000) => {
      await eventually(`${name} is ready`, () => ok(`${adminUrl}/readyz`), ms).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${handled.child.output().slice(-2_000)}`);
      });
    },
  };
  return handled;
}

/** Starts an operator; resolves when it is started, not when it is ready. */
export async function startOperator(
  api: ApiServer,
  options: {
    readonly name: string;
    readonly args: readonly string[];
    readonly tree?: string | undefined;
    readonly place?: OperatorPlace | undefined;
  },
): Promise<OperatorProcess> {
  const { name, args, tree = root, place } = options;
  const [listen, admin] = [await freePort(), await freePort()];
  const host = place?.host ?? "127.0.0.1";
  const [program = node, ...words] = [
    ...(place?.enter ?? []),
    node,
    launcher(tree, "operator"),
    `--kubeconfig=${place?.kubeconfig ?? api.kubeconfig}`,
    `--listen=${host}:${listen}`,
    `--admin-listen=${host}:${admin}`,
    `--replica=${name}`,
    "--allowed-upstreams=127.0.0.0/8",
    ...args,
  ];
  return handle(name, `http://${host}:${listen}`, `http://${host}:${admin}`, () =>
    start(program, words, { name, env: { ...process.env, ...ALLOCATOR } }),
  );
}

/** Starts a proxy; resolves when it is started, not when it is ready. `folder`: where its last good table is kept. `node`: options of its Node. */
export async function startProxy(
  name: string,
  operatorUrls: readonly string[],
  options: {
    readonly folder: string;
    readonly args: readonly string[];
    readonly tree?: string | undefined;
    readonly node?: readonly string[];
  },
): Promise<ProxyProcess> {
  const { folder, args, tree = root } = options;
  const [listen, admin] = [await freePort(), await freePort()];
  const words = [
    ...(options.node ?? []),
    launcher(tree, "proxy"),
    `--operators=${operatorUrls.join(",")}`,
    `--listen=127.0.0.1:${listen}`,
    `--admin-listen=127.0.0.1:${admin}`,
    `--proxy-id=${name}`,
    `--last-good=${join(folder, `${name}.log`)}`,
    ...(args.some((arg) => arg.startsWith("--drain-delay=")) ? [] : ["--drain-delay=0s"]),
    ...args,
  ];
  return handle(name, `http://127.0.0.1:${listen}`, `http://127.0.0.1:${admin}`, () =>
    start(node, words, { name, env: { ...process.env, ...ALLOCATOR } }),
  );
}
