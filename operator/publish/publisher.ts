// The table as it is sent. In: changes to rows. Out: batches on every proxy's stream, each encoded once, and what proxies serve.
// The first change goes out at once; while changes keep coming they go out together, a few tens of milliseconds apart at most. What changes
// access waits only behind what does too.
import type { Writable } from "node:stream";
import type { Clock, Timer } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import { BUCKETS, decidesAccess, HEARTBEAT_MS } from "../../proxy/table/contract.ts";
import type { Ack, Reach, RowChange, RowId, Subscription } from "../../proxy/table/contract.ts";
import { createDigest } from "../../proxy/table/digest.ts";
import { encodeLine, encodePut, rowHash } from "../../proxy/table/encode.ts";
import { createTextMap } from "../text-map.ts";
import { createAcks } from "./acks.ts";
import type { Connection, ProxyState } from "./acks.ts";
import { createBatch, encodeRemove } from "./batch.ts";
import type { Batch, BatchKind, Lines, TableState } from "./batch.ts";
import { changesAccess } from "./changes-access.ts";
import { createHistory } from "./history.ts";
import { createPace } from "./pace.ts";
import { lengthen, shorten } from "./short-lines.ts";
import { createSubscriber } from "./subscriber.ts";
import type { Subscriber } from "./subscriber.ts";

/** Milliseconds between two batches while changes keep coming: between two that change access, and from any to one that does not. */
const COALESCE_MS = 30;
/** Milliseconds after which a consumer that takes nothing is cut. */
const STALL_MS = 10_000;
/** If more buckets than this differ, the whole table is sent: its bytes are shared with others. */
const MOST_BUCKETS = BUCKETS / 2;
/** Batches that are kept for others to share; whoever lacks what nobody else does must not fill the memory with it. */
const MOST_SHARED = 16;

export interface PublisherDeps {
  readonly gateway: string;
  readonly replica: string;
  /** Whom greetings and heartbeats name as holder of the Lease; asked for each of them. */
  readonly holder: () => string | undefined;
  /** How far was read what `apply` has been given, as COMMIT says it; unknown by default. */
  readonly reach?: () => Reach | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: {
    batch(lines: number): void;
    /** Bytes given to one stream. */
    sent(kind: BatchKind, bytes: number): void;
    /** What a stream began with. `buckets`: how many differed, if only those were sent. */
    greeted(kind: BatchKind | "standby", buckets: number): void;
    /** Seconds from the newest batch to its acknowledgement by a proxy that had its stream already and applies it. */
    acked(seconds: number): void;
    ackRefused(reason: Exclude<AckOutcome, "Taken">): void;
    cut(): void;
  };
}

export type AckOutcome =
  | "Taken"
  /** That proxy has no stream here. */
  | "NoStream"
  /** It was never sent by this replica, or is too long ago. */
  | "NoSuchBatch"
  /** The batch led to another version than the proxy says. */
  | "OtherVersion";

export interface Publisher {
  /**
   * Takes changes in. Returns the sequence of the batch that carries them, which may not have gone out yet. `line`: the row's PUT line,
   * where it is known already.
   */
  apply(changes: readonly (RowChange & { readonly line?: string })[]): number;
  /** Brings the version some way towards the rows, so that the next batch need not. True: it is there. */
  settle(): boolean;
  /** From now on streams are served: everything is synced and the table is whole. */
  open(): void;
  readonly isOpen: boolean;
  /** State after the last batch that went out. */
  readonly state: TableState;
  /** Sends a heartbeat now, not only when it is due: who holds the Lease has changed. */
  beat(): void;
  /** Serves one proxy until `out` closes: what it lacks of the table, then every change; on standby only what decides access. */
  subscribe(out: Writable, who: Subscription, address: string): void;
  /** Shows a person the same. Whoever only looks acknowledges nothing: nobody waits for them, and no proxy's stream ends for theirs. */
  show(out: Writable, who: Subscription, address: string): void;
  ack(ack: Ack): AckOutcome;
  proxies(): readonly ProxyState[];
  /** Called whenever a proxy comes, goes or acknowledges. Returns how to stop. */
  onProxies(listener: () => void): () => void;
  /** Every row's line, in no order. Holds secrets: for redacted dumps only. */
  lines(): Iterable<readonly [RowId, string]>;
  /** Ends all streams. */
  close(): void;
}

interface Stream {
  readonly subscriber: Subscriber;
  readonly standby: boolean;
  /** Sequence of the batch that its greeting brought. */
  readonly greeted: number;
  readonly lose: () => void;
}

