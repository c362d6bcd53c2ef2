// Dropping what was written over. In: a log that grew. Out: the records that still count, and one commit.
import type { FileHandle } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import { bucketOf } from "./digest.ts";
import { decodeLine } from "./encode.ts";
import {
  decodeBuckets,
  decodeCommit,
  encodeCommit,
  encodeRecord,
  readRecords,
  type LogRecord,
  type LogState,
} from "./records.ts";

/** Of 1,024: in a large table they hold some thousand rows, which is a millisecond. */
const BUCKETS_A_TURN = 64;

/**
 * Reads the first `bytes` of a log twice, which all belong to committed batches, and hands on the newest line of each row that was not
 * removed, then the last commit. Holds an offset for each row meanwhile, and no line. Rejects when the log is damaged.
 */
export async function compactLog(
  from: FileHandle,
  bytes: number,
  write: (text: string) => Promise<void>,
): Promise<void> {
  /** Offsets, by bucket and row. */
  const newest = new Map<number, Map<string, number>>();
  let state: LogState | undefined;
  const note = ({ kind, json, start }: Extract<LogRecord, { state: "Whole" }>): void => {
    if (kind === "C") state = decodeCommit(json) ?? state;
    if (kind === "B") for (const bucket of decodeBuckets(json) ?? []) newest.delete(bucket);
    const change = kind === "L" ? changeOf(json) : undefined;
    if (change === undefined) return;
    const bucket = bucketOf(change.id);
    if (change.type === "REMOVE") newest.get(bucket)?.delete(change.id);
    else newest.set(bucket, (newest.get(bucket) ?? new Map<string, number>()).set(change.id, start));
  };
  for await (const records of readRecords(from, bytes)) {
    for (const record of records) {
      if (record.state !== "Whole") throw new Error("the log is damaged");
      note(record);
    }
  }
  if (state === undefined) throw new Error("the log holds no commit");

  const live = new Set<number>();
  for (const [bucket, offsets] of newest) {
    for (const offset of offsets.values()) live.add(offset);
    newest.delete(bucket);
    if (bucket % BUCKETS_A_TURN === 0) await turn();
  }
  for await (const records of readRecords(from, bytes)) {
    let text = "";
    for (const record of records) {
      if (record.state === "Whole" && live.has(record.start)) text += encodeRecord("L", record.json);
    }
    if (text !== "") await write(text);
  }
  await write(encodeCommit(state));
}

/** What a line does to which row, or undefined. Of a canonical PUT its ends are enough: to parse all of it would be most of the work. */
function changeOf(json: string): { readonly id: string; readonly type: "PUT" | "REMOVE" } | undefined {
  const id = /^\{"id":"([^"\\]+)",/.exec(json)?.[1];
  if (id !== undefined && json.endsWith(',"type":"PUT"}')) return { id, type: "PUT" };
  const line = decodeLine(json);
  return line?.type === "PUT" || line?.type === "REMOVE" ? line : undefined;
}
