import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Table, TableChange } from "./compiled.ts";
import type { Row, RowChange } from "./contract.ts";
import { encodePut, rowHash } from "./encode.ts";
import { createDigest } from "./digest.ts";
import { agentRow, changes, endpointsRow, finalRows, gatewayRow, keyRow, sha256Of } from "./rows.test-support.ts";
import { createTable, type TableWriter } from "./table.ts";

const travel: RowChange = { id: "agent/agents/travel", row: agentRow({ publicName: "travel" }) };
const alice: RowChange = { id: "key/agents/alice", row: keyRow("sk-alice") };
const start: readonly RowChange[] = [
  travel,
  alice,
  { id: "endpoints/agents/travel/http", row: endpointsRow("10.0.0.1") },
  { id: "credential/agents/up/token", row: { value: "s3cret" } },
  { id: "namespace/agents", row: { labels: { a: "b" } } },
  { id: "gateway", row: gatewayRow },
];

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

function versionOf(rows: Iterable<readonly [string, Row]>): string {
  const digest = createDigest();
  for (const [id, row] of rows) digest.set(id, rowHash(id, encodePut(id, row)));
  return digest.version();
}

/** Everything that a request could find out, for tables to be compared. */
function seen(table: Table): unknown {
  const dump = [...table.dump()];
  const agents = dump.flatMap(({ id }) => {
    const [kind, namespace = "", name = ""] = id.split("/");
    return kind === "agent" ? (table.agentByName(namespace, name) ?? []) : [];
  });
  const keys = dump.flatMap(({ id }) => (id.startsWith("key/") ? (table.keyById(id.slice(4)) ?? []) : []));
  return {
    version: table.version,
    rows: table.rows,
    refusedRows: table.refusedRows,
    dump,
    gateway: table.gateway,
    agents,
    short: agents.map(({ row }) => (row.publicName === undefined ? "" : table.agentByPublicName(row.publicName)?.id)),
    keys: keys.map((key) => [key, table.key(key.row.sha256)?.id]),
    grants: keys.map((key) => agents.filter((agent) => table.grants(key, agent)).map(({ id }) => id)),
    endpoints: agents.map(({ row }) => row.backends.map((backend) => table.endpoints(backend))),
    credentials: dump.map(({ id }) => table.credential(id)),
  };
}

describe("look-ups", () => {
  test("an empty table gives nothing and is not complete", () => {
    const table = createTable();
    expect([table.complete, table.rows, table.refusedRows]).toStrictEqual([false, 0, 0]);
    expect(table.version).toBe(createDigest().version());
    expect(table.key(sha256Of("sk-alice"))).toBeUndefined();
    expect(table.gateway).toStrictEqual({ name: "", trustedProxies: [], allowedUpstreams: [] });
  });

  test("every row is found under each of its names", () => {
    const table = tableWith(start);
    const agent = table.agentByName("agents", "travel");
    expect(agent).toStrictEqual({ id: "agents/travel", namespace: "agents", name: "travel", row: travel.row });
    expect(table.agentByPublicName("travel")).toBe(agent);
    const key = table.key(sha256Of("sk-alice"));
    expect(key).toMatchObject({
      id: "agents/alice",
      expiresAt: Infinity,
    });
    expect(table.keyById("agents/alice")).toBe(key);
    expect(agent?.row.backends.map((backend) => table.endpoints(backend))).toStrictEqual([
      endpointsRow("10.0.0.1").endpoints,
    ]);
    expect(table.endpoints({ name: "far", weight: 1, url: "http://x.example", interfaces: [] })).toBeUndefined();
    expect(table.credential("credential/agents/up/token")).toBe("s3cret");
    expect(table.gateway).toStrictEqual(gatewayRow);
    expect([table.complete, table.rows]).toStrictEqual([true, 6]);
  });

  test("an edit replaces the object and leaves all others the same", () => {
    const table = tableWith(start);
    const [agent, key] = [table.agentByPublicName("travel"), table.keyById("agents/alice")];
    table.applyLocal([{ id: "key/agents/alice", row: keyRow("sk-new", { expiresAt: "2027-01-01T00:00:00Z" }) }], false);
    expect(table.agentByPublicName("travel")).toBe(agent);
    expect(key?.expiresAt).toBe(Infinity);
    expect(table.key(sha256Of("sk-alice"))).toBeUndefined();
    expect(table.key(sha256Of("sk-new"))).toMatchObject({ id: "agents/alice", expiresAt: Date.UTC(2027, 0, 1) });
  });

  test("a reset keeps the objects of rows that did not change", () => {
    const table = tableWith(start);
    const [agent, key] = [table.agentByPublicName("travel"), table.keyById("agents/alice")];
    const heard: TableChange[] = [];
    table.onChange((change) => heard.push(change));
    table.applyLocal([travel, { id: "key/agents/alice", row: keyRow("sk-new") }], true);
    expect(table.agentByPublicName("travel")).toBe(agent);
    expect(table.keyById("agents/alice")).not.toBe(key);
    expect(table.credential("credential/agents/up/token")).toBeUndefined();
    expect(heard).toStrictEqual([{ ids: [], reset: true }]);
  });

  test("the dump shows every row and no secret", () => {
    const table = tableWith([...start, { id: "quota/a", row: { tokens: 5 } as unknown as Row }]);
    const dump = JSON.stringify([...table.dump()]);
    expect(dump).not.toContain("s3cret");
    expect(dump).not.toContain(sha256Of("sk-alice"));
    expect([...table.dump()].map(({ id }) => id)).toStrictEqual([...start.map(({ id }) => id), "quota/a"].sort());
  });
});

