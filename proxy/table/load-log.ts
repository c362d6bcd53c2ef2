// The last-good log read back. In: a file that may be cut short, damaged or someone else's. Out: its last committed state in the table,
// or why there is none. The version of what was loaded must be the one that was committed.
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { decodeLine } from "./encode.ts";
import { decodeBuckets, decodeCommit, judgeHeader, readRecords, type LogState } from "./records.ts";
import type { TableWriter } from "./table.ts";

export type Loaded =
  /**
   * `bytes`: of the log up to its last commit. `cut`: what followed was not whole and was left out. `writtenAt`: when it was last written,
   * milliseconds since the epoch.
   */
  | {
      readonly ok: true;
      readonly rows: number;
      readonly version: string;
      readonly bytes: number;
      readonly cut: boolean;
      readonly writtenAt: number;
    }
  | {
      readonly ok: false;
      readonly reason:
        | "Missing"
        /** It holds no committed batch. */
        | "Empty"
        | "Corrupt"
        | "OtherGateway"
        | "NewerFormat"
        /** Its rows are not those that were committed. */
        | "Version"
        /** A stream began to fill the table meanwhile. */
        | "Superseded";
    };

type Failed = Extract<Loaded, { ok: false }>;

export interface LoadDeps {
  readonly file: string;
  readonly gateway: string;
  readonly table: TableWriter;
  /** Aborts when something else begins to write the table; then it is not touched any more. */
  readonly signal: AbortSignal;
}

/** Reads the file twice: for the end of what is whole, then for its rows; so no line is held. Rejects on I/O errors. */
export async function loadLog({ file, gateway, table, signal }: LoadDeps): Promise<Loaded> {
  let handle: FileHandle;
  try {
    handle = await open(file, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return { ok: false, reason: "Missing" };
    throw error;
  }
  try {
    const found = await findLastCommit(handle, gateway);
    return "reason" in found ? found : await apply(handle, found, table, signal);
  } finally {
    await handle.close();
  }
}

interface Whole {
  readonly state: LogState;
  readonly bytes: number;
  readonly cut: boolean;
}

async function findLastCommit(handle: FileHandle, gateway: string): Promise<Whole | Failed> {
  let last: { readonly state: LogState; readonly bytes: number } | undefined;
  let first = true;
  let end = 0;
  let cut = false;
  for await (const records of readRecords(handle)) {
    for (const record of records) {
      // A file that was cut within its header holds nothing.
      if (record.state === "Cut") {
        cut = true;
        continue;
      }
      if (record.state === "Corrupt") return { ok: false, reason: "Corrupt" };
      if (first) {
        const header = judgeHeader(record, gateway);
        if (header !== "Ours") return { ok: false, reason: header };
        first = false;
      }
      ({ end } = record);
      if (record.kind !== "C") continue;
      const state = decodeCommit(record.json);
      if (state === undefined) return { ok: false, reason: "Corrupt" };
      last = { state, bytes: end };
    }
  }
  if (last === undefined) return { ok: false, reason: "Empty" };
  return { ...last, cut: cut || end > last.bytes };
}

async function apply(handle: FileHandle, whole: Whole, table: TableWriter, signal: AbortSignal): Promise<Loaded> {
  const writtenAt = (await handle.stat()).mtimeMs;
  if (signal.aborted) return { ok: false, reason: "Superseded" };
  table.begin(true);
  let lines = 0;
  for await (const records of readRecords(handle, whole.bytes)) {
    if (signal.aborted) return { ok: false, reason: "Superseded" };
    for (const record of records) {
      if (record.state !== "Whole") continue;
      if (record.kind === "B") for (const bucket of decodeBuckets(record.json) ?? []) table.clear(bucket);
      const line = record.kind === "L" ? decodeLine(record.json) : undefined;
      if (line === undefined) continue;
      lines += 1;
      if (line.type === "PUT") table.put(line.id, record.json, line.row);
      else if (line.type === "REMOVE") table.remove(line.id);
    }
  }
  if (signal.aborted) return { ok: false, reason: "Superseded" };
  const { rows, version } = whole.state;
  const committed = await table.commitInTurns({ lines, rows, version });
  if (!committed.ok) return { ok: false, reason: committed.reason === "Dropped" ? "Superseded" : "Version" };
  return { ok: true, rows, version, bytes: whole.bytes, cut: whole.cut, writtenAt };
}
