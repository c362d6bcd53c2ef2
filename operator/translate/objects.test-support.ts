// Stored objects for tests, with as little said as the test needs. In: names and what differs. Out: objects.
import type { A2AAgentSpec, VirtualKeySpec } from "../../crds/types.ts";
import type {
  AgentObject,
  EndpointSliceObject,
  KeyObject,
  Metadata,
  NamespaceObject,
  SecretObject,
  ServiceObject,
} from "../objects.ts";

export const TOKEN = "sk-0123456789012345678901234567890123456789";

export function metadata(namespace: string, name: string, more: Partial<Metadata> = {}): Metadata {
  return {
    namespace,
    name,
    uid: `uid-${namespace}-${name}`,
    generation: 1,
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
    labels: {},
    ...more,
  };
}

type Names = { readonly namespace?: string; readonly name?: string; readonly metadata?: Partial<Metadata> };

export function agent(
  { namespace = "agents", name = "travel", metadata: more }: Names = {},
  spec: Partial<A2AAgentSpec> = {},
  status?: AgentObject["status"],
): AgentObject {
  const backends = [{ name: "main", service: { name: "travel", port: 80 } }];
  return {
    kind: "A2AAgent",
    metadata: metadata(namespace, name, more),
    spec: { gatewayName: "default", backends, ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

export function key(
  { namespace = "agents", name = "alice", metadata: more }: Names = {},
  spec: Partial<VirtualKeySpec> = {},
): KeyObject {
  return { kind: "VirtualKey", metadata: metadata(namespace, name, more), spec: { gatewayName: "default", ...spec } };
}

export function secret(
  { namespace = "agents", name = "alice-key", metadata: more }: Names = {},
  data: Readonly<Record<string, string>> = { token: TOKEN },
  credential = "key",
): SecretObject {
  return { kind: "Secret", metadata: metadata(namespace, name, more), credential, data };
}

export function service(
  { namespace = "agents", name = "travel", metadata: more }: Names = {},
  ports: ServiceObject["ports"] = [{ name: "http", port: 80 }],
  type = "ClusterIP",
): ServiceObject {
  return { kind: "Service", metadata: metadata(namespace, name, more), type, ports };
}

export function endpoint(
  address: string,
  more: Partial<EndpointSliceObject["endpoints"][number]> = {},
): EndpointSliceObject["endpoints"][number] {
  return { addresses: [address], ready: true, serving: true, terminating: false, ...more };
}

export function slice(
  { namespace = "agents", name = "travel-1", metadata: more }: Names = {},
  endpoints: EndpointSliceObject["endpoints"] = [endpoint("10.0.0.1")],
  slicing: Partial<Pick<EndpointSliceObject, "service" | "addressType" | "ports">> = {},
): EndpointSliceObject {
  return {
    kind: "EndpointSlice",
    metadata: metadata(namespace, name, more),
    service: "travel",
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080 }],
    endpoints,
    ...slicing,
  };
}

export function namespaceObject(name = "agents", labels: Readonly<Record<string, string>> = {}): NamespaceObject {
  return { kind: "Namespace", metadata: metadata("", name, { labels }) };
}