describe("two holders of one name", () => {
  test("neither key is taken while both have the token; the one that stays is", () => {
    const twin: RowChange = { id: "key/agents/bob", row: keyRow("sk-alice") };
    for (const order of [
      [alice, twin],
      [twin, alice],
    ]) {
      const table = tableWith(order);
      expect(table.key(sha256Of("sk-alice"))).toBeUndefined();
      table.applyLocal([{ id: "key/agents/bob", row: null }], false);
      expect(table.key(sha256Of("sk-alice"))?.id).toBe("agents/alice");
    }
  });

  test("neither agent has the short path, both keep the long one", () => {
    const table = tableWith([travel, { id: "agent/other/travel", row: agentRow({ publicName: "travel" }) }]);
    expect(table.agentByPublicName("travel")).toBeUndefined();
    expect(table.agentByName("agents", "travel")?.id).toBe("agents/travel");
    expect(table.agentByName("other", "travel")?.id).toBe("other/travel");
  });

  test("a name may pass from one to another within a batch, in any order of its lines", () => {
    const give: RowChange = { id: travel.id, row: agentRow() };
    const take: RowChange = { id: "agent/other/travel", row: agentRow({ publicName: "travel" }) };
    for (const order of [
      [give, take],
      [take, give],
    ]) {
      const table = tableWith(start);
      table.applyLocal(order, false);
      expect(table.agentByPublicName("travel")?.id).toBe("other/travel");
    }
  });
});

