// The form of the last-good log on disk. In: records, or a file. Out: lines with a checksum each, and records read back from anywhere.
// A line is `{crc32, 8 hex digits} {kind} {JSON}`; the checksum covers kind and JSON.
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { LONGEST_LINE } from "./split-lines.ts";

/** Header, line of the stream, buckets emptied, commit. */
export type RecordKind = "H" | "L" | "B" | "C";

export type LogRecord =
  /** `end`: offset of the byte after its newline. */
  | {
      readonly state: "Whole";
      readonly kind: string;
      readonly json: string;
      readonly start: number;
      readonly end: number;
    }
  /** The last line is not complete: writing it was cut short. */
  | { readonly state: "Cut" }
  | { readonly state: "Corrupt"; readonly start: number };

/** A log of a later format is refused, not guessed at. */
const FORMAT = 1;

export interface LogState {
  readonly rows: number;
  readonly version: string;
}

export const encodeHeader = (gateway: string): string => encodeRecord("H", JSON.stringify({ format: FORMAT, gateway }));

/** State of the whole table after the records before it. */
export const encodeCommit = ({ rows, version }: LogState): string =>
  encodeRecord("C", JSON.stringify({ rows, version }));

/** From here on these buckets hold what follows, and nothing of what they held. */
export const encodeBuckets = (buckets: readonly number[]): string => encodeRecord("B", JSON.stringify({ buckets }));

/** Undefined when it does not say what such a record says. */
export function decodeBuckets(json: string): readonly number[] | undefined {
  const { buckets } = membersOf(json);
  return Array.isArray(buckets) && buckets.every((bucket) => Number.isInteger(bucket)) ? buckets : undefined;
}

/** Whether a log with this first record is one of ours, and if not, why. */
export function judgeHeader(record: LogRecord, gateway: string): "Ours" | "OtherGateway" | "NewerFormat" | "Corrupt" {
  if (record.state !== "Whole" || record.kind !== "H") return "Corrupt";
  const header = membersOf(record.json);
  if (typeof header["format"] !== "number") return "Corrupt";
  if (header["format"] > FORMAT) return "NewerFormat";
  return header["gateway"] === gateway ? "Ours" : "OtherGateway";
}

/** Undefined when it does not say what a commit says. */
export function decodeCommit(json: string): LogState | undefined {
  const { rows, version } = membersOf(json);
  return typeof rows === "number" && typeof version === "string" ? { rows, version } : undefined;
}

function membersOf(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

export function encodeRecord(kind: RecordKind, json: string): string {
  const body = `${kind} ${json}`;
  return `${checksum(body)} ${body}\n`;
}

const checksum = (body: string | Buffer): string => crc32(body).toString(16).padStart(8, "0");

const CHUNK_BYTES = 64 * 1024;
const LONGEST_RECORD = LONGEST_LINE + 1024;

/**
 * Reads a file from its start to `until` (offset), a group of records for each piece read, so that no long stretch of work goes by
 * without a turn of the event loop. Ends after the first record that is not whole.
 */
export async function* readRecords(file: FileHandle, until = Infinity): AsyncGenerator<readonly LogRecord[]> {
  /** Bytes of a record that is not complete, and where in the file they begin. */
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for (;;) {
    const position = offset + rest.length;
    const length = Math.min(CHUNK_BYTES, until - position);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.max(0, length)), 0, length, position);
    const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    const { records, used } = split(bytes, offset);
    rest = bytes.subarray(used);
    offset += used;
    if (bytesRead === 0 && rest.length > 0) records.push(decodeRest(rest, offset));
    if (rest.length > LONGEST_RECORD) records.push({ state: "Corrupt", start: offset });
    if (records.length > 0) yield records;
    if (bytesRead === 0 || records.at(-1)?.state === "Corrupt") return;
  }
}

function split(bytes: Buffer, offset: number): { records: LogRecord[]; used: number } {
  const records: LogRecord[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
    const record = decode(bytes.subarray(start, end), offset + start);
    records.push(record);
    start = end + 1;
    if (record.state === "Corrupt") break;
  }
  return { records, used: start };
}

/** What no newline ends. One that was damaged ends a whole record: to take that for a cut would undo it. */
const decodeRest = (rest: Buffer, start: number): LogRecord =>
  decode(rest.subarray(0, -1), start).state === "Whole" ? { state: "Corrupt", start } : { state: "Cut" };

function decode(line: Buffer, start: number): LogRecord {
  const body = line.subarray(9);
  if (line.length < 11 || line.toString("latin1", 0, 9) !== `${checksum(body)} ` || body[1] !== 32) {
    return { state: "Corrupt", start };
  }
  const kind = body.toString("latin1", 0, 1);
  return { state: "Whole", kind, json: body.toString("utf8", 2), start, end: start + line.length + 1 };
}