export function createPublisher(deps: PublisherDeps): Publisher {
  const { gateway, replica, clock, log, metrics } = deps;
  /** Shortened. */
  const lines = createTextMap();
  const digest = createDigest();
  const history = createHistory();
  const acks = createAcks({ clock });
  const pace = createPace({ now: () => clock.elapsed() });
  /** By proxy, which has one. */
  const streams = new Map<string, Stream>();
  /** Rows changed since the last batch. Made anew for each, as `leading` is: once old and cleared they would keep all they had for long. */
  let dirty = new Set<RowId>();
  let state: TableState = { replica, sequence: 0, version: digest.version(), rows: 0 };
  history.add(state, []);
  /** Batches that lead to `state`, by where they begin and for whom. */
  let leading = new Map<string, Batch>();
  /** Kept while somebody is being sent it. */
  let snapshot: Batch | undefined;
  let onlookers = 0;
  let isOpen = false;
  /** Of `clock.elapsed()`. */
  let flushedAt = Number.NEGATIVE_INFINITY;
  /** The same, of the last batch that changed access. */
  let accessAt = Number.NEGATIVE_INFINITY;
  /** Something in `dirty` changes access. */
  let dirtyAccess = false;
  /** A stream on standby had room for a batch while changes waited. */
  let standbyWaits = false;
  /** `state.sequence` at the last heartbeat. Streams on standby may lack what came after it, so the history keeps that. */
  let told = 0;
  let flushTimer: Timer | undefined;
  let heartbeatTimer: Timer | undefined;

  const lineOf = (id: RowId): string | undefined => {
    const short = lines.get(id);
    return short === undefined ? undefined : lengthen(short);
  };
  const allLines = (): Lines => {
    const texts = lines.texts();
    return {
      length: texts.length,
      at: (index) => {
        const short = texts.at(index);
        return short === undefined ? undefined : lengthen(short);
      },
    };
  };
  const linesOf = (ids: Iterable<RowId>, fits: (id: RowId) => boolean = () => true): string[] => {
    const found: string[] = [];
    for (const id of ids) if (fits(id)) found.push(lineOf(id) ?? encodeRemove(id));
    return found;
  };

  const flush = (): void => {
    flushTimer?.cancel();
    flushTimer = undefined;
    if (dirty.size === 0) return;
    const ids = [...dirty];
    dirty = new Set();
    flushedAt = clock.elapsed();
    if (dirtyAccess) accessAt = flushedAt;
    state = {
      replica,
      sequence: state.sequence + 1,
      version: digest.version(),
      rows: digest.size(),
      reach: deps.reach?.(),
    };
    history.add(state, ids, told);
    leading = new Map();
    metrics.batch(ids.length);
    const toAll = dirtyAccess || standbyWaits;
    dirtyAccess = standbyWaits = false;
    for (const { subscriber, standby } of streams.values()) if (toAll || !standby) subscriber.wake();
  };
  /** Sends what waits when it is time. */
  const flushSoon = (): void => {
    const wait = (dirtyAccess ? accessAt : flushedAt) + COALESCE_MS - clock.elapsed();
    if (wait <= 0) return flush();
    // What waits already may wait for longer.
    flushTimer?.cancel();
    flushTimer = clock.setTimeout(flush, wait);
    return undefined;
  };

  /** The whole table, or one of not long ago that others are being sent: what changed since follows it. */
  const wholeTable = (): Batch => {
    const isStale = snapshot === undefined || history.changesSince(snapshot.sequence) > state.rows / 10;
    if (snapshot === undefined || isStale) snapshot = createBatch("snapshot", state, allLines());
    return snapshot;
  };
  const dropSnapshot = (): void => {
    for (const { subscriber } of streams.values()) if (subscriber.sending === snapshot) return;
    snapshot = undefined;
  };

  /** Rows, version and sequence belong together: while changes wait for their batch, so does everybody. */
  const next = (sent: number, standby: boolean): Batch | "Lost" | undefined => {
    if (sent === state.sequence) return undefined;
    if (dirty.size > 0) {
      standbyWaits ||= standby;
      return undefined;
    }
    const key = `${sent} ${standby}`;
    const known = leading.get(key);
    if (known !== undefined) return known;
    const ids = history.since(sent);
    if (ids === undefined) return standby ? "Lost" : wholeTable();
    const batch = createBatch("changes", state, linesOf(ids, standby ? decidesAccess : undefined));
    leading.set(key, batch);
    return batch;
  };

  /** What a proxy lacks that begins to apply this stream. */
  const firstBatch = ({ version, buckets }: Subscription): { batch: Batch; differing: number } => {
    if (version === state.version) return { batch: createBatch("changes", state, []), differing: 0 };
    const differing = version === undefined || buckets === undefined ? [] : (digest.differing(buckets) ?? []);
    if (differing.length === 0 || differing.length > MOST_BUCKETS) return { batch: wholeTable(), differing: 0 };
    // After a restart of this process all proxies come with the same table.
    const key = `buckets ${buckets}`;
    const ids = (): RowId[] => differing.flatMap((bucket) => digest.idsIn(bucket));
    const batch = leading.get(key) ?? createBatch("buckets", state, linesOf(ids()), differing);
    if (leading.size < MOST_SHARED) leading.set(key, batch);
    return { batch, differing: differing.length };
  };

  const heartbeatLine = (): string => {
    const further = deps.reach?.();
    if (further !== undefined) state = { ...state, reach: further };
    const { sequence, version, reach } = state;
    const [holder, said] = [deps.holder(), reach === undefined ? {} : { reach }];
    const held = holder === undefined ? {} : { holder };
    return encodeLine({ type: "HEARTBEAT", replica, sequence, version, ...held, ...said });
  };
  const beat = (): void => {
    if (!isOpen) return;
    flush();
    told = state.sequence;
    const line = Buffer.from(`${heartbeatLine()}\n`);
    for (const { subscriber } of streams.values()) {
      subscriber.wake();
      subscriber.heartbeat(line, state.sequence);
    }
  };
  const heartbeat = (): void => {
    beat();
    for (const [proxy, { subscriber, lose }] of streams) {
      if (subscriber.stalledFor() < STALL_MS) continue;
      log.warn({ proxy, stalled_ms: subscriber.stalledFor() }, "proxy takes nothing from its stream: cut");
      metrics.cut();
      streams.delete(proxy);
      lose();
      subscriber.cut();
    }
    heartbeatTimer = clock.setTimeout(heartbeat, HEARTBEAT_MS);
  };

  const judgeAck = (ack: Ack): AckOutcome => {
    if (!streams.has(ack.proxy)) return "NoStream";
    const version = ack.replica === replica ? history.versionOf(ack.sequence) : undefined;
    if (version === undefined) return "NoSuchBatch";
    return version === ack.version ? "Taken" : "OtherVersion";
  };

  /** Begins a stream. `connection`: as which it is waited for. */
  const begin = (out: Writable, who: Subscription, as: string, address: string, connection?: Connection): void => {
    const { proxy, standby = false } = who;
    const subscriber = createSubscriber({
      out,
      now: () => clock.elapsed(),
      pace,
      next: (sent) => next(sent, standby),
      onSent: ({ kind }, bytes) => metrics.sent(kind, bytes),
      onDone: dropSnapshot,
    });
    const { sequence } = state;
    const lose = (): void => {
      if (connection !== undefined) acks.lost(connection);
    };
    streams.set(as, { subscriber, standby, greeted: sequence, lose });
    out.on("close", () => {
      if (streams.get(as)?.subscriber === subscriber) streams.delete(as);
      if (connection !== undefined) acks.disconnected(connection);
      log.info({ proxy, address }, "proxy left");
    });
    const holder = deps.holder();
    const hello = encodeLine({ type: "HELLO", gateway, replica, ...(holder === undefined ? {} : { holder }) });
    if (standby) {
      metrics.greeted("standby", 0);
      log.info({ proxy, address, sequence }, "proxy came, on standby");
      subscriber.start(Buffer.from(`${hello}\n${heartbeatLine()}\n`), { sequence });
      return;
    }
    const { batch, differing } = firstBatch(who);
    metrics.greeted(batch.kind, differing);
    log.info({ proxy, address, sequence, sent: batch.kind, buckets: differing }, "proxy came");
    subscriber.start(Buffer.from(`${hello}\n`), { batch });
  };

  return {
    apply: (changes) => {
      for (const { id, row, line: encoded } of changes) {
        const before = lines.get(id);
        const line = row === null ? undefined : (encoded ?? encodePut(id, row));
        if (line === undefined) {
          if (!lines.delete(id)) continue;
          digest.delete(id);
        } else {
          const short = shorten(line);
          if (before === short) continue;
          lines.set(id, short);
          digest.set(id, rowHash(id, line));
        }
        dirty.add(id);
        dirtyAccess ||= changesAccess(id, before && lengthen(before), line);
      }
      if (dirty.size === 0) return state.sequence;
      const carrying = state.sequence + 1;
      if (isOpen) flushSoon();
      return carrying;
    },
    settle: () => digest.refreshSome(),
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
    beat,
    subscribe: (out, who, address) => {
      // It left before it was served: no `close` would follow to take it off the list.
      if (out.destroyed) return;
      const { proxy, version, standby = false } = who;
      flush();
      // A proxy has one stream: an older one is dead, or soon will be.
      streams.get(proxy)?.subscriber.cut();
      begin(out, who, proxy, address, acks.connected(proxy, { address, standby, version }));
    },
    show: (out, who, address) => {
      if (out.destroyed) return;
      flush();
      // No proxy is called so: its id has no space.
      begin(out, who, `onlooker ${(onlookers += 1)}`, address);
    },
    ack: (ack) => {
      const outcome = judgeAck(ack);
      if (outcome !== "Taken") {
        metrics.ackRefused(outcome);
        return outcome;
      }
      if (!acks.ack(ack)) return "NoStream";
      const { standby = true, greeted = state.sequence } = streams.get(ack.proxy) ?? {};
      // Of the batch that a greeting brings it is not known when it went out; whoever has this stream on standby takes its time.
      if (ack.sequence === state.sequence && greeted < ack.sequence && !standby) {
        metrics.acked((clock.elapsed() - flushedAt) / 1000);
      }
      return outcome;
    },
    proxies: () => acks.proxies(),
    onProxies: (listener) => acks.onChange(listener),
    *lines() {
      for (const id of lines.names()) yield [id, lineOf(id) ?? ""] as const;
    },
    close: () => {
      isOpen = false;
      flushTimer?.cancel();
      heartbeatTimer?.cancel();
      acks.close();
      for (const { subscriber } of streams.values()) subscriber.end();
    },
  };
}
