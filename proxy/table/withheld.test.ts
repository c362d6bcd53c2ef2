import { describe, expect, test } from "vitest";
import { createFakeClock } from "./clock.test-support.ts";
import type { TableChange } from "./compiled.ts";
import type { Row, RowChange } from "./contract.ts";
import { encodePut } from "./encode.ts";
import { agentRow, keyRow, sha256Of } from "./rows.test-support.ts";
import { seenRow } from "./seen-row.ts";
import { createTable } from "./table.ts";
import { createWithheld } from "./withheld.ts";

const KEY = "key/agents/alice";
const AGENT = "agent/agents/travel";
const token = sha256Of("sk-alice");
const alice = keyRow("sk-alice", { uid: "k1", generation: 3 });
const travel = agentRow({ uid: "a1", generation: 3, publicName: "travel" });

function setUp(rows: readonly RowChange[] = []) {
  const clock = createFakeClock();
  const table = createTable();
  table.applyLocal([{ id: KEY, row: alice }, { id: AGENT, row: travel }, ...rows], true);
  const withheld = createWithheld({ table, clock });
  const heard: TableChange[] = [];
  withheld.table.onChange((change) => heard.push(change));
  const see = (source: string, ...changes: readonly RowChange[]): void =>
    withheld.seen(
      source,
      changes.map(({ id, row }) =>
        seenRow(table, row === null ? { id } : { id, row }, row === null ? "" : encodePut(id, row)),
      ),
    );
  /** Whether a request with the token reaches the agent. */
  const admits = (): boolean => {
    const key = withheld.table.key(token);
    const agent = withheld.table.agentByName("agents", "travel");
    if (key === undefined || agent === undefined) return false;
    return key.row.disabled !== true && clock.now() < key.expiresAt && withheld.table.grants(key, agent);
  };
  return { clock, table, withheld, heard, see, admits };
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
    see("s", change);
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
    see("s", { id: "namespace/agents", row: { labels: {} } });
    expect(admits()).toBe(false);
    see("s", { id: "namespace/agents", row: { labels: { team: "a" } } });
    expect(admits()).toBe(true);
  });

  test("operations, loopback and cards: what both rows admit is left", () => {
    const { withheld, see } = setUp([
      { id: KEY, row: { ...alice, operations: ["SendMessage", "GetTask", "Extension"] } },
    ]);
    see(
      "s",
      key({ operations: ["GetTask", "CancelTask"], loopbackOnly: true }),
      agent({ card: { visibility: "Key" } }),
    );
    const narrowed = withheld.table.key(token);
    expect([...(narrowed?.operations ?? [])]).toStrictEqual(["GetTask"]);
    expect(narrowed?.row.loopbackOnly).toBe(true);
    expect(withheld.table.agentByPublicName("travel")?.row.card.visibility).toBe("Key");
    // All of the protocol, on the other side: but not what has to be named.
    see("s", key({}));
    expect([...(withheld.table.key(token)?.operations ?? [])]).toStrictEqual(["SendMessage", "GetTask"]);
  });

  test("each stream by itself: what one gives, another may take", () => {
    const { admits, see } = setUp();
    see("s", key({ agents: [] }));
    see("t", key({ generation: 5 }));
    expect(admits()).toBe(false);
    see("s", key({ generation: 5 }));
    expect(admits()).toBe(true);
  });

  test("but nothing is given that the table does not give", () => {
    const { admits, see, table } = setUp([{ id: KEY, row: { ...alice, agents: [] } }]);
    see("s", key({}));
    expect(admits()).toBe(false);
    table.applyLocal([{ id: KEY, row: null }], false);
    expect(admits()).toBe(false);
  });
});

