// Where finished requests go. In: one record a request. Out: metrics at once, log lines in batches after the event loop's turn.
import type { RequestMetrics } from "./metrics.ts";
import { createLogLines } from "./log-line.ts";
import type { FinishedRequest } from "./record.ts";

/** Records that may wait for one flush; more are written out at once, so the queue is bounded. */
const MAX_QUEUED = 256;

export interface Observer {
  /** Takes a record over; it must not change any more. */
  finished(record: FinishedRequest): void;
  /** Writes out what waits: for the end of the process. */
  flush(): void;
}

/**
 * @param deps.write takes a whole line that ends in "\n" and does not block
 * @param deps.schedule runs a function soon, once: `setImmediate` by default
 */
export function createObserver(deps: {
  write: (line: string) => void;
  metrics: Pick<RequestMetrics, "finished">;
  /** Others that take finished records, and neither block nor throw. */
  sinks?: readonly ((record: FinishedRequest, line: string) => void)[];
  log: { error(fields: object, message: string): void };
  schedule?: (run: () => void) => void;
}): Observer {
  const { write, metrics, sinks = [], log, schedule = setImmediate } = deps;
  const logLine = createLogLines();
  let queue: FinishedRequest[] = [];
  let scheduled = false;

  function flush(): void {
    scheduled = false;
    const batch = queue;
    queue = [];
    for (const record of batch) {
      try {
        metrics.finished(record);
        const line = logLine(record);
        write(line);
        for (const sink of sinks) sink(record, line);
      } catch (error) {
        log.error({ err: error }, "request not recorded");
      }
    }
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
