// The objects that tests apply, short to write. In: what matters to a test. Out: manifests.
import type { KubeObject } from "./cluster.ts";

export const NAMESPACE = "default";

export const agent = (
  name: string,
  spec: Readonly<Record<string, unknown>>,
  labels: Readonly<Record<string, string>> = {},
): KubeObject => ({
  apiVersion: "parley.dev/v1alpha1",
  kind: "A2AAgent",
  metadata: { name, namespace: NAMESPACE, labels },
  spec,
});

/** An agent with one `url` backend for each URL. */
export const urlAgent = (
  name: string,
  urls: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): KubeObject => agent(name, { backends: urls.map((url, i) => ({ name: `copy-${i}`, url })), ...more });

/** A VirtualKey for agents of the namespace, and the Secret that holds its token. */
export const key = (
  name: string,
  token: string,
  agents: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): readonly KubeObject[] => [
  {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: `${name}-token`, namespace: NAMESPACE, labels: { "parley.dev/credential": "key" } },
    stringData: { token },
  },
  {
    apiVersion: "parley.dev/v1alpha1",
    kind: "VirtualKey",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      secretRef: { name: `${name}-token`, key: "token" },
      owner: { user: `${name}@example.com`, team: "tests" },
      agents: agents.map((agentName) => ({ name: agentName })),
      ...more,
    },
  },
];

/** A Service without selector and the EndpointSlice that stands for its pods. */
export const service = (name: string, addresses: readonly string[], port: number): readonly KubeObject[] => [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: NAMESPACE },
    spec: { ports: [{ name: "http", port: 80, targetPort: port }] },
  },
  slice(name, addresses, port),
];

export const slice = (name: string, addresses: readonly string[], port: number): KubeObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `${name}-slice`, namespace: NAMESPACE, labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "http", port, protocol: "TCP" }],
  endpoints: addresses.map((address) => ({
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
  })),
});
