import { describe, expect, test } from "vitest";
import { createFakeClock } from "./clock.test-support.ts";
import type { TableChange } from "./compiled.ts";
import type { RowChange } from "./contract.ts";
import { encodePut } from "./encode.ts";
import { agentRow, keyRow, sha256Of } from "./rows.test-support.ts";
import { compile } from "./rows.ts";
import { seenRow, seenRows } from "./seen-row.ts";
import { createSharedParts } from "./shared-parts.ts";
import { createTable } from "./table.ts";
import { createWithheld } from "./withheld.ts";

const KEY = "key/agents/alice";
const AGENT = "agent/agents/travel";
const token = sha256Of("sk-alice");
const alice = keyRow("sk-alice", { uid: "k1", generation: 3 });
const travel = agentRow({ uid: "a1", generation: 3, publicName: "travel" });

const reach = (at: number | undefined) => (at === undefined ? undefined : { keys: at });
const seenOf = ({ id, row }: RowChange) =>
  row === null ? seenRow(id, "", undefined) : seenRow(id, encodePut(id, row), compile(id, row, createSharedParts()));

function setUp(rows: readonly RowChange[] = []) {
  const clock = createFakeClock();
  const table = createTable();
  table.applyLocal([{ id: KEY, row: alice }, { id: AGENT, row: travel }, ...rows], true);
  const withheld = createWithheld({ table, clock });
  const heard: TableChange[] = [];
  withheld.table.onChange((change) => heard.push(change));
  /** `at`: how far that operator has read; undefined: it does not say. */
  const see = (source: string, at: number | undefined, ...changes: readonly RowChange[]): void =>
    withheld.seen(source, seenRows(changes.map(seenOf)), reach(at));
  /** The same of the stream that is applied. */
  const apply = (source: string, at: number | undefined, ...changes: readonly RowChange[]): void => {
    if (changes.length > 0) table.applyLocal(changes, false);
    withheld.applied(source, seenRows(changes.map(seenOf)), reach(at));
  };
  /** Whether a request with the token reaches the agent. */
  const admits = (): boolean => {
    const key = withheld.table.key(token);
    const agent = withheld.table.agentByName("agents", "travel");
    if (key === undefined || agent === undefined) return false;
    return key.row.disabled !== true && clock.now() < key.expiresAt && withheld.table.grants(key, agent);
  };
  return { clock, table, withheld, heard, see, apply, admits };
}

const key = (over: Parameters<typeof keyRow>[1]): RowChange => ({ id: KEY, row: { ...alice, generation: 4, ...over } });
const agent = (over: Parameters<typeof agentRow>[0]): RowChange => ({
  id: AGENT,
  row: { ...travel, generation: 4, ...over },
});

describe("what any stream takes away is refused at once", () => {
  test.each<[string, RowChange]>([
    ["a key that is removed", { id: KEY, row: null }],
    ["a key that is disabled", key({ disabled: true })],
    ["a key with another token", key({ sha256: sha256Of("sk-new") })],
    ["a key that has expired", key({ expiresAt: "2020-01-01T00:00:00Z" })],
    ["a key that grants nothing", key({ agents: [] })],
    ["a key that is not understood", { id: KEY, row: { ...alice, generation: 4, requires: ["later"] } }],
    ["an agent that is removed", { id: AGENT, row: null }],
    ["an agent that admits other keys", agent({ allowedKeys: { from: "Selector", selector: {} } })],
    ["an agent made anew that is not understood", { id: AGENT, row: { ...travel, uid: "a2", requires: ["later"] } }],
  ])("%s", (_name, change) => {
    const { admits, see, withheld, heard, table } = setUp();
    expect([admits(), withheld.rows]).toStrictEqual([true, 0]);
    see("s", 2, change);
    expect([admits(), withheld.rows]).toStrictEqual([false, 1]);
    expect(heard).toStrictEqual([{ ids: [change.id], reset: false }]);
    expect(table.keyById("agents/alice")?.row).toStrictEqual(alice);
    // The applied stream comes to it as well.
    table.applyLocal([change], false);
    expect([admits(), withheld.rows]).toStrictEqual([false, 0]);
  });

  test("a namespace that loses its labels", () => {
    const selecting = agent({
      allowedKeys: { from: "Selector", selector: { matchLabels: { team: "a" } } },
      generation: 3,
    });
    const { admits, see } = setUp([selecting, { id: "namespace/agents", row: { labels: { team: "a" } } }]);
    expect(admits()).toBe(true);
    see("s", 2, { id: "namespace/agents", row: { labels: {} } });
    expect(admits()).toBe(false);
    see("s", 2, { id: "namespace/agents", row: { labels: { team: "a" } } });
    expect(admits()).toBe(true);
  });

  test("operations, loopback and cards: what both rows admit is left", () => {
    const { withheld, see } = setUp([
      { id: KEY, row: { ...alice, operations: ["SendMessage", "GetTask", "Extension"] } },
    ]);
    see(
      "s",
      2,
      key({ operations: ["GetTask", "CancelTask"], loopbackOnly: true }),
      agent({ card: { visibility: "Key" } }),
    );
    const narrowed = withheld.table.key(token);
    expect([...(narrowed?.operations ?? [])]).toStrictEqual(["GetTask"]);
    expect(narrowed?.row.loopbackOnly).toBe(true);
    expect(withheld.table.agentByPublicName("travel")?.row.card.visibility).toBe("Key");
    // All of the protocol, on the other side: but not what has to be named.
    see("s", 2, key({}));
    expect([...(withheld.table.key(token)?.operations ?? [])]).toStrictEqual(["SendMessage", "GetTask"]);
  });

  test("each stream by itself: what one gives, another may take", () => {
    const { admits, see } = setUp();
    see("s", 2, key({ agents: [] }));
    see("t", 2, key({ generation: 5 }));
    expect(admits()).toBe(false);
    see("s", 2, key({ generation: 5 }));
    expect(admits()).toBe(true);
  });

  test("but nothing is given that the table does not give", () => {
    const { admits, see, table } = setUp([{ id: KEY, row: { ...alice, agents: [] } }]);
    see("s", 2, key({}));
    expect(admits()).toBe(false);
    table.applyLocal([{ id: KEY, row: null }], false);
    expect(admits()).toBe(false);
  });
});

