// Numbers by object of the table. In: ids, and changes of the table. Out: one holder of numbers for each, kept while the object is in the
// table and a while longer, so that how many there are is bounded by the table and not by what clients send.
import type { Table } from "../table/compiled.ts";

/** How long the numbers of an object that left the table are shown, so that its last scrape is not lost. Milliseconds. */
export const KEEP_GONE = 10 * 60_000;
/** No more objects than this that left the table are kept; the oldest go first. */
export const MAX_GONE = 1000;

export interface Kept<T> {
  /** The object's numbers, made if need be. "" stands for none of the table, and is always kept. */
  of(id: string): T;
  /** All objects' numbers, after old ones were dropped. */
  all(): Iterable<readonly [id: string, numbers: T]>;
}

/**
 * @param deps.kind rows of this kind decide; ids are theirs without it
 * @param deps.isBusy its numbers are still needed, in the table or not
 */
export function createKept<T>(deps: {
  table: Pick<Table, "onChange">;
  kind: "agent" | "key";
  inTable: (id: string) => boolean;
  isBusy: (numbers: T) => boolean;
  now: () => number;
  make: () => T;
}): Kept<T> {
  const { table, kind, inTable, isBusy, now, make } = deps;
  /** `goneSince`: when it was first seen not to be in the table. */
  const objects = new Map<string, { readonly numbers: T; goneSince: number | undefined }>();
  const goneSince = (id: string): number | undefined => (id === "" || inTable(id) ? undefined : now());

  function prune(): void {
    let gone = 0;
    for (const object of objects.values()) if (object.goneSince !== undefined) gone++;
    if (gone === 0) return;
    for (const [id, object] of objects) {
      if (object.goneSince === undefined || isBusy(object.numbers)) continue;
      if (gone <= MAX_GONE && now() - object.goneSince < KEEP_GONE) continue;
      objects.delete(id);
      gone--;
    }
  }

  table.onChange(({ ids, reset }) => {
    const prefix = `${kind}/`;
    const touched = reset
      ? [...objects.keys()]
      : ids.filter((id) => id.startsWith(prefix)).map((id) => id.slice(prefix.length));
    for (const id of touched) {
      const object = objects.get(id);
      if (object === undefined) continue;
      const gone = goneSince(id);
      object.goneSince = gone === undefined ? undefined : (object.goneSince ?? gone);
    }
    prune();
  });

  return {
    of(id) {
      let object = objects.get(id);
      if (object === undefined) {
        object = { numbers: make(), goneSince: goneSince(id) };
        objects.set(id, object);
      }
      return object.numbers;
    },
    *all() {
      prune();
      for (const [id, { numbers }] of objects) yield [id, numbers];
    },
  };
}
