// The Service of the proxies as Kubernetes would keep it: its EndpointSlice names the proxies that are ready, each by the UID of its pod.
// In: proxies that come and go. Out: objects at the API server, and the option that tells an operator of them.
import type { Cluster, KubeObject } from "./cluster.ts";
import type { ProxyProcess } from "./gateway.ts";
import { NAMESPACE } from "./objects.ts";

const NAME = "gateway";
/** For operators. */
export const proxyServiceOption = `--proxy-service=${NAMESPACE}/${NAME}`;

export interface ProxyEndpoints {
  add(proxy: Pick<ProxyProcess, "name">): Promise<void>;
  remove(proxy: ProxyProcess): Promise<void>;
}

/** A proxy's id stands for the UID of its pod. */
export async function createProxyEndpoints(cluster: Pick<Cluster, "apply">): Promise<ProxyEndpoints> {
  const ready = new Map<string, string>();
  let addresses = 0;
  const slice = (): KubeObject => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${NAME}-slice`, namespace: NAMESPACE, labels: { "kubernetes.io/service-name": NAME } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: [...ready].map(([name, address]) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: "Pod", namespace: NAMESPACE, name, uid: name },
    })),
  });
  await cluster.apply(
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: NAME, namespace: NAMESPACE },
      spec: { ports: [{ name: "http", port: 80, targetPort: 8080 }] },
    },
    slice(),
  );
  return {
    add: async ({ name }) => {
      addresses += 1;
      ready.set(name, `10.98.9.${addresses}`);
      await cluster.apply(slice());
    },
    remove: async ({ name }) => {
      ready.delete(name);
      await cluster.apply(slice());
    },
  };
}