describe("a refused row", () => {
  const requiring = (row: Row): Row => ({ ...row, requires: ["later"] });

  test("of a key denies the key, counts, and stands in the version", () => {
    const row = requiring(keyRow("sk-alice"));
    const table = tableWith(start);
    table.applyLocal([{ id: alice.id, row }], false);
    expect(table.key(sha256Of("sk-alice"))).toBeUndefined();
    expect(table.keyById("agents/alice")).toBeUndefined();
    expect([table.rows, table.refusedRows]).toStrictEqual([6, 1]);
    expect(table.version).toBe(versionOf(finalRows([start, [{ id: alice.id, row }]])));
    expect([...table.dump()].find(({ id }) => id === alice.id)).toStrictEqual({
      id: alice.id,
      row: null,
      refused: "requires what this release does not know: later",
    });
  });

  test("of an agent leaves its last good row, through resets too", () => {
    const table = tableWith(start);
    const good = table.agentByPublicName("travel");
    const refused: RowChange = { id: travel.id, row: requiring(agentRow({ publicName: "trips" })) };
    table.applyLocal([refused], false);
    expect(table.agentByPublicName("travel")).toBe(good);
    expect(table.agentByPublicName("trips")).toBeUndefined();
    table.applyLocal([refused, alice], true);
    table.applyLocal([refused, { id: alice.id, row: null }], true);
    expect(table.agentByPublicName("travel")).toBe(good);
    expect(table.refusedRows).toBe(1);
    table.applyLocal([{ id: travel.id, row: agentRow({ publicName: "trips" }) }], false);
    expect(table.agentByPublicName("travel")).toBeUndefined();
    expect(table.agentByPublicName("trips")?.id).toBe("agents/travel");
    expect(table.refusedRows).toBe(0);
  });

  test("of an agent made anew under the name leaves nothing of the old one", () => {
    const table = tableWith(start);
    table.applyLocal([{ id: travel.id, row: requiring(agentRow({ uid: "another" })) }], false);
    expect(table.agentByName("agents", "travel")).toBeUndefined();
  });

  test("of an agent that is removed leaves nothing", () => {
    const table = tableWith(start);
    table.applyLocal([{ id: travel.id, row: requiring(agentRow()) }], false);
    table.applyLocal([{ id: travel.id, row: null }], false);
    expect(table.agentByName("agents", "travel")).toBeUndefined();
    expect(table.refusedRows).toBe(0);
  });

  test("of endpoints, a credential or a namespace is not served; of the gateway, the last good one is", () => {
    const table = tableWith(start);
    const batch = start.slice(2).map(({ id, row }) => ({ id, row: row === null ? null : requiring(row) }));
    table.applyLocal(batch, false);
    expect(table.agentByPublicName("travel")?.row.backends.map((one) => table.endpoints(one))).toStrictEqual([
      undefined,
    ]);
    expect(table.credential("credential/agents/up/token")).toBeUndefined();
    expect(table.gateway).toStrictEqual(gatewayRow);
    expect(table.refusedRows).toBe(4);
  });

  test("is named, up to a hundred of them", () => {
    const table = createTable();
    const batch = Array.from({ length: 120 }, (_, n) => ({ id: `key/a/${n}`, row: requiring(keyRow(`${n}`)) }));
    stage(table, batch, true);
    expect(table.commit({ lines: 120, rows: 120, version: versionOf(finalRows([batch])) })).toMatchObject({ ok: true });
    expect(table.refusals()).toMatchObject({ refusedRows: 120 });
    expect(table.refusals().refused).toHaveLength(100);
  });
});

describe("a commit", () => {
  const next: readonly RowChange[] = [
    { id: "key/agents/bob", row: keyRow("sk-bob") },
    { id: "key/agents/alice", row: null },
  ];
  const version = versionOf(finalRows([start, next]));

  test.each([
    ["LineCount", { lines: 1, rows: 6, version }],
    ["RowCount", { lines: 2, rows: 7, version }],
    ["Version", { lines: 2, rows: 6, version: "0".repeat(64) }],
  ] as const)("with a wrong %s changes nothing", (reason, expected) => {
    const table = tableWith(start);
    const before = seen(table);
    let heard = 0;
    table.onChange(() => (heard += 1));
    stage(table, next, false);
    expect(table.commit(expected)).toStrictEqual({ ok: false, reason });
    expect(seen(table)).toStrictEqual(before);
    expect(heard).toBe(0);
    stage(table, next, false);
    expect(table.commit({ lines: 2, rows: 6, version })).toMatchObject({ ok: true });
    expect(table.keyById("agents/bob")).toBeDefined();
  });

  test("shows nothing before it is done", () => {
    const table = tableWith(start);
    const before = seen(table);
    stage(table, next, false);
    expect(seen(table)).toStrictEqual(before);
    stage(table, next, true);
    expect(seen(table)).toStrictEqual(before);
    table.discard();
    expect(seen(table)).toStrictEqual(before);
  });

  test("of a batch begun anew has nothing of the one before", () => {
    const table = tableWith(start);
    stage(table, [{ id: "key/agents/mallory", row: keyRow("sk-mallory") }], false);
    stage(table, next, false);
    expect(table.commit({ lines: 2, rows: 6, version })).toMatchObject({ ok: true });
    expect(table.keyById("agents/mallory")).toBeUndefined();
  });

  test("without a batch is a bug, and so is a line", () => {
    const table = createTable();
    expect(() => table.commit({ lines: 0, rows: 0, version })).toThrow("no batch");
    expect(() => table.put("gateway", encodePut("gateway", gatewayRow))).toThrow("no batch");
    expect(() => table.remove("gateway")).toThrow("no batch");
  });

  test("tells all listeners, though one of them throws", () => {
    const faults: unknown[] = [];
    const table = createTable((fault) => faults.push(fault));
    const heard: TableChange[] = [];
    table.onChange(() => {
      throw new Error("a listener's own fault");
    });
    const stop = table.onChange((change) => heard.push(change));
    table.applyLocal([alice], false);
    stop();
    table.applyLocal([travel], false);
    expect(heard).toStrictEqual([{ ids: [alice.id], reset: false }]);
    expect(faults).toHaveLength(2);
    expect(table.complete).toBe(false);
  });

  test("a line that is not the PUT of its id is refused as a row", () => {
    const lines = [
      ["key/agents/alice", encodePut("key/agents/bob", keyRow("sk-alice"))],
      ["key/agents/carol", "{"],
    ] as const;
    const digest = createDigest();
    const table = createTable();
    table.begin(true);
    for (const [id, line] of lines) {
      digest.set(id, rowHash(id, line));
      table.put(id, line);
    }
    expect(table.commit({ lines: 2, rows: 2, version: digest.version() })).toMatchObject({ ok: true });
    expect(table.refusedRows).toBe(2);
    expect(table.key(sha256Of("sk-alice"))).toBeUndefined();
  });
});

