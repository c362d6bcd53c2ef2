// A whole Parley on one machine: a real API server, the real operator and proxies as processes of their own.
// In: how many proxies. Out: handles to apply objects, wait for conditions, call proxies, and break things.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApiServer, type ApiServer, type KubeBody, type KubeCondition } from "./api-server.ts";
import { eventually, freePort, start, type Child } from "./processes.ts";

const root = join(import.meta.dirname, "../..");
/** The pinned Node: the processes under test run on it as they do in production. */
export const node = join(root, "node_modules/.bin/node");

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [member: string]: unknown };
  readonly [member: string]: unknown;
}

export interface ProxyProcess {
  readonly name: string;
  readonly url: string;
  readonly adminUrl: string;
  child: Child;
  /** Ends the process as `signal` does and starts it again with the same files and ports; resolves when it is started, not when it is ready. */
  restart(signal?: NodeJS.Signals): Promise<void>;
  ready(ms?: number): Promise<void>;
}

export interface OperatorProcess {
  readonly url: string;
  readonly adminUrl: string;
  child: Child;
  restart(signal?: NodeJS.Signals): Promise<void>;
  ready(ms?: number): Promise<void>;
}

export interface Cluster {
  readonly api: ApiServer;
  readonly operator: OperatorProcess;
  readonly proxies: readonly ProxyProcess[];
  /** Server-side apply, `fieldValidation=Strict`; throws with the API server's message when it refuses. */
  apply(...objects: readonly KubeObject[]): Promise<readonly KubeBody[]>;
  get(kind: string, namespace: string, name: string): Promise<KubeBody | undefined>;
  delete(kind: string, namespace: string, name: string): Promise<void>;
  /** Waits until a condition of the object has a status for its newest generation. */
  condition(
    object: { readonly kind: string; readonly namespace: string; readonly name: string },
    type: string,
    status: "True" | "False" | "Unknown",
    ms?: number,
  ): Promise<KubeCondition>;
  stop(): Promise<void>;
}

const PATHS: Readonly<Record<string, string>> = {
  A2AAgent: "/apis/parley.dev/v1alpha1/namespaces/{ns}/a2aagents",
  VirtualKey: "/apis/parley.dev/v1alpha1/namespaces/{ns}/virtualkeys",
  Secret: "/api/v1/namespaces/{ns}/secrets",
  Service: "/api/v1/namespaces/{ns}/services",
  EndpointSlice: "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices",
  Namespace: "/api/v1/namespaces",
};

function pathOf(kind: string, namespace: string, name: string): string {
  const path = PATHS[kind];
  if (path === undefined) throw new Error(`no path for kind ${kind}`);
  return `${path.replace("{ns}", namespace)}/${name}`;
}

export interface ClusterOptions {
  readonly proxies?: number;
  readonly operatorArgs?: readonly string[];
  readonly proxyArgs?: readonly string[];
  /** The operator's address as proxies see it, when something stands between them. */
  readonly between?: (operatorUrl: string) => Promise<string>;
}

