// A row as a stream brought it. In: a line of a batch. Out: what is remembered of it, for judging later whether the table still gives what
// that stream has taken away.
import type { Row, RowId } from "./contract.ts";
import { rowHash } from "./encode.ts";

export interface SeenRow {
  readonly id: RowId;
  /** Null: it was removed. It is not judged yet. */
  readonly row: Row | null;
  /** Of its line, as the version counts it; undefined when it was removed. */
  readonly hash: string | undefined;
}

export function seenRow({ id, row }: { readonly id: RowId; readonly row?: Row }, text: string): SeenRow {
  return row === undefined ? { id, row: null, hash: undefined } : { id, row, hash: rowHash(id, text) };
}
