import { describe, expect, it } from "vitest";
import { listTokens } from "../token-facts.ts";
import { isRawObject, reduce } from "./reduce.ts";

const metadata = {
  namespace: "agents",
  name: "travel",
  uid: "u1",
  resourceVersion: "7",
  creationTimestamp: "2026-01-01T00:00:00Z",
  managedFields: [{ manager: "kubectl" }],
  annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" },
};
const reducedMetadata = {
  namespace: "agents",
  name: "travel",
  uid: "u1",
  generation: 0,
  resourceVersion: "7",
  creationTimestamp: "2026-01-01T00:00:00Z",
  labels: {},
};

describe("reduce", () => {
  it("keeps of a status no condition of somebody else", () => {
    const reduced = (conditions: readonly object[]): unknown => {
      const raw = { metadata: { ...metadata, generation: 3 }, spec: {}, status: { url: "/a2a/travel", conditions } };
      return ["A2AAgent", "VirtualKey"].map((kind) => {
        const object = reduce(kind as "A2AAgent" | "VirtualKey", raw);
        return object !== undefined && "status" in object ? object.status : undefined;
      });
    };
    const [ours, theirs] = [{ type: "Ready" }, { type: "example.com/Audited" }];
    for (const conditions of [[ours, theirs], [theirs, ours], [ours]]) {
      const status = { url: "/a2a/travel", conditions: [ours] };
      expect(reduced(conditions)).toEqual([status, status]);
    }
  });

  it("keeps spec and status of an agent and drops managed fields and annotations", () => {
    const spec = { gatewayName: "default", backends: [] };
    const status = { url: "/a2a/travel" };
    const raw = { metadata: { ...metadata, generation: 3, deletionTimestamp: "2026-02-01T00:00:00Z" }, spec, status };
    expect(reduce("A2AAgent", raw)).toEqual({
      kind: "A2AAgent",
      metadata: { ...reducedMetadata, generation: 3, deletionTimestamp: "2026-02-01T00:00:00Z" },
      spec,
      status,
    });
    expect(reduce("VirtualKey", { metadata, spec })).toEqual({ kind: "VirtualKey", metadata: reducedMetadata, spec });
  });

  it("decodes a labelled Secret, keeps of tokens only what they are judged by, and tells who controls it", () => {
    const labels = { "parley.dev/credential": "key" };
    const data = { token: Buffer.from("sk-geheim").toString("base64") };
    const raw = { metadata: { ...metadata, labels }, data };
    expect(reduce("Secret", raw)).toMatchObject({
      credential: "key",
      controller: "",
      data: {},
      tokens: listTokens({ token: "sk-geheim" }),
    });
    const upstream = { ...raw, metadata: { ...raw.metadata, labels: { "parley.dev/credential": "upstream" } } };
    expect(reduce("Secret", upstream)).toMatchObject({ credential: "upstream", data: { token: "sk-geheim" } });
    const ownerReferences = [{ uid: "other" }, { uid: "owner", controller: true }];
    expect(reduce("Secret", { ...raw, metadata: { ...raw.metadata, ownerReferences } })).toMatchObject({
      controller: "owner",
    });
  });

  it("keeps nothing of a Secret without the label", () => {
    expect(reduce("Secret", { metadata, data: { password: "eA==" } })).toBeUndefined();
  });

  it("reads ports of a Service, named or not", () => {
    const spec = { type: "ExternalName", ports: [{ port: 80 }, { name: "http", port: 8080, targetPort: 1 }] };
    expect(reduce("Service", { metadata, spec })).toMatchObject({
      type: "ExternalName",
      ports: [
        { name: "", port: 80 },
        { name: "http", port: 8080 },
      ],
    });
    expect(reduce("Service", { metadata })).toMatchObject({ type: "ClusterIP", ports: [] });
  });

  it("reads conditions of endpoints that are absent as the API defines them", () => {
    const raw = {
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": "travel" } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080 }, { name: "any" }],
      endpoints: [
        { addresses: ["10.0.0.1"], targetRef: { kind: "Pod", name: "travel-x", uid: "pod-1" } },
        { addresses: ["10.0.0.2"], conditions: { ready: false, serving: true, terminating: true } },
        { addresses: ["10.0.0.3"], conditions: { ready: false }, targetRef: { kind: "Node", uid: "n" } },
      ],
    };
    expect(reduce("EndpointSlice", raw)).toEqual({
      kind: "EndpointSlice",
      metadata: reducedMetadata,
      service: "travel",
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080 }],
      endpoints: [
        { addresses: ["10.0.0.1"], ready: true, serving: true, terminating: false, pod: "pod-1", podName: "travel-x" },
        { addresses: ["10.0.0.2"], ready: false, serving: true, terminating: true },
        { addresses: ["10.0.0.3"], ready: false, serving: false, terminating: false },
      ],
    });
  });

  it("takes null for the empty lists that the API server may send, and drops slices of no Service", () => {
    const labels = { "kubernetes.io/service-name": "travel" };
    const raw = { metadata: { ...metadata, labels }, addressType: "IPv6", ports: null, endpoints: null };
    expect(reduce("EndpointSlice", raw)).toMatchObject({ ports: [], endpoints: [] });
    expect(reduce("EndpointSlice", { metadata, addressType: "IPv4" })).toBeUndefined();
  });

  it("gives a Namespace no namespace", () => {
    const { namespace: _, ...own } = metadata;
    expect(reduce("Namespace", { metadata: own })).toEqual({
      kind: "Namespace",
      metadata: { ...reducedMetadata, namespace: "" },
    });
  });
});

describe("isRawObject", () => {
  it("wants an object with a name and a resourceVersion", () => {
    expect(isRawObject({ metadata })).toBe(true);
    for (const value of [null, 1, "x", [], {}, { metadata: null }, { metadata: { name: "x" } }]) {
      expect(isRawObject(value)).toBe(false);
    }
  });
});
