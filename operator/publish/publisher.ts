// The table as it is sent. In: changes to rows. Out: batches on every proxy's stream, each encoded once, and what proxies serve.
// The first change goes out at once; while changes keep coming they go out together, a few tens of milliseconds apart at most.
import type { Writable } from "node:stream";
import type { Clock, Timer } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import { HEARTBEAT_MS } from "../../proxy/table/contract.ts";
import type { Ack, RowChange, RowId } from "../../proxy/table/contract.ts";
import { createDigest } from "../../proxy/table/digest.ts";
import { encodeLine, encodePut, rowHash } from "../../proxy/table/encode.ts";
import { createAcks } from "./acks.ts";
import type { ProxyState } from "./acks.ts";
import { encodeBatch, encodeRemove } from "./batch.ts";
import type { TableState } from "./batch.ts";
import { createSubscriber } from "./subscriber.ts";
import type { Subscriber } from "./subscriber.ts";

/** Milliseconds between two batches while changes keep coming. */
const COALESCE_MS = 30;
/** Milliseconds after which a consumer that takes nothing is cut. */
const STALL_MS = 10_000;

export interface PublisherDeps {
  readonly gateway: string;
  readonly replica: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: {
    batch(lines: number): void;
    /** Seconds from the newest batch to its acknowledgement by a proxy that had its stream already. */
    acked(seconds: number): void;
    cut(): void;
  };
}

export interface Publisher {
  /** Takes changes in. Returns the sequence of the batch that carries them, which may not have gone out yet. */
  apply(changes: readonly RowChange[]): number;
  /** From now on streams are served: everything is synced and the table is whole. */
  open(): void;
  readonly isOpen: boolean;
  /** State after the last batch that went out. */
  readonly state: TableState;
  /** Names the Lease holder in greetings and heartbeats. */
  setHolder(holder: string | undefined): void;
  /** Serves one proxy until `out` closes: the whole table, or nothing but an empty batch if it holds our version. */
  subscribe(out: Writable, who: { readonly proxy: string; readonly address: string; readonly version: string }): void;
  /** False: that proxy has no stream here, or no such batch was ever sent. */
  ack(ack: Ack): boolean;
  proxies(): readonly ProxyState[];
  /** Called whenever a proxy comes, goes or acknowledges. Returns how to stop. */
  onProxies(listener: () => void): () => void;
  /** Every row's line, in no order. Holds secrets: for redacted dumps only. */
  lines(): Iterable<readonly [RowId, string]>;
  /** Ends all streams. */
  close(): void;
}