describe("it is given back", () => {
  test.each<[string, Row]>([
    ["another object", { ...alice, uid: "k2", generation: 1 }],
    ["a higher generation", { ...alice, generation: 5 }],
  ])("when the table's row is newer: %s", (_name, row) => {
    const { admits, see, table, withheld } = setUp();
    see("s", { id: KEY, row: null });
    table.applyLocal([{ id: KEY, row }], false);
    expect([admits(), withheld.rows]).toStrictEqual([true, 0]);
  });

  test("when the table has another token than the one that died, and not before", () => {
    const { see, table, withheld } = setUp();
    see("s", { id: KEY, row: null });
    table.applyLocal([{ id: KEY, row: { ...alice, owner: { team: "other" } } }], false);
    expect(withheld.table.key(token)).toBeUndefined();
    table.applyLocal([{ id: KEY, row: { ...alice, sha256: sha256Of("sk-new") } }], false);
    expect(withheld.table.key(sha256Of("sk-new"))?.id).toBe("agents/alice");
  });

  test("never by a row that is older than what was seen", () => {
    const { admits, see, table, clock } = setUp();
    see("s", key({ uid: "k2", agents: [] }));
    table.applyLocal([{ id: KEY, row: { ...alice, generation: 9 } }], false);
    expect(admits()).toBe(false);
    see("s", key({ uid: "k2", generation: 5 }));
    expect(admits()).toBe(true);
    // What is older than the table's row is not even noted.
    see("t", key({ uid: "k1", generation: 8, agents: [] }));
    expect(admits()).toBe(true);
    clock.advance(60_000);
    expect(admits()).toBe(true);
  });

  test("when that stream says it is where the table is", () => {
    const { admits, see, withheld, heard } = setUp();
    see("s", { id: KEY, row: null });
    see("t", { id: KEY, row: null });
    withheld.inStep("s");
    expect(admits()).toBe(false);
    withheld.inStep("t");
    expect(admits()).toBe(true);
    expect(heard).toHaveLength(4);
  });

  test("thirty seconds after that stream was lost, with all that it had seen until then", () => {
    const { admits, see, withheld, clock } = setUp();
    see("s", { id: AGENT, row: null });
    withheld.lost("s");
    clock.advance(10_000);
    see("s", { id: KEY, row: null });
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
  test("does not give back what the applied stream, or any, had taken away", () => {
    for (const source of ["applied", "standby"]) {
      const { admits, see, table, withheld } = setUp();
      withheld.apply("applied");
      if (source === "standby") see(source, { id: KEY, row: null });
      const seen = seenRow(table, { id: KEY }, "");
      table.applyLocal([{ id: KEY, row: null }], false);
      if (source === "applied") withheld.seen(source, [seen]);
      expect(withheld.rows).toBe(0);
      withheld.lost(source);
      withheld.apply("other");
      table.applyLocal([{ id: KEY, row: alice }], false);
      expect([admits(), withheld.rows]).toStrictEqual([false, 1]);
      table.applyLocal([{ id: KEY, row: { ...alice, generation: 4 } }], false);
      expect([admits(), withheld.rows]).toStrictEqual([true, 0]);
    }
  });

  test("does so when that was half a minute ago, or that stream is gone for as long", () => {
    const { admits, see, table, withheld, clock } = setUp();
    see("s", { id: KEY, row: null });
    table.applyLocal([{ id: KEY, row: null }], false);
    clock.advance(30_000);
    table.applyLocal([{ id: KEY, row: alice }], false);
    expect(admits()).toBe(true);

    see("s", { id: KEY, row: null });
    table.applyLocal([{ id: KEY, row: null }], false);
    withheld.lost("s");
    clock.advance(20_000);
    table.applyLocal([{ id: KEY, row: alice }], false);
    expect(admits()).toBe(false);
    clock.advance(10_000);
    expect([admits(), withheld.rows]).toStrictEqual([true, 0]);
  });

  test("what the stream that is applied says itself is not held against it", () => {
    const { admits, table, withheld } = setUp();
    withheld.apply("a");
    const removed = seenRow(table, { id: KEY }, "");
    table.applyLocal([{ id: KEY, row: null }], false);
    withheld.seen("a", [removed]);
    const again = seenRow(table, { id: KEY, row: alice }, encodePut(KEY, alice));
    table.applyLocal([{ id: KEY, row: alice }], false);
    withheld.seen("a", [again]);
    expect([admits(), withheld.rows]).toStrictEqual([true, 0]);
  });
});

test("while nothing is withheld the table's own objects are given, and every change is told once", () => {
  const { table, withheld, heard, see } = setUp();
  see("s", { id: KEY, row: alice });
  expect(withheld.table.key(token)).toBe(table.key(token));
  expect(withheld.table.agentByPublicName("travel")).toBe(table.agentByPublicName("travel"));
  table.applyLocal([{ id: "namespace/x", row: { labels: {} } }], false);
  expect(heard).toStrictEqual([{ ids: ["namespace/x"], reset: false }]);
});
