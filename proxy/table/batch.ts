// A batch that is not committed. In: lines, in any order. Out: what the table would be after them, made beside the table as it stands.
import type { RowId } from "./contract.ts";
import { createDigest, type Digest } from "./digest.ts";
import { rowHash } from "./encode.ts";
import type { KeyObjects } from "./key-objects.ts";
import { compile, createRows, erase, store, stored, type Compiled, type Rows } from "./rows.ts";
import type { SharedParts } from "./shared-parts.ts";

/** The table as it stands. */
export interface Standing {
  readonly shared: SharedParts;
  readonly objects: KeyObjects;
  readonly rows: Rows;
  readonly digest: Digest;
}

export interface Batch {
  readonly reset: boolean;
  readonly digest: Digest;
  /** The rows of a whole table, as they come; another batch lists its edits. */
  readonly rows: Rows | undefined;
  /** Rows that differ from the table as it stands, with what to store; null erases. Empty for a whole table. */
  readonly edits: Map<RowId, Compiled | null>;
  lines: number;
  /** Buckets were taken out. */
  cleared: boolean;
}

/** More edits than this are not made in one go, nor listed for those who listen. */
export const MANY_EDITS = 1000;
/** Rows that are stored in one go: a millisecond or less. */
const SLICE = 500;

export const openBatch = ({ digest, objects }: Standing, reset: boolean): Batch => ({
  reset,
  digest: reset ? createDigest() : digest.fork(),
  rows: reset ? createRows(objects) : undefined,
  edits: new Map(),
  lines: 0,
  cleared: false,
});

/** `row`: of the PUT line, parsed only if it is needed. Gives the row as it will be served. */
export function putRow(batch: Batch, standing: Standing, id: RowId, line: string, row: () => unknown): Compiled {
  const hash = rowHash(id, line);
  const unchanged = standing.digest.holds(id, hash);
  batch.digest.set(id, hash);
  // The same row again keeps its object, and with it whatever others remember about it.
  const compiled = unchanged ? stored(standing.rows, id) : compile(id, row(), standing.shared);
  if (batch.rows !== undefined) store(batch.rows, id, compiled, standing.rows);
  else if (unchanged) batch.edits.delete(id);
  else batch.edits.set(id, compiled);
  return compiled;
}

export function removeRow(batch: Batch, standing: Standing, id: RowId): void {
  batch.digest.delete(id);
  if (batch.rows !== undefined) erase(batch.rows, id);
  else if (standing.digest.has(id)) batch.edits.set(id, null);
  else batch.edits.delete(id);
}

/** Takes out every row of a bucket. */
export function clearBucket(batch: Batch, standing: Standing, bucket: number): void {
  batch.cleared = true;
  for (const id of batch.digest.idsIn(bucket).slice()) removeRow(batch, standing, id);
}

/** Brings the bucket digests up to date, some at each step. */
export function* settleDigest({ digest }: Batch): Generator<void> {
  while (!digest.refreshSome()) yield;
}

/** Rows that the table has and will not, though no line says so, found in steps. */
export function* goneWithout({ reset, cleared, edits, digest }: Batch, standing: Standing): Generator<void, RowId[]> {
  const gone: RowId[] = [];
  if (cleared) for (const [id, compiled] of edits) if (compiled === null) gone.push(id);
  if (!reset) return gone;
  let left = SLICE;
  for (const id of standing.digest.ids()) {
    if (!digest.has(id)) gone.push(id);
    left -= 1;
    if (left > 0) continue;
    left = SLICE;
    yield;
  }
  return gone;
}

/** The rows after the batch, made in steps: a whole table's own, a copy with many edits in it; undefined: edit them in place. */
export function* settleRows(batch: Batch, standing: Standing): Generator<void, Rows | undefined> {
  if (batch.rows !== undefined || batch.edits.size <= MANY_EDITS) return batch.rows;
  const copy = createRows(standing.objects);
  let left = SLICE;
  for (const id of standing.digest.ids()) {
    if (!batch.edits.has(id)) store(copy, id, stored(standing.rows, id), standing.rows);
    left -= 1;
    if (left > 0) continue;
    left = SLICE;
    yield;
  }
  for (const [id, compiled] of batch.edits) {
    if (compiled !== null) store(copy, id, compiled, standing.rows);
    left -= 1;
    if (left > 0) continue;
    left = SLICE;
    yield;
  }
  return copy;
}
