// Lists piece by piece, and which of them are held.
import { beforeEach, describe, expect, test } from "vitest";
import { refOf } from "./objects.ts";
import type { Ref, StoredObject } from "./objects.ts";
import { createRelists } from "./relists.ts";
import type { Relists, Scope } from "./relists.ts";
import { createStore } from "./store.ts";
import type { Store } from "./store.ts";
import { agent, secret, service } from "./translate/objects.test-support.ts";

const AGENTS: Scope = { kind: "A2AAgent" };
const named = (index: number, more: { resourceVersion?: string } = {}): StoredObject =>
  agent({ name: `a${String(index).padStart(3, "0")}`, metadata: more });
const range = (from: number, to: number): StoredObject[] =>
  Array.from({ length: to - from }, (_, index) => named(from + index));
const refOfNamed = (index: number): Ref => refOf("A2AAgent", "agents", `a${String(index).padStart(3, "0")}`);

describe("relists", () => {
  let store: Store;
  let relists: Relists;
  beforeEach(() => {
    store = createStore({ gatewayName: "default" });
    relists = createRelists(store);
  });
  const list = (scope: Scope, ...pieces: (readonly StoredObject[])[]) => {
    relists.begin(scope);
    const taken = pieces.map((piece) => relists.take(piece));
    return { taken, ...relists.end(scope) };
  };

  test("a piece tells what is new or changed, and what only statuses care for; what is as it was is passed over", () => {
    list(AGENTS, range(0, 3));
    const before = store.get(refOfNamed(0));
    const edited = agent({ name: "a002", metadata: { resourceVersion: "2" } }, { publicName: "other" });
    const { taken } = list(AGENTS, [named(0), named(1, { resourceVersion: "2" }), edited, named(3)]);
    expect(taken).toEqual([
      { changed: [refOfNamed(2), refOfNamed(3)], stored: [refOfNamed(1), refOfNamed(2), refOfNamed(3)], released: [] },
    ]);
    expect(store.get(refOfNamed(0))).toEqual(before);
  });

  test.each([
    ["half of many", 100, 50, false],
    ["over half of many", 100, 49, true],
    ["all of twenty", 20, 0, false],
    ["all of twenty-one", 21, 0, true],
  ])("%s vanish", (_, before, after, held) => {
    list(AGENTS, range(0, before));
    const end = list(AGENTS, range(0, after));
    expect(end.held).toHaveLength(held ? before - after : 0);
    expect(end.dropped).toHaveLength(held ? 0 : before - after);
    expect(store.size("A2AAgent")).toBe(held ? before : after);
    expect(relists.count("A2AAgent")).toBe(end.held.length);
    expect(relists.isHeld(refOfNamed(before - 1))).toBe(held);
  });

  test.each([
    ["longer", "", "x".repeat(3000)],
    ["shorter", "x".repeat(3000), ""],
  ])("a Secret that is much %s than before its list is there all the same", (_, before, after) => {
    const secrets = (value: string) =>
      Array.from({ length: 5_000 }, (_, index) => {
        const name = `s${index}`;
        return index % 500 === 0
          ? secret({ name, metadata: { resourceVersion: `${value.length}` } }, { token: value })
          : secret({ name });
      });
    const scope: Scope = { kind: "Secret" };
    list(scope, secrets(before));
    const listed = secrets(after);
    const end = list(scope, ...Array.from({ length: 10 }, (_, index) => listed.slice(500 * index, 500 * (index + 1))));
    expect(end).toMatchObject({ dropped: [], held: [] });
    expect(store.size("Secret")).toBe(5_000);
  });

  test("a list finds what vanished of more than is noted with a piece, also when it is read from the end", () => {
    const all = range(0, 5_000);
    list(AGENTS, all);
    const begun = [range(4_500, 5_100), range(3_000, 4_500), range(10, 3_000)];
    const dropped = list(AGENTS, ...begun).dropped.toSorted();
    expect(dropped).toEqual(all.slice(0, 10).map((_, index) => refOfNamed(index)));
    expect(store.size("A2AAgent")).toBe(5_090);
    expect(list(AGENTS, range(2_700, 5_100)).held).toHaveLength(2_690);
  });

  test("what a held list brings is taken in all the same", () => {
    list(AGENTS, range(0, 30));
    const { taken } = list(AGENTS, [named(0, { resourceVersion: "2" }), named(99)]);
    expect(taken[0]?.changed).toEqual([refOfNamed(99)]);
    expect(store.size("A2AAgent")).toBe(31);
  });

  test("a list that did not end drops nothing", () => {
    list(AGENTS, range(0, 10));
    relists.begin(AGENTS);
    relists.take(range(0, 1));
    expect(list(AGENTS, range(0, 10))).toMatchObject({ dropped: [], held: [] });
    expect(store.size("A2AAgent")).toBe(10);
  });

  test("what is held stays so while lists lack it, and does not count for those that follow", () => {
    list(AGENTS, range(0, 100));
    list(AGENTS, range(0, 40));
    // Of the forty that are left ten vanish.
    expect(list(AGENTS, range(0, 30))).toMatchObject({ dropped: { length: 10 }, held: [] });
    expect(relists.count("A2AAgent")).toBe(60);
    // Of the thirty that are left all vanish.
    expect(list(AGENTS)).toMatchObject({ dropped: [], held: { length: 30 } });
    expect(relists.count("A2AAgent")).toBe(90);
  });

  test("a list that brings them back ends it, one by one", () => {
    list(AGENTS, range(0, 30));
    list(AGENTS);
    const { taken } = list(AGENTS, range(0, 29));
    expect(taken[0]).toMatchObject({ changed: [], stored: [], released: { length: 29 } });
    expect(relists.held()).toMatchObject([{ kind: "A2AAgent", count: 1, names: ["agents/a029"] }]);
    expect([relists.release(refOfNamed(29)), relists.release(refOfNamed(29)), relists.held()]).toEqual([
      true,
      false,
      [],
    ]);
  });

  test("is confirmed by the id of exactly what is held", () => {
    list(AGENTS, range(0, 30));
    list(AGENTS);
    const [held] = relists.held();
    expect(held).toMatchObject({ count: 30, names: { length: 10 } });
    expect(relists.confirm(["000000000000"])).toEqual([]);
    relists.release(refOfNamed(0));
    expect(relists.confirm([held?.id ?? ""])).toEqual([]);
    const [now] = relists.held();
    expect(relists.confirm([now?.id ?? ""])).toHaveLength(29);
    expect([store.size("A2AAgent"), relists.held()]).toEqual([1, []]);
  });

  test("the same objects have the same id in every process, whatever their order", () => {
    list(AGENTS, range(0, 30));
    list(AGENTS);
    const other = createRelists(createStore({ gatewayName: "default" }));
    other.begin(AGENTS);
    other.take(range(0, 30).toReversed());
    other.end(AGENTS);
    other.begin(AGENTS);
    other.end(AGENTS);
    expect(other.held()).toEqual(relists.held());
  });

  test("kinds and namespaces are judged by themselves", () => {
    const one: Scope = { kind: "Service", namespace: "one" };
    const two: Scope = { kind: "Service", namespace: "two" };
    const services = (namespace: string, count: number): StoredObject[] =>
      Array.from({ length: count }, (_, index) => service({ namespace, name: `s${index}` }));
    list(one, services("one", 100));
    list(two, services("two", 30));
    store.set(secret());
    expect(list(two)).toMatchObject({ dropped: [], held: { length: 30 } });
    expect(list(one, services("one", 100))).toMatchObject({ dropped: [], held: [] });
    expect([store.size("Service"), store.size("Secret")]).toEqual([130, 1]);
  });

  test("a confirmation while a list is being read is not undone by its end", () => {
    list(AGENTS, range(0, 30));
    list(AGENTS, []);
    relists.begin(AGENTS);
    expect(relists.confirm(relists.held().map(({ id }) => id))).toHaveLength(30);
    expect(relists.end(AGENTS)).toEqual({ dropped: [], held: [] });
    expect(relists.held()).toEqual([]);
  });
});
