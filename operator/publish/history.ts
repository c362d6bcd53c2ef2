// What the last batches changed. In: batches as they are made. Out: which version a sequence had, which rows changed since one.
// One history serves all streams: a consumer that falls behind costs a number, not a queue.
import type { RowId } from "../../proxy/table/contract.ts";

/** Batches whose versions are remembered: a minute of them when they follow one another as fast as they may. */
const BATCHES = 4096;
/** So many changes are remembered at least; in a larger table half as many as it has rows, since more than that is sent whole. */
const CHANGES = 4096;

export interface History {
  /** `sequence` is one more than the last one. `rows`: size of the table. `told`: what came after that batch is not forgotten. */
  add(
    batch: { readonly sequence: number; readonly version: string; readonly rows: number },
    ids: readonly RowId[],
    told?: number,
  ): void;
  /** The version of the table after that batch; undefined when there was none, or it is too long ago. */
  versionOf(sequence: number): string | undefined;
  /** Rows that changed after that batch, each once; undefined when it is too long ago. What the last batch changed is always known. */
  since(sequence: number): Iterable<RowId> | undefined;
  /** How many changes came after that batch, a row that changed twice counted twice; infinite when it is too long ago. */
  changesSince(sequence: number): number;
}

export function createHistory(): History {
  const entries: { readonly version: string; ids: readonly RowId[] }[] = [];
  /** Sequence of entries[0]. */
  let first = 0;
  /** The first sequence whose ids are still known. */
  let known = 0;
  let changes = 0;

  /** Index of the first entry after a batch; undefined when some of those are no longer known. */
  const after = (sequence: number): number | undefined => (sequence + 1 < known ? undefined : sequence + 1 - first);

  return {
    add: ({ sequence, version, rows }, ids, told = sequence - 1) => {
      if (entries.length === 0) first = known = sequence;
      entries.push({ version, ids });
      changes += ids.length;
      const most = Math.max(CHANGES, rows / 2);
      for (; known <= told && (changes > most || sequence - known >= BATCHES); known++) {
        const oldest = entries[known - first];
        if (oldest === undefined) continue;
        changes -= oldest.ids.length;
        oldest.ids = [];
      }
      if (entries.length > BATCHES) {
        entries.shift();
        first++;
      }
    },
    versionOf: (sequence) => entries[sequence - first]?.version,
    since: (sequence) => {
      const start = after(sequence);
      if (start === undefined) return undefined;
      if (start === entries.length - 1) return entries[start]?.ids;
      return new Set(entries.slice(start).flatMap(({ ids }) => ids));
    },
    changesSince: (sequence) => {
      const start = after(sequence);
      if (start === undefined) return Number.POSITIVE_INFINITY;
      return entries.slice(start).reduce((sum, { ids }) => sum + ids.length, 0);
    },
  };
}
