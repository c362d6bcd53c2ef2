// Where finished requests go. In: one record a request. Out: metrics at once, log lines in batches after the event loop's turn.
import type { RequestMetrics } from "./metrics.ts";
import { createLogLines } from "./log-line.ts";
import type { FinishedRequest } from "./record.ts";

/** Records that may wait for one flush; more are written out at once, so the queue is bounded. */
const MAX_QUEUED = 256;
/** Characters of lines that are written at once, a line more at most. */
const MAX_WRITTEN = 64 * 1024;

export interface Observer {
  /** Takes a record over; it must not change any more. */
  finished(record: FinishedRequest): void;
  /** Writes out what waits: for the end of the process. */
  flush(): void;
}

/**
 * @param deps.write takes whole lines, each with its "\n", and does not block; absent: lines are not written
 * @param deps.schedule runs a function soon, once: `setImmediate` by default
 */
export function createObserver(deps: {
  write?: ((lines: string) => void) | undefined;
  metrics: Pick<RequestMetrics, "finished">;
  /** Others that take finished records, and neither block nor throw. */
  sinks?: readonly ((record: FinishedRequest) => void)[];
  /** As `sinks`, with the record's line. */
  lineSinks?: readonly ((record: FinishedRequest, line: string) => void)[];
  log: { error(fields: object, message: string): void };
  schedule?: (run: () => void) => void;
}): Observer {
  const { write, metrics, sinks = [], lineSinks = [], log, schedule = setImmediate } = deps;
  const logLine = createLogLines();
  const asLines = write !== undefined || lineSinks.length > 0;
  let queue: FinishedRequest[] = [];
  let scheduled = false;

  function flush(): void {
    scheduled = false;
    const batch = queue;
    queue = [];
    let lines = "";
    for (const record of batch) {
      try {
        metrics.finished(record);
        for (const sink of sinks) sink(record);
        if (!asLines) continue;
        const line = logLine(record);
        for (const sink of lineSinks) sink(record, line);
        // One write for many lines: encoding and handing over cost by the call.
        lines += line;
        if (lines.length < MAX_WRITTEN) continue;
        write?.(lines);
        lines = "";
      } catch (error) {
        log.error({ err: error }, "request not recorded");
      }
    }
    if (lines !== "") write?.(lines);
  }

  return {
    finished(record) {
      queue.push(record);
      if (queue.length >= MAX_QUEUED) flush();
      else if (!scheduled) {
        scheduled = true;
        schedule(flush);
      }
    },
    flush,
  };
}
