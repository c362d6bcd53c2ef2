// Real parts for the tests of telemetry. In: folders and ports. Out: a collector that prints what it gets, an agent of a few lines, and
// `parley serve` over a folder.
import { mkdirSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { join } from "node:path";
import { sumOf } from "./exposition.ts";
import { goTools } from "./go-tools.ts";
import { type Child, eventually, freePort, start } from "./processes.ts";

const root = join(import.meta.dirname, "../..");
const silent = (): void => {};

export interface Collector extends Child {
  readonly grpc: string;
  readonly http: string;
}

/** An OpenTelemetry Collector on loopback; give it ports to bring it back where it was. */
export async function startCollector(
  folder: string,
  ports?: { readonly grpc: number; readonly http: number },
): Promise<Collector> {
  const { "otel-collector": binary } = await goTools(["otel-collector"], silent);
  const { grpc, http } = ports ?? { grpc: await freePort(), http: await freePort() };
  const file = join(folder, "collector.yaml");
  const pipeline = "{ receivers: [otlp], exporters: [debug] }";
  writeFileSync(
    file,
    `receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${grpc}" }, http: { endpoint: "127.0.0.1:${http}" } } } }
exporters: { debug: { verbosity: detailed } }
service:
  telemetry: { metrics: { level: none }, logs: { sampling: { enabled: false } } }
  pipelines: { traces: ${pipeline}, logs: ${pipeline}, metrics: ${pipeline} }
`,
  );
  const child = start(binary, ["--config", file], { name: "collector" });
  await child.line(/Everything is ready/);
  return { ...child, grpc: `http://127.0.0.1:${grpc}`, http: `http://127.0.0.1:${http}` };
}

export interface SmallAgent {
  readonly port: number;
  readonly seen: IncomingMessage["headers"][];
  close(): Promise<void>;
}

/** An agent that answers each POST as told; everything else is 404. */
export async function startSmallAgent(
  answer: (body: string, res: ServerResponse, headers: IncomingMessage["headers"]) => void,
  host = "127.0.0.1",
): Promise<SmallAgent> {
  const seen: IncomingMessage["headers"][] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      if (req.method !== "POST") {
        res.writeHead(404).end();
        return;
      }
      seen.push(req.headers);
      answer(Buffer.concat(chunks).toString(), res, req.headers);
    });
  });
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    seen,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

export interface Served extends Child {
  readonly url: string;
  readonly admin: string;
  /** Sum of the samples of a metric whose labels hold this text; 0 without any. */
  metric(name: string, labels?: string): Promise<number>;
}

/** `parley serve` over these manifests. */
export async function serveManifests(
  folder: string,
  manifests: string,
  options: { readonly env?: Readonly<Record<string, string>>; readonly args?: readonly string[] } = {},
): Promise<Served> {
  const [port, admin] = [await freePort(), await freePort()];
  const objects = join(folder, "objects");
  mkdirSync(objects, { recursive: true });
  writeFileSync(join(objects, "all.yaml"), manifests);
  const child = start(
    process.execPath,
    [
      join(root, "cli/main.ts"),
      "serve",
      objects,
      `--listen=127.0.0.1:${port}`,
      `--admin-listen=127.0.0.1:${admin}`,
      "--log-format=json",
      ...(options.args ?? []),
    ],
    { name: "parley serve", env: { ...process.env, ...options.env } },
  );
  const served = `http://127.0.0.1:${admin}`;
  await eventually("the gateway is ready", async () =>
    child.exited() || (await fetch(`${served}/readyz`)).status === 200 ? true : undefined,
  );
  return {
    ...child,
    url: `http://127.0.0.1:${port}`,
    admin: served,
    async metric(name, labels = "") {
      return sumOf(await (await fetch(`${served}/metrics`)).text(), name, labels) ?? 0;
    },
  };
}
