// Finished requests on their way into the request log. In: records with their log lines. Out: batches to a thread that writes them.
// Requests wait for neither: what the thread cannot take in time is dropped and counted.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Registry } from "prom-client";
import type { FinishedRequest } from "../record.ts";
import { registerScraped } from "../scraped.ts";
import type { Row } from "./database.ts";
import type { WriterOptions } from "./writer.ts";

export interface RequestLog {
  readonly finished: (record: FinishedRequest, line: string) => void;
  /** Resolves when everything is written. */
  readonly close: () => Promise<void>;
}

/** Rows that may wait for the thread. */
const MAX_WAITING = 20_000;
/** Milliseconds that a row may wait for others. */
const DELAY = 100;

/**
 * Starts the thread.
 *
 * @throws when the file cannot be written or is no database
 */
export async function keepRequests(deps: {
  options: WriterOptions;
  registry: Registry;
  clock: { now(): number; setTimeout(run: () => void, milliseconds: number): unknown };
  log: { error(fields: object, message: string): void };
}): Promise<RequestLog> {
  const { options, registry, clock, log } = deps;
  const worker = new Worker(new URL("writer.ts", import.meta.url), { workerData: options });
  // The first message says that the file is open; an error before it rejects.
  await once(worker, "message");
  let waiting: Row[] = [];
  /** Rows that the thread has and has not written. */
  let sent = 0;
  let scheduled = false;
  let dropped = 0;
  let alive = true;
  let ended: (() => void) | undefined;
  worker.on("message", ({ written, lost }: { written: number; lost: number }) => {
    sent -= written + lost;
    dropped += lost;
    if (sent === 0) ended?.();
  });
  worker.on("error", (error) => {
    alive = false;
    dropped += sent;
    ended?.();
    log.error({ err: error }, "the request log ended");
  });
  registerScraped(registry, {
    name: "parley_request_log_dropped_total",
    help: "Finished requests that are not in the request log: it was too slow, or could not be written.",
    type: "counter",
    samples: () => [{ labels: {}, value: dropped }],
  });

  function flush(end: boolean): void {
    scheduled = false;
    const rows = waiting;
    waiting = [];
    if (!alive) {
      dropped += rows.length;
      return;
    }
    sent += rows.length;
    worker.postMessage({ rows, now: clock.now(), end });
  }

  return {
    finished(record, line) {
      if (!alive || waiting.length + sent >= MAX_WAITING) {
        dropped++;
        return;
      }
      waiting.push(rowOf(record, line));
      if (scheduled) return;
      scheduled = true;
      clock.setTimeout(() => flush(false), DELAY);
    },
    async close() {
      if (alive) {
        const last = new Promise<void>((resolve) => (ended = resolve));
        flush(true);
        await last;
      }
      await worker.terminate();
    },
  };
}

const rowOf = (record: FinishedRequest, line: string): Row => ({
  time: record.time,
  agent: record.agent,
  key: record.key,
  team: record.team,
  operation: record.operation,
  outcome: record.outcome,
  reason: record.reason,
  latency: record.latency,
  cost: record.cost,
  trace: record.traceId,
  line: line.trimEnd(),
});
