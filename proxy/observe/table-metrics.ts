// Metrics of the table and of the process. In: the table, and what is known of its stream. Out: series made when they are scraped.
import { type Registry, collectDefaultMetrics } from "prom-client";
import type { Table } from "../table/compiled.ts";
import type { SubscribeState } from "../table/subscribe-state.ts";
import { type ScrapedMetric, registerScraped } from "./scraped.ts";

const SOURCES: readonly SubscribeState["source"][] = ["stream", "last-good", "none"];

/**
 * @param deps.stream absent where the table is filled in the same process: then it is connected, and of age 0
 * @param deps.droppedLogLines since the start
 */
export function registerTableMetrics(deps: {
  registry: Registry;
  table: Pick<Table, "version" | "rows" | "refusedRows" | "complete">;
  stream?: () => SubscribeState;
  withheldRows?: () => number;
  droppedLogLines: () => number;
  now: () => number;
}): void {
  const { registry, table, stream, withheldRows, droppedLogLines, now } = deps;
  const started = now();
  const one = (name: string, type: ScrapedMetric["type"], help: string, read: () => number): void =>
    registerScraped(registry, { name, help, type, samples: () => [{ labels: {}, value: read() }] });

  one(
    "parley_table_version",
    "gauge",
    "First 48 bits of the table's version: equal on proxies with equal tables.",
    () => Number.parseInt(table.version.slice(0, 12) || "0", 16),
  );
  one("parley_table_rows", "gauge", "Rows of the table.", () => table.rows);
  one(
    "parley_table_refused_rows",
    "gauge",
    "Rows that are kept but not served as they were sent.",
    () => table.refusedRows,
  );
  one("parley_table_complete", "gauge", "1 once a whole table was applied.", () => (table.complete ? 1 : 0));
  one("parley_table_connected", "gauge", "1 while the stream that is applied is open.", () =>
    stream === undefined || stream().connected ? 1 : 0,
  );
  one(
    "parley_table_last_good",
    "gauge",
    "1 while the table is the last good one from the file, and no operator's.",
    () => (stream?.().source === "last-good" ? 1 : 0),
  );
  one("parley_table_age_seconds", "gauge", "Time since the last line from an operator, or since the start.", () =>
    stream === undefined ? 0 : Math.max(0, now() - (stream().heardAt ?? started)) / 1000,
  );
  registerScraped(registry, {
    name: "parley_table_streams",
    help: "Streams from operators: the one that is applied, those that stand by, those that are lost.",
    type: "gauge",
    samples() {
      const { connected, standby, lost } = stream?.() ?? { connected: true, standby: 0, lost: 0 };
      const states = { applied: connected ? 1 : 0, standby, lost };
      return Object.entries(states).map(([state, value]) => ({ labels: { state }, value }));
    },
  });
  registerScraped(registry, {
    name: "parley_table_source",
    help: "1 for where the table came from: an operator's stream, the last good log, or none yet.",
    type: "gauge",
    samples() {
      const now = stream?.().source ?? "stream";
      return SOURCES.map((source) => ({ labels: { source }, value: source === now ? 1 : 0 }));
    },
  });
  registerScraped(registry, {
    name: "parley_table_resyncs_total",
    help: "Times that a stream could not be trusted and what differed was asked for again, by what was wrong.",
    type: "counter",
    samples: () => [...(stream?.().faults ?? [])].map(([reason, value]) => ({ labels: { reason }, value })),
  });
  one(
    "parley_table_switches_total",
    "counter",
    "Times that another operator's stream was taken to be applied.",
    () => stream?.().switches ?? 0,
  );
  one(
    "parley_table_withheld_rows",
    "gauge",
    "Rows that a stream took away or restricted and the table does not have yet.",
    () => withheldRows?.() ?? 0,
  );
  one(
    "parley_table_reconnects_total",
    "counter",
    "Times that the stream had to be opened again.",
    () => stream?.().reconnects ?? 0,
  );
  one("parley_log_dropped_total", "counter", "Log lines dropped because their reader was too slow.", droppedLogLines);
}

/** CPU, memory, event loop lag, garbage collection: prom-client's own. */
export function registerProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}
