// What one edit costs and says. That steps and rebuilds agree is the property test's to show, and testdata what rows look like.
import { describe, expect, test } from "vitest";
import { refOf } from "../objects.ts";
import type { AgentObject, Ref, StoredObject } from "../objects.ts";
import { createStore } from "../store.ts";
import type { ReadableStore } from "../store.ts";
import { createTranslation } from "./engine.ts";
import { agent, endpoint, key, namespaceObject, secret, service, slice, TOKEN } from "./objects.test-support.ts";
import type { TranslateSettings } from "./settings.ts";

const SETTINGS: TranslateSettings = {
  gatewayName: "default",
  trustedProxies: [],
  allowedUpstreams: [],
  exemptTokens: [],
  selectors: true,
};

function setUp(...objects: StoredObject[]) {
  const store = createStore({ gatewayName: "default" });
  let looks = 0;
  const counting: ReadableStore = {
    ...store,
    get: (ref) => ((looks += 1), store.get(ref)),
    find: (kind, namespace, name) => ((looks += 1), store.find(kind, namespace, name)),
    slicesOf: (namespace, name) => ((looks += 1), store.slicesOf(namespace, name)),
  };
  const errors: Ref[] = [];
  const translation = createTranslation({
    store: counting,
    settings: SETTINGS,
    onError: (ref) => void errors.push(ref),
  });
  for (const object of objects) store.set(object);
  const { results } = translation.rebuild();
  return {
    errors,
    translation,
    /** Of the objects that it began with. */
    results,
    /** What the edit of one object gives, and how often the store was asked for it. */
    edit(object: StoredObject) {
      looks = 0;
      const ref = refOf(object.kind, object.metadata.namespace, object.metadata.name);
      const output = translation.update(store.set(object) ? [ref] : []);
      return { ids: output.changes.map(({ id }) => id), output, looks };
    },
    remove(ref: Ref) {
      return translation.update(store.delete(ref) ? [ref] : []);
    },
  };
}

const many = (count: number, make: (index: number) => StoredObject[]): StoredObject[] =>
  Array.from({ length: count }, (_, index) => make(index)).flat();

/** Agents that share one Service, each with a key that names it; all keys name `popular` too. */
const fleet = (count: number): StoredObject[] => [
  service(),
  slice(),
  namespaceObject("agents"),
  agent({ name: "popular" }),
  ...many(count, (index) => [
    agent({ name: `agent-${index}` }),
    key({ name: `key-${index}` }, { agents: [{ name: `agent-${index}` }, { name: "popular" }] }),
    secret({ name: `key-${index}-key` }, { token: `${TOKEN}-${index}` }),
  ]),
];

describe("one edit is one row", () => {
  const world = setUp(...fleet(200));

  test.each<[string, StoredObject, string[]]>([
    ["a pod", slice({}, [endpoint("10.0.0.7")]), ["endpoints/agents/travel/80"]],
    ["an agent", agent({ name: "agent-7" }, { publicName: "seven" }), ["agent/agents/agent-7"]],
    [
      "an agent that all keys name",
      agent({ name: "popular" }, { loadBalancing: { policy: "Random" } }),
      ["agent/agents/popular"],
    ],
    ["a key", key({ name: "key-7" }, { disabled: true }), ["key/agents/key-7"]],
    ["a Secret", secret({ name: "key-8-key" }, { token: `${TOKEN}-other` }), ["key/agents/key-8"]],
    ["a Namespace", namespaceObject("agents", { team: "booking" }), ["namespace/agents"]],
    ["a Namespace without keys", namespaceObject("elsewhere"), []],
    ["a slice of a Service that nobody uses", slice({ name: "x" }, undefined, { service: "x" }), []],
  ])("%s", (_, object, ids) => {
    expect(world.edit(object).ids).toEqual(ids);
  });
});

test("the cost of an edit does not grow with the number of objects", () => {
  const costs = [10, 400].map((count) => {
    const world = setUp(...fleet(count));
    return [
      world.edit(slice({}, [endpoint("10.0.0.7")])).looks,
      world.edit(agent({ name: "agent-7" }, { publicName: "seven" })).looks,
      world.edit(agent({ name: "popular" }, { loadBalancing: { policy: "Random" } })).looks,
      world.edit(key({ name: "key-7" }, { agents: [{ name: "popular" }] })).looks,
      world.edit(secret({ name: "key-8-key" }, { token: `${TOKEN}-other` })).looks,
    ];
  });
  expect(costs[1]).toEqual(costs[0]);
});