describe("it is given back", () => {
  test("when the operator whose table it is has come to where that stream was, and not before", () => {
    const { admits, see, apply, withheld, heard } = setUp();
    apply("a", 1);
    see("s", 3, { id: KEY, row: null });
    apply("a", 2, key({ generation: 9 }));
    expect(admits()).toBe(false);
    // It says nothing: it is where it was at least.
    apply("a", undefined, key({ uid: "k2" }));
    expect([admits(), withheld.rows]).toStrictEqual([false, 1]);
    const told = heard.length;
    apply("a", 3);
    expect([admits(), withheld.rows]).toStrictEqual([true, 0]);
    expect(heard.slice(told)).toStrictEqual([{ ids: [KEY], reset: false }]);
  });

  test("never while that stream has not said how far its operator has read", () => {
    const { admits, see, apply } = setUp();
    apply("a", 9);
    see("s", undefined, { id: KEY, row: null });
    apply("a", 10);
    expect(admits()).toBe(false);
    see("s", 11);
    apply("a", 10);
    expect(admits()).toBe(false);
    apply("a", 11);
    expect(admits()).toBe(true);
  });

  test("never by an operator that does not read what that one has read", () => {
    const { admits, withheld, see, apply } = setUp();
    see("s", 1, { id: KEY, row: null });
    withheld.applied("a", seenRows(), { others: 5 });
    expect(admits()).toBe(false);
    apply("a", 1);
    expect(admits()).toBe(true);
  });

  test("when that stream says it is where the table is", () => {
    const { admits, see, withheld, heard } = setUp();
    see("s", 2, { id: KEY, row: null });
    see("t", 2, { id: KEY, row: null });
    withheld.inStep("s");
    expect(admits()).toBe(false);
    withheld.inStep("t");
    expect(admits()).toBe(true);
    expect(heard).toHaveLength(4);
  });

  test("thirty seconds after that stream was lost, with all that it had seen until then", () => {
    const { admits, see, withheld, clock } = setUp();
    see("s", 2, { id: AGENT, row: null });
    withheld.lost("s");
    clock.advance(10_000);
    see("s", 2, { id: KEY, row: null });
    clock.advance(19_999);
    expect(withheld.rows).toBe(2);
    clock.advance(1);
    expect([admits(), withheld.rows]).toStrictEqual([false, 1]);
    withheld.lost("s");
    withheld.end();
    expect(clock.pending).toStrictEqual([]);
  });
});

describe("a table that goes back, because another operator is behind,", () => {
  test.each(["applied", "standby"])("does not give back what the stream %s had taken away", (source) => {
    const { admits, see, apply, withheld } = setUp();
    apply("applied", 1);
    if (source === "standby") see(source, 2, { id: KEY, row: null });
    apply("applied", 2, { id: KEY, row: null });
    expect(withheld.rows).toBe(0);
    withheld.lost(source);
    apply("other", 1, { id: KEY, row: alice });
    // By each stream that has said so.
    expect([admits(), withheld.rows]).toStrictEqual([false, source === "standby" ? 2 : 1]);
    apply("other", 1, { id: KEY, row: { ...alice, generation: 4 } });
    expect(admits()).toBe(false);
    apply("other", 2);
    expect([admits(), withheld.rows]).toStrictEqual([true, 0]);
  });

  test("nor when the operator that is behind does not say how far it is", () => {
    const { admits, apply } = setUp();
    apply("a", 2, { id: KEY, row: null });
    apply("other", undefined, { id: KEY, row: alice });
    expect(admits()).toBe(false);
  });

  test("does so when that was half a minute ago, or that stream is gone for as long", () => {
    const { admits, see, apply, withheld, clock } = setUp();
    see("s", 2, { id: KEY, row: null });
    apply("a", 1, { id: KEY, row: null });
    clock.advance(30_000);
    apply("b", 1, { id: KEY, row: alice });
    expect(admits()).toBe(true);

    see("s", 2, { id: KEY, row: null });
    apply("b", 1, { id: KEY, row: null });
    withheld.lost("s");
    clock.advance(20_000);
    apply("b", 1, { id: KEY, row: alice });
    expect(admits()).toBe(false);
    clock.advance(10_000);
    expect([admits(), withheld.rows]).toStrictEqual([true, 0]);
  });

  test("what the stream that is applied says itself is not held against it", () => {
    const { admits, apply, withheld } = setUp();
    apply("a", undefined, { id: KEY, row: null });
    apply("a", undefined, { id: KEY, row: alice });
    expect([admits(), withheld.rows]).toStrictEqual([true, 0]);
  });
});

test("while nothing is withheld the table's own objects are given, and every change is told once", () => {
  const { table, withheld, heard, see } = setUp();
  see("s", 2, { id: KEY, row: alice });
  expect(withheld.table.key(token)).toBe(table.key(token));
  expect(withheld.table.agentByPublicName("travel")).toBe(table.agentByPublicName("travel"));
  table.applyLocal([{ id: "namespace/x", row: { labels: {} } }], false);
  expect(heard).toStrictEqual([{ ids: ["namespace/x"], reset: false }]);
});
