// The last good table on disk. In: batches as they are applied. Out: a log that a restarted proxy can serve from when no operator answers.
// It is never older than what was acknowledged: if it cannot be written, it is removed.
import { mkdir, open, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Table } from "./compiled.ts";
import { compactLog } from "./compact-log.ts";
import { loadLog, type Loaded } from "./load-log.ts";
import type { Log } from "./log.ts";
import { encodeBuckets, encodeCommit, encodeHeader, encodeRecord, type LogState } from "./records.ts";
import type { TableWriter } from "./table.ts";

export interface LastGood {
  /** Brings the last committed state of the log into the table. An abort leaves the table to whoever begins a batch next. */
  load(table: Table & TableWriter, signal: AbortSignal): Promise<Loaded>;
  /** Begins a batch. `base`: version of the table that it is applied to; it must be what the log holds, unless the batch is a reset. */
  begin(reset: boolean, base: string): void;
  /** A PUT or REMOVE line as it came. */
  line(text: string): void;
  /** From here on the batch brings these buckets whole. */
  clear(buckets: readonly number[]): void;
  /** Drops the batch that was begun. */
  discard(): void;
  /** True once the batch is in the log, or there is no log that could bring back what it took away. Never rejects. */
  commit(state: LogState): Promise<boolean>;
  /** Waits for what is being written and closes the file. */
  close(): Promise<void>;
}

export interface LastGoodDeps {
  /** Path of the log; `{file}.new` is used beside it. */
  readonly file: string;
  /** The log of another gateway is refused. */
  readonly gateway: string;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly log: Log;
}

/** A file that is written. */
interface OpenLog {
  readonly handle: FileHandle;
  /** What is written is encoded in it, one piece after another. */
  readonly buffer: Uint8Array;
  bytes: number;
  /** Bytes; when it has more it is compacted. How much of one that was found still counts is not known: with its first batch, then. */
  limit: number;
  /** Of the table that it holds. */
  version: string | undefined;
}

interface Batch {
  /** A reset writes a new log beside the old one as its lines come; any other batch is appended when it commits. */
  readonly reset: boolean;
  readonly base: string;
  text: string[];
  size: number;
  failed: boolean;
}

/** Characters written in one go: few enough for the text to die young. */
const WRITE_LENGTH = 64 * 1024;
const encoder = new TextEncoder();
/** Below this, a log is not worth compacting. */
const SMALL_BYTES = 256 * 1024;

