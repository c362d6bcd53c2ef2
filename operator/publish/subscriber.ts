// One proxy's stream. In: batches as they are wanted, a writable that may be slow. Out: bytes. While it is slow nothing is queued: what
// was sent last is remembered, and the newest state is asked for once there is room.
import type { Writable } from "node:stream";
import type { Batch } from "./batch.ts";
import type { Pace } from "./pace.ts";

export interface SubscriberDeps {
  readonly out: Writable;
  /** Milliseconds. */
  readonly now: () => number;
  readonly pace: Pace;
  /**
   * A batch that leads from this sequence to the newest state; undefined when there is none to send now, and `wake` follows once there is;
   * "Lost" when there is none that could be sent.
   */
  readonly next: (sent: number) => Batch | "Lost" | undefined;
  readonly onSent: (batch: Batch, bytes: number) => void;
  /** A batch has gone out whole, or its stream has ended. */
  readonly onDone: () => void;
}

export interface Subscriber {
  /** Sends what every stream begins with. Without a batch the consumer counts as one that holds `sequence`. Once, at the start. */
  start(greeting: Buffer, first: { readonly batch: Batch } | { readonly sequence: number }): void;
  /** There may be a newer state: it goes out at once if nothing else waits. */
  wake(): void;
  /** Left out while something waits: what waits shows life too. `sequence`: of the state that it speaks of. */
  heartbeat(chunk: Buffer, sequence: number): void;
  /** The batch that is being sent. */
  readonly sending: Batch | undefined;
  /** Milliseconds for which the consumer has taken nothing although something waits. */
  stalledFor(): number;
  end(): void;
  /** Cuts the connection at once. */
  cut(): void;
}

export function createSubscriber({ out, now, pace, next, onSent, onDone }: SubscriberDeps): Subscriber {
  let batch: Batch | undefined;
  /** The next piece of it. */
  let at = 0;
  /** Sequence of the last batch that was sent whole. */
  let sent = 0;
  let stalledSince: number | undefined;

  const isOpen = (): boolean => !out.destroyed && !out.writableEnded;
  const write = (chunk: Buffer): void => {
    if (!out.write(chunk)) stalledSince ??= now();
  };
  const begin = (): void => {
    const found = next(sent);
    if (found === "Lost") out.destroy();
    else if (found !== undefined) [batch, at] = [found, 0];
  };
  /** Sends one piece. True: more could be sent now. */
  const step = (): boolean => {
    if (stalledSince !== undefined || !isOpen()) return false;
    if (batch === undefined) begin();
    const piece = batch?.piece(at);
    if (batch === undefined || piece === undefined) return false;
    write(piece);
    onSent(batch, piece.length);
    if (batch.isLast(at)) {
      sent = batch.sequence;
      batch = undefined;
      onDone();
    } else at++;
    return stalledSince === undefined;
  };
  const pump = (): void => {
    if (step()) pace.add(step);
  };
  // Its `close` follows, which is where the stream is taken down.
  out.on("error", () => undefined);
  out.on("drain", () => {
    stalledSince = undefined;
    pace.add(step);
  });
  out.on("close", () => {
    batch = undefined;
    onDone();
  });

  return {
    start: (greeting, first) => {
      if ("batch" in first) ({ batch } = first);
      else sent = first.sequence;
      out.write(greeting);
      // Many may come at once.
      pace.add(step);
    },
    wake: pump,
    heartbeat: (chunk, sequence) => {
      if (stalledSince === undefined && batch === undefined && sent === sequence && isOpen()) write(chunk);
    },
    get sending() {
      return batch;
    },
    stalledFor: () => (stalledSince === undefined ? 0 : now() - stalledSince),
    end: () => out.end(),
    cut: () => out.destroy(),
  };
}