/** Starts everything and waits until all proxies are ready. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const api = await startApiServer();
  const folder = mkdtempSync(join(tmpdir(), "parley-cluster-"));
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.map((end) => end()));
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await api.applyCrds();
    const operator = await startOperator(api, options.operatorArgs ?? []);
    stops.push(() => operator.child.stop());
    await operator.ready();
    const operatorUrl = (await options.between?.(operator.url)) ?? operator.url;
    const proxies: ProxyProcess[] = [];
    for (let i = 0; i < (options.proxies ?? 1); i += 1) {
      const proxy = await startProxy(`proxy-${i}`, operatorUrl, folder, options.proxyArgs ?? []);
      stops.push(() => proxy.child.stop());
      proxies.push(proxy);
    }
    await Promise.all(proxies.map((proxy) => proxy.ready()));
    return { api, operator, proxies, ...objectsOf(api), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function objectsOf(api: ApiServer): Pick<Cluster, "apply" | "get" | "delete" | "condition"> {
  const get: Cluster["get"] = async (kind, namespace, name) => {
    const { status, body } = await api.request("GET", pathOf(kind, namespace, name));
    return status === 404 ? undefined : body;
  };
  return {
    get,
    apply: async (...objects) => {
      const applied: KubeBody[] = [];
      for (const object of objects) {
        const { name, namespace = "" } = object.metadata;
        const path = `${pathOf(object.kind, namespace, name)}?fieldManager=test&force=true&fieldValidation=Strict`;
        const { status, body } = await api.request("PATCH", path, object, {
          "content-type": "application/apply-patch+yaml",
        });
        if (status >= 300) throw new Error(`${object.kind} ${namespace}/${name}: ${status} ${body.message}`);
        applied.push(body);
      }
      return applied;
    },
    delete: async (kind, namespace, name) => {
      const { status, body } = await api.request("DELETE", pathOf(kind, namespace, name));
      if (status >= 300 && status !== 404) throw new Error(`${kind} ${namespace}/${name}: ${status} ${body.message}`);
    },
    condition: async ({ kind, namespace, name }, type, status, ms = 15_000) => {
      let last: KubeBody | undefined;
      const found = await eventually(
        `${kind} ${namespace}/${name} has ${type}=${status}`,
        async () => {
          last = await get(kind, namespace, name);
          const condition = last?.status?.conditions?.find((item) => item.type === type);
          const current = condition?.observedGeneration === last?.metadata?.generation;
          return condition?.status === status && current ? condition : undefined;
        },
        ms,
      ).catch((error: unknown) => {
        throw new Error(
          `${String(error instanceof Error ? error.message : error)}; it has ${JSON.stringify(last?.status)}`,
        );
      });
      return found;
    },
  };
}

async function ok(url: string): Promise<true | undefined> {
  const answer = await fetch(url);
  await answer.arrayBuffer();
  return answer.status === 200 ? true : undefined;
}

async function startOperator(api: ApiServer, args: readonly string[]): Promise<OperatorProcess> {
  const [listen, admin] = [await freePort(), await freePort()];
  const run = (): Child =>
    start(
      node,
      [
        join(root, "operator/main.ts"),
        `--kubeconfig=${api.kubeconfig}`,
        `--listen=127.0.0.1:${listen}`,
        `--admin-listen=127.0.0.1:${admin}`,
        "--allowed-upstreams=127.0.0.0/8",
        ...args,
      ],
      { name: "operator" },
    );
  const operator: OperatorProcess = {
    url: `http://127.0.0.1:${listen}`,
    adminUrl: `http://127.0.0.1:${admin}`,
    child: run(),
    restart: async (signal = "SIGTERM") => {
      operator.child.signal(signal);
      await operator.child.ended;
      operator.child = run();
    },
    ready: async (ms = 30_000) => {
      await eventually(
        `operator is ready\n${operator.child.output().slice(-2_000)}`,
        () => ok(`${operator.adminUrl}/readyz`),
        ms,
      );
    },
  };
  return operator;
}

async function startProxy(
  name: string,
  operatorUrl: string,
  folder: string,
  args: readonly string[],
): Promise<ProxyProcess> {
  const [listen, admin] = [await freePort(), await freePort()];
  const run = (): Child =>
    start(
      node,
      [
        join(root, "proxy/main.ts"),
        `--operators=${operatorUrl}`,
        `--listen=127.0.0.1:${listen}`,
        `--admin-listen=127.0.0.1:${admin}`,
        `--proxy-id=${name}`,
        `--last-good=${join(folder, `${name}.log`)}`,
        ...(args.some((arg) => arg.startsWith("--drain-delay=")) ? [] : ["--drain-delay=0s"]),
        ...args,
      ],
      { name },
    );
  const proxy: ProxyProcess = {
    name,
    url: `http://127.0.0.1:${listen}`,
    adminUrl: `http://127.0.0.1:${admin}`,
    child: run(),
    restart: async (signal = "SIGTERM") => {
      proxy.child.signal(signal);
      await proxy.child.ended;
      proxy.child = run();
    },
    ready: async (ms = 30_000) => {
      await eventually(`${name} is ready`, () => ok(`${proxy.adminUrl}/readyz`), ms).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${proxy.child.output().slice(-2_000)}`);
      });
    },
  };
  return proxy;
}
