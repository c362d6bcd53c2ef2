// Records on their way to a collector. In: one at a time. Out: batches to an exporter, one after the other; what cannot wait is dropped and
// counted. Nothing here waits for a collector.
import type { FinishedRequest } from "../record.ts";

export interface QueueLimits {
  /** Records that may wait; more are dropped. */
  readonly queue: number;
  /** Records of one batch. */
  readonly batch: number;
  /** Milliseconds that a record may wait for others. */
  readonly delay: number;
}

export interface ExportQueue {
  push(record: FinishedRequest): void;
  /** Sends what waits: for the end of the process. Resolves when it was sent or lost. */
  flush(): Promise<void>;
  readonly sent: number;
  readonly dropped: number;
}

/**
 * @param deps.send resolves with whether the collector took the batch; never rejects
 * @param deps.schedule calls once, later
 */
export function createExportQueue(deps: {
  limits: QueueLimits;
  send: (records: readonly FinishedRequest[]) => Promise<boolean>;
  schedule: (run: () => void, milliseconds: number) => unknown;
}): ExportQueue {
  const { limits, send, schedule } = deps;
  let waiting: FinishedRequest[] = [];
  let sending: Promise<void> | undefined;
  let scheduled = false;
  /** Also what is less than a batch is to leave. */
  let due = false;
  let sent = 0;
  let dropped = 0;

  const mayLeave = (): boolean => waiting.length >= (due ? 1 : limits.batch);

  async function sendAll(): Promise<void> {
    while (mayLeave()) {
      const batch = waiting.slice(0, limits.batch);
      waiting = waiting.slice(limits.batch);
      if (await send(batch)) sent += batch.length;
      else dropped += batch.length;
    }
    due = false;
  }

  /** Sends full batches, and everything once it is due, unless that is under way: then what waits joins it. */
  function start(): Promise<void> {
    if (sending !== undefined) return sending;
    if (waiting.length === 0) {
      due = false;
      return Promise.resolve();
    }
    sending = sendAll().finally(() => {
      sending = undefined;
    });
    return sending;
  }

  return {
    push(record) {
      if (waiting.length >= limits.queue) {
        dropped++;
        return;
      }
      waiting.push(record);
      if (waiting.length >= limits.batch) void start();
      if (scheduled) return;
      scheduled = true;
      schedule(() => {
        scheduled = false;
        due = true;
        void start();
      }, limits.delay);
    },
    async flush() {
      await sending;
      due = true;
      await start();
    },
    get sent() {
      return sent;
    },
    get dropped() {
      return dropped;
    },
  };
}
