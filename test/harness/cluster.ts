// A whole Parley on one machine: a real API server, the real operator and proxies as processes of their own.
// In: how many proxies. Out: handles to apply objects, wait for conditions, call proxies, and break things.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApiServer, type ApiServer, type KubeBody, type KubeCondition } from "./api-server.ts";
import { startOperator, startProxy, type OperatorPlace, type OperatorProcess, type ProxyProcess } from "./gateway.ts";
import { eventually } from "./processes.ts";

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [member: string]: unknown };
  readonly [member: string]: unknown;
}

export interface Cluster {
  readonly api: ApiServer;
  /** The first of `operators`. */
  readonly operator: OperatorProcess;
  readonly operators: readonly OperatorProcess[];
  readonly proxies: readonly ProxyProcess[];
  /** The operator that holds the Lease; undefined while none does, or one that is gone. */
  holder(): Promise<OperatorProcess | undefined>;
  /** Starts one proxy more, which is not in `proxies`; it is stopped with the others. Resolves when it is started, not when it is ready. */
  join(name: string): Promise<ProxyProcess>;
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

/** Milliseconds: nobody waits for what still runs when a test is over. */
const GRACE_MS = 1_000;
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
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
  /** One by default. Each is a replica of the others. */
  readonly operators?: number;
  /** Where operator `n` runs, if not beside the test. */
  readonly place?: (n: number, api: ApiServer) => Promise<OperatorPlace>;
  readonly operatorArgs?: readonly string[];
  readonly proxyArgs?: readonly string[];
  /** An operator's address as proxies see it, when something stands between them. */
  readonly between?: (operatorUrl: string, n: number) => Promise<string>;
  /** The gateway that they serve; `default` by default. */
  readonly gateway?: string;
  /** The tree that operators and proxies are started from; this one by default. */
  readonly tree?: string;
  /** An API server that runs already, with the CRDs applied; it is left running. */
  readonly api?: ApiServer;
}

/** Starts everything and waits until all proxies are ready. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { tree, gateway = "default" } = options;
  const operatorArgs = [`--gateway-name=${gateway}`, ...(options.operatorArgs ?? [])];
  const proxyArgs = [`--gateway-name=${gateway}`, ...(options.proxyArgs ?? [])];
  const api = options.api ?? (await startApiServer());
  const folder = mkdtempSync(join(tmpdir(), "parley-cluster-"));
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.map((end) => end()));
    if (options.api === undefined) await api.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    if (options.api === undefined) await api.applyCrds();
    const operators: OperatorProcess[] = [];
    for (let n = 0; n < (options.operators ?? 1); n += 1) {
      const place = await options.place?.(n, api);
      const operator = await startOperator(api, { name: `operator-${n}`, args: operatorArgs, tree, place });
      stops.push(() => operator.child.stop(GRACE_MS));
      operators.push(operator);
    }
    const [operator] = operators;
    if (operator === undefined) throw new Error("a cluster has one operator at least");
    await Promise.all(operators.map((each) => each.ready()));
    const urls: string[] = [];
    for (const [n, { url }] of operators.entries()) urls.push((await options.between?.(url, n)) ?? url);
    const joins = async (name: string): Promise<ProxyProcess> => {
      const proxy = await startProxy(name, urls, { folder, args: proxyArgs, tree });
      stops.push(() => proxy.child.stop(GRACE_MS));
      return proxy;
    };
    const proxies: ProxyProcess[] = [];
    for (let n = 0; n < (options.proxies ?? 1); n += 1) proxies.push(await joins(`proxy-${n}`));
    await Promise.all(proxies.map((proxy) => proxy.ready()));
    const holder = async (): Promise<OperatorProcess | undefined> => {
      const { body } = await api.request("GET", `${LEASES}/parley-operator-${gateway}`);
      // A replica's id is its name and a random part for each of its processes.
      const identity = body.spec?.["holderIdentity"];
      return operators.find(({ name }) => typeof identity === "string" && identity.startsWith(`${name}.`));
    };
    return { api, operator, operators, proxies, holder, join: joins, ...objectsOf(api), stop };
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
    condition: async ({ kind, namespace, name }, type, status, ms = 60_000) => {
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
