// One proxy's stream. In: batches as they are made, a writable that may be slow. Out: bytes; while it is slow, a set of row ids
// grows to at most the size of the table, and the newest state of those rows is sent once there is room.
import type { Writable } from "node:stream";
import type { RowId } from "../../proxy/table/contract.ts";

export interface SubscriberDeps {
  readonly out: Writable;
  /** Milliseconds. */
  readonly now: () => number;
  /** A batch that brings these rows to their newest state. */
  readonly newest: (ids: Iterable<RowId>) => readonly Buffer[];
}

export interface Subscriber {
  /** Sends chunks that must follow what was sent before: greeting and first batch. Once, at the start. */
  start(chunks: readonly Buffer[]): void;
  /** A new batch: sent as it is if nothing waits, else remembered by its ids. */
  offer(ids: Iterable<RowId>, chunks: readonly Buffer[]): void;
  /** Left out while something waits: what waits shows life too. */
  heartbeat(chunk: Buffer): void;
  /** Milliseconds for which the consumer has taken nothing although something waits. */
  stalledFor(): number;
  end(): void;
  /** Cuts the connection at once. */
  cut(): void;
}

export function createSubscriber({ out, now, newest }: SubscriberDeps): Subscriber {
  /** Chunks of the batch that is being sent, next one last. */
  let waiting: Buffer[] = [];
  const pending = new Set<RowId>();
  let stalledSince: number | undefined;

  const isOpen = (): boolean => !out.destroyed && !out.writableEnded;
  const write = (chunk: Buffer): void => {
    if (!out.write(chunk)) stalledSince ??= now();
  };
  /** What to send next; nothing while the socket is full. */
  const take = (): Buffer | undefined => {
    if (stalledSince !== undefined || !isOpen()) return undefined;
    if (waiting.length === 0 && pending.size > 0) {
      // Taking the newest state may add to `pending` (a batch that was held back goes out first): clear after that.
      const chunks = newest(pending);
      pending.clear();
      waiting = chunks.toReversed();
    }
    return waiting.pop();
  };
  const pump = (): void => {
    for (let chunk = take(); chunk !== undefined; chunk = take()) write(chunk);
  };
  // Its `close` follows, which is where the stream is taken down.
  out.on("error", () => undefined);
  out.on("drain", () => {
    stalledSince = undefined;
    pump();
  });

  return {
    start: (chunks) => {
      waiting = chunks.toReversed();
      pump();
    },
    offer: (ids, chunks) => {
      if (waiting.length > 0 || pending.size > 0 || stalledSince !== undefined) {
        for (const id of ids) pending.add(id);
        return;
      }
      waiting = chunks.toReversed();
      pump();
    },
    heartbeat: (chunk) => {
      if (stalledSince === undefined && waiting.length === 0 && pending.size === 0 && isOpen()) write(chunk);
    },
    stalledFor: () => (stalledSince === undefined ? 0 : now() - stalledSince),
    end: () => out.end(),
    cut: () => out.destroy(),
  };
}
