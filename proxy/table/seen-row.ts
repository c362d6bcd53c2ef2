// A row as a stream brought it. In: a line of a batch. Out: what is remembered of it, for judging later whether the table still gives what
// that stream has taken away.
import type { RowId } from "./contract.ts";
import { rowHash } from "./encode.ts";
import type { Compiled } from "./rows.ts";

export interface SeenRow {
  readonly id: RowId;
  /** Of its line, as the version counts it; undefined when it was removed. */
  readonly hash: string | undefined;
  /** As it would be served; undefined when it was removed. */
  readonly compiled: Compiled | undefined;
}

/** What a batch said last of each row. */
export type SeenRows = Map<RowId, SeenRow>;

export const seenRows = (rows: readonly SeenRow[] = []): SeenRows => new Map(rows.map((row) => [row.id, row]));

/** `text`: the line. */
export function seenRow(id: RowId, text: string, compiled: Compiled | undefined): SeenRow {
  return { id, hash: compiled === undefined ? undefined : rowHash(id, text), compiled };
}
