// Metrics of the table and of the process. In: the table, and what is known of its stream. Out: series made when they are scraped.
import { type Registry, collectDefaultMetrics } from "prom-client";
import type { Table } from "../table/compiled.ts";
import { type ScrapedMetric, registerScraped } from "./scraped.ts";

/** What the subscription says of itself. */
export interface StreamState {
  readonly connected: boolean;
  /** Where the table came from. */
  readonly source: "stream" | "last-good" | "none";
  /** Milliseconds since the epoch of the last line heard. */
  readonly heardAt: number | undefined;
  readonly resyncs: number;
  readonly reconnects: number;
}

/**
 * @param deps.stream absent where the table is filled in the same process: then it is connected, and of age 0
 * @param deps.droppedLogLines since the start
 */
export function registerTableMetrics(deps: {
  registry: Registry;
  table: Pick<Table, "version" | "rows" | "refusedRows" | "complete">;
  stream?: () => StreamState;
  droppedLogLines: () => number;
  now: () => number;
}): void {
  const { registry, table, stream, droppedLogLines, now } = deps;
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
  one("parley_table_connected", "gauge", "1 while the stream from an operator is open.", () =>
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
  one(
    "parley_table_resyncs_total",
    "counter",
    "Times that the table was found to differ and was sent again.",
    () => stream?.().resyncs ?? 0,
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
