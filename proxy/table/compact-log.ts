// Dropping what was written over. In: a log that grew. Out: the records that still count, and one commit.
import type { FileHandle } from "node:fs/promises";
import { decodeLine } from "./encode.ts";
import { encodeCommit, encodeRecord, decodeCommit, readRecords, type LogState } from "./records.ts";

/**
 * Reads the first `bytes` of a log twice, which all belong to committed batches, and hands on the newest line of each row that was not
 * removed, then the last commit. Holds an offset for each row meanwhile, and no line. Rejects when the log is damaged.
 */
export async function compactLog(
  from: FileHandle,
  bytes: number,
  write: (text: string) => Promise<void>,
): Promise<void> {
  const newest = new Map<string, number>();
  let state: LogState | undefined;
  for await (const records of readRecords(from, bytes)) {
    for (const record of records) {
      if (record.state !== "Whole") throw new Error("the log is damaged");
      if (record.kind === "C") state = decodeCommit(record.json) ?? state;
      if (record.kind !== "L") continue;
      const line = decodeLine(record.json);
      if (line?.type === "PUT") newest.set(line.id, record.start);
      else if (line?.type === "REMOVE") newest.delete(line.id);
    }
  }
  if (state === undefined) throw new Error("the log holds no commit");

  const live = new Set(newest.values());
  for await (const records of readRecords(from, bytes)) {
    let text = "";
    for (const record of records) {
      if (record.state === "Whole" && live.has(record.start)) text += encodeRecord("L", record.json);
    }
    if (text !== "") await write(text);
  }
  await write(encodeCommit(state));
}