describe("any history of changes", () => {
  const history = fc.array(fc.record({ batch: changes(12), reset: fc.boolean() }), { maxLength: 12 });

  test("gives the same table as one reset with the rows that stand at its end", () => {
    fc.assert(
      fc.property(history, (batches) => {
        const table = createTable();
        let rows = new Map<string, Row>();
        for (const { batch, reset } of batches) {
          table.applyLocal(batch, reset);
          rows = finalRows([reset ? [] : [...rows].map(([id, row]) => ({ id, row })), batch]);
        }
        expect(table.version).toBe(versionOf(rows));
        expect(seen(table)).toStrictEqual(seen(tableWith([...rows].map(([id, row]) => ({ id, row })))));
      }),
      { numRuns: 150 },
    );
  });

  test("tells every row that changed and no other, or that all is to be judged again", () => {
    fc.assert(
      fc.property(changes(20), changes(8), fc.boolean(), (before, batch, reset) => {
        const table = tableWith(before);
        const old = finalRows([before]);
        const heard: TableChange[] = [];
        table.onChange((change) => heard.push(change));
        table.applyLocal(batch, reset);
        const now = finalRows(reset ? [batch] : [before, batch]);
        const differing = [...new Set([...old.keys(), ...now.keys()])].filter(
          (id) => JSON.stringify(old.get(id)) !== JSON.stringify(now.get(id)),
        );
        const told = heard.map(({ ids, reset }) => ({ ids: [...ids].sort(), reset }));
        expect(told).toStrictEqual([{ ids: reset ? [] : differing.sort(), reset }]);
      }),
    );
  });

  test("a commit with the right expectation applies, and one bit off in any line does not", () => {
    fc.assert(
      fc.property(changes(15), changes(10), fc.boolean(), fc.nat(), (before, batch, reset, look) => {
        const after = finalRows(reset ? [batch] : [before, batch]);
        const expected = { lines: batch.length, rows: after.size, version: versionOf(after) };
        const table = tableWith(before);
        stage(table, batch, reset);
        expect(table.commit(expected)).toMatchObject({ ok: true });
        expect(table.version).toBe(expected.version);

        const puts = batch.filter(({ id, row }) => row !== null && after.get(id) === row);
        const hit = puts[look % Math.max(1, puts.length)];
        if (hit === undefined) return;
        const other = tableWith(before);
        const untouched = seen(other);
        other.begin(reset);
        for (const change of batch) {
          if (change.row === null) other.remove(change.id);
          else other.put(change.id, encodePut(change.id, change.row).replace(/.$/, change === hit ? "|" : "}"));
        }
        expect(other.commit(expected)).toStrictEqual({ ok: false, reason: "Version" });
        expect(seen(other)).toStrictEqual(untouched);
      }),
    );
  });
});
