// Records on their way to a collector. In: one at a time. Out: batches to an exporter, one after the other; what cannot wait is dropped and
// counted. Nothing here waits for a collector.
import type { FinishedRequest } from "../record.ts";
import type { Batch } from "./records.ts";

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

/** Bytes at which a batch is full however few its records are: a collector takes 4 MiB at once. */
const MAX_BATCH_BYTES = 1024 * 1024;

/**
 * @param deps.batch what records are added to as they come
 * @param deps.send resolves with whether the collector took the batch, when its bytes are needed no more; never rejects
 * @param deps.schedule calls once, later
 */
export function createExportQueue(deps: {
  limits: QueueLimits;
  batch: Batch;
  send: (bytes: Buffer) => Promise<boolean>;
  schedule: (run: () => void, milliseconds: number) => unknown;
}): ExportQueue {
  const { limits, batch, send, schedule } = deps;
  /** Full batches, the oldest first. */
  const full: { readonly bytes: Buffer; readonly records: number }[] = [];
  /** Records in the batch that is not full. */
  let added = 0;
  let waiting = 0;
  let sending: Promise<void> | undefined;
  let scheduled = false;
  /** Also what is less than a batch is to leave. */
  let due = false;
  let sent = 0;
  let dropped = 0;

  function closeBatch(): void {
    full.push({ bytes: batch.take(), records: added });
    added = 0;
  }

  async function sendAll(): Promise<void> {
    for (;;) {
      if (full.length === 0 && due && added > 0) closeBatch();
      const next = full.shift();
      if (next === undefined) break;
      waiting -= next.records;
      if (await send(next.bytes)) sent += next.records;
      else dropped += next.records;
      batch.giveBack(next.bytes);
    }
    due = false;
  }

  /** Sends full batches, and everything once it is due, unless that is under way: then what waits joins it. */
  function start(): Promise<void> {
    if (sending !== undefined) return sending;
    if (waiting === 0) {
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
      if (waiting >= limits.queue) {
        dropped++;
        return;
      }
      try {
        batch.add(record);
      } catch (error) {
        dropped++;
        throw error;
      }
      added++;
      waiting++;
      if (added >= limits.batch || batch.length >= MAX_BATCH_BYTES) {
        closeBatch();
        void start();
      }
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
