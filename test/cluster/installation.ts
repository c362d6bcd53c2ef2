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
  /** Waits until as many pods of a part as wanted are there and ready, whatever else is about to go. */
  ready(component: "operator" | "proxy", wanted: number): Promise<void>;
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
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`;
    return ((await cluster.api.get(path)) as { readonly items: readonly Pod[] }).items;
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
        // Several installations share one small node: by what the chart asks for, pods of two of them could wait for each other for ever.
        "proxy.resources.requests.cpu": "50m",
        "operator.resources.requests.cpu": "25m",
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
          const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/parley-operator`;
          const { spec } = (await cluster.api.get(lease)) as { readonly spec: { readonly holderIdentity?: string } };
          return (await staying("operator")).find((pod) => spec.holderIdentity?.startsWith(pod.metadata.uid) === true);
        },
        60_000,
        200,
      ),
    ready: async (component, wanted) => {
      await eventually(
        `${wanted} pods of ${component} are ready`,
        async () => {
          const pods = await staying(component);
          return pods.length === wanted && pods.every(isReady) ? pods : undefined;
        },
        300_000,
        200,
      );
    },
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

/** One installation of a cluster has the CRDs: the one in the namespace that is said first. */
export async function claimCrds(cluster: Cluster, namespace: string): Promise<void> {
  const claim = ["create", "configmap", "parley-crds", "-n", "default", `--from-literal=owner=${namespace}`];
  // Fails for all but the first.
  await cluster.kubectl(claim).catch(() => undefined);
}

/** Whether this one has them; all others wait until they are there. */
async function ownsCrds(cluster: Cluster, namespace: string): Promise<boolean> {
  await claimCrds(cluster, namespace);
  const { data } = (await cluster.api.get("/api/v1/namespaces/default/configmaps/parley-crds")) as {
    readonly data: { readonly owner: string };
  };
  if (data.owner === namespace) return true;
  const crds = ["crd/a2aagents.parley.dev", "crd/virtualkeys.parley.dev"];
  await eventually(
    `${data.owner} has brought the CRDs`,
    () => cluster.kubectl(["wait", "--for=condition=Established", ...crds, "--timeout=60s"]),
    120_000,
    500,
  );
  return false;
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