describe("results", () => {
  test("come only when they differ", () => {
    const world = setUp(agent(), service(), slice());
    // Another pod behind the same count.
    expect(world.edit(slice({}, [endpoint("10.0.0.9")])).output.results).toEqual([]);
    const { output } = world.edit(slice({}, [endpoint("10.0.0.9"), endpoint("10.0.0.10")]));
    expect(output.results.map(({ name, fields }) => [name, fields.readyEndpoints])).toEqual([["travel", 2]]);
    expect(output.changes.map(({ id }) => id)).toEqual(["endpoints/agents/travel/80"]);
  });

  test("a key hears of the agents that it names, and only of what concerns it", () => {
    const world = setUp(agent(), key({}, { agents: [{ name: "travel" }] }), secret());
    const refs = (ref: Ref) =>
      world.remove(ref).results.map(({ conditions }) => conditions.map(({ reason }) => reason));
    expect(world.edit(agent({}, { publicName: "journeys" })).output.results.map(({ kind }) => kind)).toEqual([
      "A2AAgent",
    ]);
    expect(refs(refOf("A2AAgent", "agents", "travel"))).toEqual([["Accepted", "SecretReady", "AgentNotFound"]]);
    expect(world.edit(agent()).output.results.map(({ kind }) => kind)).toEqual(["A2AAgent", "VirtualKey"]);
  });

  test("what is going is removed, row and result, once", () => {
    const world = setUp(agent(), service(), slice(), key(), secret());
    const leaving = { deletionTimestamp: "2026-06-01T00:00:00Z" };
    expect(world.edit(key({ metadata: leaving })).output).toMatchObject({
      changes: [{ id: "key/agents/alice", row: null }],
      removed: [{ kind: "VirtualKey", namespace: "agents", name: "alice" }],
    });
    expect(world.edit(agent({ metadata: leaving })).ids).toEqual(["agent/agents/travel", "endpoints/agents/travel/80"]);
    expect(world.remove(refOf("A2AAgent", "agents", "travel"))).toMatchObject({
      changes: [],
      results: [],
      removed: [],
    });
  });
});

describe("order", () => {
  test("what is referred to comes first; what is removed goes last, the other way round", () => {
    const spec = {
      backends: [{ name: "main", service: { name: "travel", port: 80 } }],
      credentials: [{ header: "x-key", secretRef: { name: "up", key: "token" } }],
    };
    const upstream = secret({ name: "up" }, { token: "t" }, "upstream");
    const store = createStore({ gatewayName: "default" });
    const translation = createTranslation({ store, settings: SETTINGS, onError: () => undefined });
    const objects = [service(), slice(), upstream, secret(), namespaceObject("agents"), key(), agent({}, spec)];
    for (const object of objects) store.set(object);
    const ids = [
      "namespace/agents",
      "credential/agents/up/token",
      "endpoints/agents/travel/80",
      "agent/agents/travel",
      "key/agents/alice",
    ];
    const refs = ["A2AAgent/agents/travel", "VirtualKey/agents/alice"];
    expect(translation.update(refs).changes.map(({ id }) => id)).toEqual(["gateway", ...ids]);
    for (const ref of refs) store.delete(ref);
    expect(translation.update(refs).changes.map(({ id, row }) => [id, row])).toEqual(
      ids.toReversed().map((id) => [id, null]),
    );
  });
});

describe("an object that breaks the translation", () => {
  // As no schema would let it through.
  const broken = { ...agent({ name: "broken" }), spec: { gatewayName: "default" } } as unknown as AgentObject;

  test("harms only itself, is told of, and is mended by an edit", () => {
    const world = setUp(broken, agent(), service(), slice());
    expect(world.errors).toEqual([refOf("A2AAgent", "agents", "broken")]);
    const results = world.results.map(({ name, rowId, conditions }) => [name, rowId, conditions[0]?.reason]);
    expect(results).toContainEqual(["broken", null, "TranslationFailed"]);
    expect(results).toContainEqual(["travel", "agent/agents/travel", "Accepted"]);
    expect(world.edit(agent({ name: "broken" })).ids).toEqual(["agent/agents/broken"]);
    expect(world.edit(broken).output.changes).toEqual([{ id: "agent/agents/broken", row: null }]);
  });
});

test("no token and no credential is in a result", () => {
  const upstream = secret({ name: "up" }, { token: "the-upstream-secret\n", fine: "another-secret" }, "upstream");
  const credentials = ["token", "fine", "gone"].map((name) => ({
    header: `x-${name}`,
    secretRef: { name: "up", key: name },
  }));
  const short = secret({ name: "bob-key" }, { token: "short-secret" });
  const world = setUp(agent({}, { credentials }), upstream, key(), secret(), key({ name: "bob" }), short);
  const text = JSON.stringify(world.results);
  for (const hidden of [TOKEN, "the-upstream-secret", "another-secret", "short-secret"])
    expect(text).not.toContain(hidden);
});

test.each<[string, () => StoredObject | undefined]>([
  ["is gone", () => undefined],
  ["belongs to another Service", () => slice({}, undefined, { service: "another" })],
])("a slice that %s before it was its turn is nobody's who read it meanwhile", (_, change) => {
  const store = createStore({ gatewayName: "default" });
  const onError = (): void => expect.unreachable();
  const translation = createTranslation({ store, settings: SETTINGS, onError });
  const ref = refOf("EndpointSlice", "agents", slice().metadata.name);
  for (const object of [agent(), service(), slice()]) store.set(object);
  translation.mark([refOf("A2AAgent", "agents", agent().metadata.name), ref]);
  expect(translation.work(() => true).changes.map(({ id }) => id)).toContain("endpoints/agents/travel/80");
  const after = change();
  if (after === undefined) store.delete(ref);
  else store.set(after);
  expect(translation.update([ref]).changes).toMatchObject([
    { id: "endpoints/agents/travel/80", row: { endpoints: [] } },
  ]);
  expect(translation.rebuild()).toMatchObject({ changes: [], results: [] });
});
