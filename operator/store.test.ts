// What the store keeps, what it says of changes, and its way from Services to slices.
import { describe, expect, test } from "vitest";
import { refOf } from "./objects.ts";
import type { StoredObject } from "./objects.ts";
import { createStore } from "./store.ts";
import {
  agent,
  endpoint,
  key,
  metadata,
  namespaceObject,
  secret,
  service,
  slice,
} from "./translate/objects.test-support.ts";

const storeOf = (...objects: StoredObject[]) => {
  const store = createStore({ gatewayName: "default" });
  for (const object of objects) store.set(object);
  return store;
};
const travel = refOf("A2AAgent", "agents", "travel");
const condition = {
  type: "Ready",
  status: "True",
  reason: "Ready",
  message: "",
  lastTransitionTime: "2026-01-01T00:00:00Z",
} as const;

describe("set", () => {
  test("a new object matters, the same again does not", () => {
    const store = storeOf();
    expect(store.set(agent())).toBe(true);
    expect(store.set(agent())).toBe(false);
    expect(store.size("A2AAgent")).toBe(1);
  });

  test("text that UTF-8 cannot have is kept as it is", () => {
    const half = agent({ metadata: { labels: { half: "\ud83d of a pair" } } });
    const store = storeOf(half);
    expect(store.set(half)).toBe(false);
    expect(store.get(travel)).toStrictEqual(half);
  });

  test("resourceVersion, conditions and counts alone do not matter, but are kept", () => {
    const store = storeOf(agent());
    const newer = agent({ metadata: { resourceVersion: "2" } }, {}, { conditions: [condition], readyEndpoints: 3 });
    expect(store.set(newer)).toBe(false);
    expect(store.get(travel)).toStrictEqual(newer);
    const alice = { ...key(), status: { conditions: [condition], fingerprint: "3f9a1c02" } };
    expect(storeOf(key()).set(alice)).toBe(false);
  });

  test.each<[string, StoredObject, StoredObject]>([
    ["what cards said", agent(), agent({}, {}, { backends: [{ name: "main", versions: ["1.0"] }] })],
    ["spec", agent(), agent({}, { publicName: "journeys" })],
    ["labels", agent(), agent({ metadata: { labels: { team: "booking" } } })],
    ["going", agent(), agent({ metadata: { deletionTimestamp: "2026-02-01T00:00:00Z" } })],
    ["another object of that name", agent(), agent({ metadata: { uid: "another" } })],
    ["a key's spec", key(), key({}, { disabled: true })],
    ["a Secret's data", secret(), secret({}, { token: "another" })],
    ["a Secret's label", secret(), secret({}, undefined, "upstream")],
    ["a Service's ports", service(), service({}, [{ name: "http", port: 81 }])],
    ["an endpoint's state", slice(), slice({}, [endpoint("10.0.0.1", { ready: false })])],
    ["a Namespace's labels", namespaceObject("a"), namespaceObject("a", { team: "booking" })],
  ])("matters: %s", (_, before, after) => {
    expect(storeOf(before).set(after)).toBe(true);
  });
});

describe("gateways", () => {
  test("objects of another gateway are not kept", () => {
    const store = storeOf();
    expect(store.set(agent({}, { gatewayName: "other" }))).toBe(false);
    expect(store.set(key({}, { gatewayName: "other" }))).toBe(false);
    expect(store.get(travel)).toBeUndefined();
    expect(store.size("VirtualKey")).toBe(0);
  });

  test("one that leaves for another gateway is gone", () => {
    const store = storeOf(agent());
    expect(store.set(agent({}, { gatewayName: "other" }))).toBe(true);
    expect(store.get(travel)).toBeUndefined();
    expect(store.set(agent({}, { gatewayName: "other" }))).toBe(false);
  });
});

test("delete says whether it was there", () => {
  const store = storeOf(agent());
  expect(store.delete(travel)).toBe(true);
  expect(store.delete(travel)).toBe(false);
  expect([...store.list("A2AAgent")]).toEqual([]);
});

test("find knows kinds apart, and Namespaces have no namespace", () => {
  const store = storeOf(service(), agent(), namespaceObject("agents"));
  expect(store.find("Service", "agents", "travel")?.kind).toBe("Service");
  expect(store.find("A2AAgent", "agents", "travel")?.kind).toBe("A2AAgent");
  expect(store.find("Namespace", "", "agents")?.metadata).toEqual(metadata("", "agents"));
  expect(store.get("Namespace//agents")?.kind).toBe("Namespace");
});

test("a reference to an unknown kind is a bug", () => {
  expect(() => storeOf().get("Pod/agents/travel")).toThrow(TypeError);
});

describe("replace", () => {
  test("gives what is new, changed and vanished, and nothing else", () => {
    const store = storeOf(agent({ name: "same" }), agent({ name: "edited" }), agent({ name: "gone" }), key());
    const changed = store.replace("A2AAgent", [
      agent({ name: "same", metadata: { resourceVersion: "9" } }),
      agent({ name: "edited" }, { publicName: "journeys" }),
      agent({ name: "new" }),
      agent({ name: "not-ours" }, { gatewayName: "other" }),
    ]);
    expect(changed.sort()).toEqual(["edited", "gone", "new"].map((name) => refOf("A2AAgent", "agents", name)));
    expect(store.size("A2AAgent")).toBe(3);
    expect(store.size("VirtualKey")).toBe(1);
  });

  test("what left for another gateway is told once", () => {
    const store = storeOf(agent());
    expect(store.replace("A2AAgent", [agent({}, { gatewayName: "other" })])).toEqual([travel]);
    expect(store.replace("A2AAgent", [agent({}, { gatewayName: "other" })])).toEqual([]);
  });
});

describe("slicesOf", () => {
  const names = (store: ReturnType<typeof storeOf>, of = "travel", namespace = "agents") =>
    [...store.slicesOf(namespace, of)].map(({ metadata: { name } }) => name).sort();

  test("follows the slices of a Service", () => {
    const store = storeOf(
      slice({ name: "a" }),
      slice({ name: "b" }),
      slice({ name: "c" }, [], { service: "other" }),
      slice({ namespace: "elsewhere", name: "d" }),
    );
    expect(names(store)).toEqual(["a", "b"]);
    expect(names(store, "travel", "elsewhere")).toEqual(["d"]);
    store.set(slice({ name: "b" }, [], { service: "other" }));
    expect(names(store)).toEqual(["a"]);
    expect(names(store, "other")).toEqual(["b", "c"]);
    store.delete(refOf("EndpointSlice", "agents", "a"));
    expect(names(store)).toEqual([]);
    store.replace("EndpointSlice", [slice({ name: "e" })]);
    expect(names(store)).toEqual(["e"]);
    expect(names(store, "other")).toEqual([]);
  });
});

test("has tells by uid and resourceVersion", () => {
  for (const make of [agent, service] as const) {
    const store = storeOf(make({ metadata: { resourceVersion: "7" } }));
    expect([
      store.has(make({ metadata: { resourceVersion: "7" } })),
      store.has(make({ metadata: { resourceVersion: "8" } })),
      store.has(make({ metadata: { resourceVersion: "7", uid: "another" } })),
      store.has(make({ name: "another", metadata: { resourceVersion: "7" } })),
    ]).toEqual([true, false, false, false]);
  }
});