export function createPublisher({ gateway, replica, clock, log, metrics }: PublisherDeps): Publisher {
  const lines = new Map<RowId, string>();
  const digest = createDigest();
  const acks = createAcks({ replica, clock });
  /** By proxy, which has one. `greeted`: sequence of the batch that its greeting brought. */
  const streams = new Map<
    string,
    { readonly subscriber: Subscriber; readonly greeted: number; readonly lose: () => void }
  >();
  /** Rows changed since the last batch. */
  const dirty = new Set<RowId>();
  let state: TableState = { replica, sequence: 0, version: digest.version(), rows: 0 };
  let snapshot: readonly Buffer[] | undefined;
  let holder: string | undefined;
  let isOpen = false;
  /** Of `clock.elapsed()`. */
  let flushedAt = Number.NEGATIVE_INFINITY;
  let flushTimer: Timer | undefined;
  let heartbeatTimer: Timer | undefined;

  const linesOf = (ids: Iterable<RowId>): string[] => {
    const found: string[] = [];
    for (const id of ids) found.push(lines.get(id) ?? encodeRemove(id));
    return found;
  };

  const flush = (): void => {
    flushTimer?.cancel();
    flushTimer = undefined;
    if (dirty.size === 0) return;
    const ids = [...dirty];
    dirty.clear();
    flushedAt = clock.elapsed();
    state = { replica, sequence: state.sequence + 1, version: digest.version(), rows: digest.size };
    snapshot = undefined;
    metrics.batch(ids.length);
    if (streams.size === 0) return;
    const chunks = encodeBatch(state, false, linesOf(ids));
    for (const { subscriber } of streams.values()) subscriber.offer(ids, chunks);
  };

  /** What has not gone out yet goes out first, so that rows, version and sequence belong together. */
  const newest = (ids: Iterable<RowId>): readonly Buffer[] => {
    flush();
    return encodeBatch(state, false, linesOf(ids));
  };

  const heartbeat = (): void => {
    const { sequence, version } = state;
    const line = Buffer.from(
      `${encodeLine({ type: "HEARTBEAT", replica, sequence, version, ...(holder === undefined ? {} : { holder }) })}\n`,
    );
    for (const [proxy, { subscriber, lose }] of streams) {
      subscriber.heartbeat(line);
      if (subscriber.stalledFor() < STALL_MS) continue;
      log.warn({ proxy, stalled_ms: subscriber.stalledFor() }, "proxy takes nothing from its stream: cut");
      metrics.cut();
      streams.delete(proxy);
      lose();
      subscriber.cut();
    }
    heartbeatTimer = clock.setTimeout(heartbeat, HEARTBEAT_MS);
  };

  return {
    apply: (changes) => {
      for (const { id, row } of changes) {
        if (row === null) {
          if (!lines.delete(id)) continue;
          digest.delete(id);
        } else {
          const line = encodePut(id, row);
          if (lines.get(id) === line) continue;
          lines.set(id, line);
          digest.set(id, rowHash(id, line));
        }
        dirty.add(id);
      }
      // Held and confirmed by an administrator first, once there are guards: a relist that drops most of the rows.
      if (dirty.size === 0) return state.sequence;
      const carrying = state.sequence + 1;
      if (isOpen && flushTimer === undefined) {
        const wait = flushedAt + COALESCE_MS - clock.elapsed();
        if (wait <= 0) flush();
        else flushTimer = clock.setTimeout(flush, wait);
      }
      return carrying;
    },
    open: () => {
      if (isOpen) return;
      isOpen = true;
      flush();
      heartbeatTimer = clock.setTimeout(heartbeat, HEARTBEAT_MS);
    },
    get isOpen() {
      return isOpen;
    },
    get state() {
      return state;
    },
    setHolder: (now) => {
      holder = now;
    },
    subscribe: (out, { proxy, address, version }) => {
      // It left before it was served: no `close` would follow to take it off the list.
      if (out.destroyed) return;
      flush();
      // A proxy has one stream: an older one is dead, or soon will be.
      streams.get(proxy)?.subscriber.cut();
      const subscriber = createSubscriber({ out, now: () => clock.elapsed(), newest });
      const connection = acks.connected(proxy, address);
      streams.set(proxy, { subscriber, greeted: state.sequence, lose: () => acks.lost(connection) });
      out.on("close", () => {
        if (streams.get(proxy)?.subscriber === subscriber) streams.delete(proxy);
        acks.disconnected(connection);
        log.info({ proxy, address }, "proxy left");
      });
      // A proxy that comes with another version could be sent only the buckets that differ; now it is sent everything.
      // A standby stream would get its greeting and heartbeats alone, and what takes access away.
      const whole = version !== state.version;
      if (whole) snapshot ??= encodeBatch(state, true, [...lines.values()]);
      const batch = whole && snapshot !== undefined ? snapshot : encodeBatch(state, false, []);
      const hello = encodeLine({ type: "HELLO", gateway, replica, ...(holder === undefined ? {} : { holder }) });
      log.info({ proxy, address, sequence: state.sequence, rows: whole ? state.rows : 0 }, "proxy came");
      subscriber.start([Buffer.from(`${hello}\n`), ...batch]);
    },
    ack: (ack) => {
      if (ack.sequence > state.sequence || !acks.ack(ack)) return false;
      // Of the batch that a greeting brings it is not known when it went out.
      const greeted = streams.get(ack.proxy)?.greeted ?? state.sequence;
      if (ack.sequence === state.sequence && greeted < ack.sequence) {
        metrics.acked((clock.elapsed() - flushedAt) / 1000);
      }
      return true;
    },
    proxies: () => acks.proxies(),
    onProxies: (listener) => acks.onChange(listener),
    lines: () => lines,
    close: () => {
      isOpen = false;
      flushTimer?.cancel();
      heartbeatTimer?.cancel();
      acks.close();
      for (const { subscriber } of streams.values()) subscriber.end();
    },
  };
}
