// Batches that are large, and batches of buckets.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Table, TableChange } from "./compiled.ts";
import type { RowChange } from "./contract.ts";
import { bucketOf, createDigest } from "./digest.ts";
import { encodePut, rowHash } from "./encode.ts";
import { agentRow, changes, finalRows, keyRow } from "./rows.test-support.ts";
import { createTable, type TableWriter } from "./table.ts";

const travel: RowChange = { id: "agent/agents/travel", row: agentRow({ publicName: "travel" }) };
const start: readonly RowChange[] = [travel, { id: "key/agents/alice", row: keyRow("sk-alice") }];

function tableWith(rows: readonly RowChange[]): Table & TableWriter {
  const table = createTable();
  table.applyLocal(rows, true);
  return table;
}

function stage(table: TableWriter, batch: readonly RowChange[], reset: boolean): void {
  table.begin(reset);
  for (const { id, row } of batch) {
    if (row === null) table.remove(id);
    else table.put(id, encodePut(id, row));
  }
}

describe("a large batch", () => {
  const many = (from: number, to: number): RowChange[] =>
    Array.from({ length: to - from }, (_, n) => ({ id: `key/a/${from + n}`, row: keyRow(`sk-${from + n}`) }));
  const before: readonly RowChange[] = [
    ...start,
    { id: "agent/agents/trips", row: agentRow({ publicName: "trips" }) },
    ...many(0, 3000),
  ];
  const refused: RowChange = { id: travel.id, row: { ...agentRow(), requires: ["later"] } };
  const gone = many(0, 1200).map(({ id }) => ({ id, row: null }));

  test.each([
    ["edits", [refused, ...gone, ...many(2900, 4500)], false],
    ["a whole table", [refused, ...many(2900, 6000)], true],
  ] as const)("%s: is applied in turns, seen at once and as a whole, like any other", async (_name, batch, reset) => {
    const table = tableWith(before);
    const small = tableWith(before);
    const alone = table.keyById("a/2950");
    // In one piece: without the way through turns.
    if (reset) small.applyLocal(batch, true);
    else for (let at = 0; at < batch.length; at += 500) small.applyLocal(batch.slice(at, at + 500), false);
    const heard: TableChange[] = [];
    table.onChange((change) => heard.push(change));
    const old = table.version;
    stage(table, batch, reset);
    expect(table.isLarge).toBe(true);
    const done = table.commitInTurns({ lines: batch.length, rows: small.rows, version: small.version });
    let turns = 0;
    for (; table.version === old; turns += 1) {
      expect([table.keyById("a/1")?.id, table.keyById("a/4400")]).toStrictEqual(["a/1", undefined]);
      await new Promise(setImmediate);
    }
    expect(turns).toBeGreaterThan(3);
    expect(await done).toMatchObject({ ok: true });
    expect(heard).toStrictEqual([{ ids: [], reset: true }]);
    expect(table.keyById("a/2950")).toBe(alone);
    expect(table.agentByPublicName("travel")?.id).toBe("agents/travel");
    expect([...table.dump()]).toStrictEqual([...small.dump()]);
  });

  test("that is not what was promised, or is dropped meanwhile, changes nothing", async () => {
    const table = tableWith(start);
    const before = [table.version, ...table.dump()];
    stage(table, many(0, 1500), false);
    const wrong = await table.commitInTurns({ lines: 1500, rows: 1502, version: "0".repeat(64) });
    expect(wrong).toStrictEqual({ ok: false, reason: "Version" });
    stage(table, many(0, 1500), false);
    const done = table.commitInTurns({ lines: 1500, rows: 1502, version: "0".repeat(64) });
    table.discard();
    expect(await done).toStrictEqual({ ok: false, reason: "Dropped" });
    expect([table.version, ...table.dump()]).toStrictEqual(before);
  });
});

test("a batch of buckets replaces just those, whatever they held", () => {
  fc.assert(
    fc.property(changes(20), changes(12), fc.boolean(), (before, after, reset) => {
      const wanted = tableWith(finalRowsOf([before, after]));
      const table = tableWith(before);
      const digest = createDigest();
      for (const [id, row] of finalRows([before, after])) digest.set(id, rowHash(id, encodePut(id, row)));
      const buckets = digest.differing(table.prefixes()) ?? [];
      const rows = [...finalRows([before, after])].filter(([id]) => buckets.includes(bucketOf(id)));
      table.begin(reset);
      // On a whole table being sent, as a log that is read back does.
      if (reset) for (const [id, row] of finalRows([before])) table.put(id, encodePut(id, row));
      for (const bucket of buckets) table.clear(bucket);
      for (const [id, row] of rows) table.put(id, encodePut(id, row));
      const lines = rows.length + (reset ? finalRows([before]).size : 0);
      expect(table.commit({ lines, rows: wanted.rows, version: wanted.version })).toMatchObject({ ok: true });
      expect([...table.dump()]).toStrictEqual([...wanted.dump()]);
    }),
  );
});

const finalRowsOf = (history: readonly (readonly RowChange[])[]): RowChange[] =>
  [...finalRows(history)].map(([id, row]) => ({ id, row }));
