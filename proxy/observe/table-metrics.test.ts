import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { putAgent, putKey, tableOf } from "../request/table.test-support.ts";
import type { RowChange } from "../table/contract.ts";
import { startState, type SubscribeState } from "../table/subscribe-state.ts";
import { createTable } from "../table/table.ts";
import { registerProcessMetrics, registerTableMetrics } from "./table-metrics.ts";

async function valuesOf(registry: Registry): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => line.split(" ")).map(([name, value]) => [name, Number(value)]));
}

describe("table metrics", () => {
  test("tell what the table holds and how its stream is", async () => {
    const registry = new Registry();
    const table = tableOf(putAgent(), putKey("token"), putKey("other", { requires: ["tomorrow"] }, "bob"));
    let stream: SubscribeState = {
      ...startState,
      connected: true,
      standby: 2,
      lost: 1,
      source: "stream",
      heardAt: 9000,
      resyncs: 3,
      faults: new Map([
        ["Version", 2],
        ["Malformed", 1],
      ]),
      reconnects: 3,
      switches: 5,
    };
    let dropped = 0;
    let time = 1000;
    registerTableMetrics({
      registry,
      table,
      stream: () => stream,
      withheldRows: () => 6,
      droppedLogLines: () => dropped,
      now: () => time,
    });
    time = 10_500;
    dropped = 4;
    expect(await valuesOf(registry)).toEqual({
      parley_table_version: Number.parseInt(table.version.slice(0, 12), 16),
      parley_table_rows: 4,
      parley_table_refused_rows: 1,
      parley_table_complete: 1,
      parley_table_connected: 1,
      parley_table_last_good: 0,
      parley_table_age_seconds: 1.5,
      'parley_table_streams{state="applied"}': 1,
      'parley_table_streams{state="standby"}': 2,
      'parley_table_streams{state="lost"}': 1,
      'parley_table_source{source="stream"}': 1,
      'parley_table_source{source="last-good"}': 0,
      'parley_table_source{source="none"}': 0,
      'parley_table_resyncs_total{reason="Version"}': 2,
      'parley_table_resyncs_total{reason="Malformed"}': 1,
      parley_table_reconnects_total: 3,
      parley_table_switches_total: 5,
      parley_table_withheld_rows: 6,
      parley_log_dropped_total: 4,
    });
    stream = { ...startState, source: "last-good" };
    expect(await valuesOf(registry)).toMatchObject({
      parley_table_last_good: 1,
      'parley_table_source{source="last-good"}': 1,
      parley_table_connected: 0,
      parley_table_age_seconds: 9.5,
    });
  });

  test("of a table that is filled in the same process show it connected and of no age", async () => {
    const registry = new Registry();
    registerTableMetrics({ registry, table: createTable(), droppedLogLines: () => 0, now: () => 5 });
    expect(await valuesOf(registry)).toMatchObject({
      parley_table_complete: 0,
      parley_table_connected: 1,
      parley_table_age_seconds: 0,
    });
  });

  test("equal tables have equal versions, different ones do not", async () => {
    const versionOf = async (...rows: RowChange[]) => {
      const registry = new Registry();
      registerTableMetrics({ registry, table: tableOf(...rows), droppedLogLines: () => 0, now: () => 0 });
      return (await valuesOf(registry))["parley_table_version"];
    };
    expect(await versionOf(putAgent())).toBe(await versionOf(putAgent()));
    expect(await versionOf(putAgent())).not.toBe(await versionOf(putAgent({ generation: 2 })));
  });
});

test("process metrics are prom-client's own, in the given registry", async () => {
  const registry = new Registry();
  registerProcessMetrics(registry);
  const values = await valuesOf(registry);
  expect(values["process_resident_memory_bytes"]).toBeGreaterThan(1_000_000);
  expect(values["process_cpu_seconds_total"]).toBeGreaterThan(0);
});