/** Rejects when the folder cannot be made. The log is not read before `load`. */
export async function openLastGood({ file, gateway, random, log }: LastGoodDeps): Promise<LastGood> {
  const fresh = `${file}.new`;
  /** For a log that was so long when compacted: all proxies write the same, and need not compact it at one time. */
  const limitOf = (bytes: number): number => Math.max(SMALL_BYTES, (2 + random() / 2) * bytes);
  await mkdir(dirname(file), { recursive: true });
  await rm(fresh, { force: true });

  const buffer = new Uint8Array(WRITE_LENGTH);
  /** Whether a file may be there. */
  let present = true;
  let current: OpenLog | undefined;
  let rewriting: OpenLog | undefined;
  let batch: Batch | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  /** Disk work goes one after another. */
  const enqueue = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  };

  const closeAll = async (): Promise<void> => {
    const open = [current, rewriting];
    current = undefined;
    rewriting = undefined;
    for (const one of open) await one?.handle.close().catch(() => undefined);
  };

  /** A log that misses a batch would bring back access that was taken away. */
  const giveUp = async (cause: unknown): Promise<boolean> => {
    await closeAll();
    await rm(fresh, { force: true }).catch(() => undefined);
    if (!present) return true;
    try {
      await rm(file, { force: true });
      log.error({ err: cause, file }, "last-good log failed and was removed until the next whole table");
      present = false;
      return true;
    } catch (removal) {
      log.error({ err: removal, file }, "last-good log failed and cannot be removed: nothing is acknowledged");
      return false;
    }
  };

  const fresher = async (): Promise<OpenLog> => {
    if (rewriting !== undefined) return rewriting;
    await rm(fresh, { force: true });
    rewriting = { handle: await open(fresh, "ax+", 0o600), buffer, bytes: 0, limit: SMALL_BYTES, version: undefined };
    await append(rewriting, encodeHeader(gateway));
    return rewriting;
  };

  /** Puts the new log in the place of the old one. */
  const install = async (created: OpenLog, version: string | undefined): Promise<void> => {
    await rename(fresh, file);
    present = true;
    created.limit = limitOf(created.bytes);
    created.version = version;
    const old = current;
    current = created;
    rewriting = undefined;
    await old?.handle.close();
  };

  const dropRewrite = async (): Promise<void> => {
    const dropped = rewriting;
    rewriting = undefined;
    await dropped?.handle.close();
    if (dropped !== undefined) await rm(fresh, { force: true });
  };

  const writeSome = (of: Batch): void => {
    const text = of.text.join("");
    of.text = [];
    of.size = 0;
    void enqueue(async () => {
      if (of.failed) return;
      await append(await fresher(), text);
    }).catch((error: unknown) => {
      of.failed = true;
      log.warn({ err: error, file }, "last-good log cannot be written");
    });
  };

  const add = (record: string): void => {
    if (batch === undefined) return;
    batch.text.push(record);
    batch.size += record.length;
    if (batch.reset && batch.size >= WRITE_LENGTH) writeSome(batch);
  };

  const finish = async (ended: Batch, after: LogState): Promise<void> => {
    if (ended.failed) throw new Error("a part of the batch was not written");
    if (ended.reset) {
      const created = await fresher();
      await append(created, ended.text.join("") + encodeCommit(after));
      return install(created, after.version);
    }
    if (current === undefined || current.version !== ended.base) throw new Error("the log holds another table");
    // A large batch goes in pieces: until its commit is there, none of it counts.
    let piece = "";
    for (const record of ended.text) {
      piece += record;
      if (piece.length < WRITE_LENGTH) continue;
      await append(current, piece);
      piece = "";
    }
    await append(current, piece + encodeCommit(after));
    current.version = after.version;
    return undefined;
  };

  const compactIfGrown = async (): Promise<void> => {
    if (current === undefined || rewriting !== undefined) return;
    if (current.bytes <= current.limit) return;
    try {
      const created = await fresher();
      await compactLog(current.handle, current.bytes, (text) => append(created, text));
      await install(created, current.version);
    } catch (error) {
      // What is there is still good: it is tried again once it has grown as much again.
      log.warn({ err: error, file }, "last-good log cannot be compacted");
      current.limit = limitOf(current.bytes);
      await dropRewrite();
    }
  };

  return {
    load: (table, signal) =>
      enqueue(async () => {
        const loaded = await loadLog({ file, gateway, table, signal });
        if (!loaded.ok) return loaded;
        const { bytes, version } = loaded;
        try {
          current = { handle: await open(file, "a+", 0o600), buffer, bytes, limit: SMALL_BYTES, version };
          // What follows the last commit was never whole.
          await current.handle.truncate(bytes);
        } catch (error) {
          await giveUp(error);
        }
        return loaded;
      }),
    begin(reset, base) {
      batch = { reset, base, text: [], size: 0, failed: false };
      void enqueue(dropRewrite).catch(giveUp);
    },
    line: (text) => add(encodeRecord("L", text)),
    clear: (buckets) => add(encodeBuckets(buckets)),
    discard() {
      batch = undefined;
      void enqueue(dropRewrite).catch(giveUp);
    },
    commit({ rows, version }) {
      const ended = batch;
      batch = undefined;
      const written = enqueue(async () => {
        try {
          if (ended === undefined) throw new Error("no batch was begun");
          await finish(ended, { rows, version });
          return true;
        } catch (error) {
          return giveUp(error);
        }
      });
      void enqueue(compactIfGrown).catch(giveUp);
      return written;
    },
    close: () => enqueue(closeAll),
  };
}

/** By one buffer of the log's own: a whole table in buffers that wait to be collected is as much memory as the table. */
async function append(log: OpenLog, text: string): Promise<void> {
  for (let rest = text; rest !== "";) {
    const { read, written } = encoder.encodeInto(rest, log.buffer);
    await log.handle.appendFile(log.buffer.subarray(0, written));
    log.bytes += written;
    rest = rest.slice(read);
  }
}
