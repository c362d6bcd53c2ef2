// Parley as users have it: the chart, installed by Helm. In: a cluster, a namespace, values. Out: what tests ask of it.
import { join } from "node:path";
import { eventually } from "../harness/processes.ts";
import type { Cluster } from "./cluster.ts";

const CHART = join(import.meta.dirname, "../../charts/parley");

/** Seconds that streams may take to end when a proxy goes; the load's streams are shorter. */
export const DRAIN_SECONDS = 30;

export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly podIP?: string;
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

export interface Installation {
  readonly namespace: string;
  /** Where pods reach the gateway. */
  readonly url: string;
  /** `helm upgrade --install`; waits until everything is ready. */
  upgrade(values?: Readonly<Record<string, string>>): Promise<void>;
  uninstall(): Promise<void>;
  /** Pods of a part that are not about to go. */
  pods(component: "operator" | "proxy"): Promise<readonly Pod[]>;
  /** The pod whose operator holds the Lease, once one does. */
  leader(): Promise<Pod>;
  /** Waits until as many pods of a part as wanted are ready, and none of any other kind is left. */
  settled(component: "operator" | "proxy", wanted: number): Promise<void>;
}

/** Nothing is installed before `upgrade`. The namespace enforces the restricted pod security standard. */
export async function createInstallation(
  cluster: Cluster,
  { namespace, gateway }: { namespace: string; gateway: string },
): Promise<Installation> {
  await ensureNamespace(cluster, namespace);
  const url = `http://parley-proxy.${namespace}.svc`;
  const all = async (component: string): Promise<readonly Pod[]> => {
    const selector = `app.kubernetes.io/instance=parley,app.kubernetes.io/component=${component}`;
    const text = await cluster.kubectl(["get", "pods", "-n", namespace, "-l", selector, "-o", "json"]);
    return (JSON.parse(text) as { items: Pod[] }).items;
  };
  const staying = async (component: string): Promise<readonly Pod[]> =>
    (await all(component)).filter((pod) => pod.metadata.deletionTimestamp === undefined);
  return {
    namespace,
    url,
    async upgrade(values = {}) {
      const given = {
        "image.registry": "localhost",
        gatewayName: gateway,
        publicUrl: url,
        "crds.install": String(await ownsCrds(cluster, namespace)),
        "proxy.drainSeconds": String(DRAIN_SECONDS),
        ...values,
      };
      const command = ["upgrade", "--install", "parley", CHART, "--namespace", namespace, "--wait", "--timeout=240s"];
      await cluster.helm([
        ...command,
        ...Object.entries(given).flatMap(([key, value]) => ["--set", `${key}=${value}`]),
      ]);
    },
    async uninstall() {
      await cluster.helm(["uninstall", "parley", "--namespace", namespace, "--wait"]);
    },
    pods: staying,
    leader: () =>
      eventually(
        "an operator holds the Lease",
        async () => {
          const lease = ["get", "lease", "parley-operator", "-n", namespace];
          const holder = await cluster.kubectl([...lease, "-o", "jsonpath={.spec.holderIdentity}"]);
          return (await staying("operator")).find((pod) => holder.startsWith(pod.metadata.uid));
        },
        60_000,
        200,
      ),
    settled: async (component, wanted) => {
      await eventually(
        `${wanted} pods of ${component} are ready, and no other is there`,
        async () => {
          const pods = await all(component);
          return pods.length === wanted && pods.every(isReady) ? pods : undefined;
        },
        300_000,
        500,
      );
    },
  };
}

/** One installation of a cluster has the CRDs: this one, unless another has them already. */
async function ownsCrds(cluster: Cluster, namespace: string): Promise<boolean> {
  const owner = "{.metadata.annotations.meta\\.helm\\.sh/release-namespace}";
  const crd = ["get", "crd", "a2aagents.parley.dev", "--ignore-not-found", "-o", `jsonpath=${owner}`];
  return ["", namespace].includes((await cluster.kubectl(crd)).trim());
}

export const isReady = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** A namespace in which only pods of the restricted standard may run. */
export async function ensureNamespace(cluster: Cluster, name: string): Promise<void> {
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await apply(cluster, [{ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } }]);
}

/** Applies objects; waits for nothing. */
export async function apply(cluster: Cluster, objects: readonly object[]): Promise<void> {
  const list = { apiVersion: "v1", kind: "List", items: objects };
  await cluster.kubectl(["apply", "-f", "-"], JSON.stringify(list));
}
