// Tells what is new. In: rows and results as they come. Out: those that differ from what was given last, in the order of the contract.
// Of what was given it keeps the hashes alone: rows are kept by whoever publishes them, and results can be made again.
import type { Row, RowChange, RowId } from "../../proxy/table/contract.ts";
import { createDigest } from "../../proxy/table/digest.ts";
import { encodePut, rowHash } from "../../proxy/table/encode.ts";
import { refOf } from "../objects.ts";
import type { Ref } from "../objects.ts";
import type { EncodedChange, ObjectResult, TranslateOutput } from "./result.ts";

export interface Output {
  row(id: RowId, row: Row | null): void;
  /** Null: the object is gone. */
  result(ref: Ref, result: ObjectResult | null): void;
  /**
   * Everything given so far is gone unless it comes again before `take`; what came in since then is forgotten. `lost`: what the last
   * `take` gave may not have arrived, so the next one gives everything, also what is as before, and once more what was removed.
   */
  forget(lost: boolean): void;
  /** What differs from what was taken before. */
  take(): Omit<TranslateOutput, "refs">;
}

export function createOutput(): Output {
  const rows = createDigest();
  const results = createDigest();
  // Made anew for each `take`: one that is old and cleared leaves behind a table that keeps all it had until the next full garbage collection.
  let newRows = new Map<RowId, Row | null>();
  let newResults = new Map<Ref, ObjectResult | null>();
  let last: Pick<TranslateOutput, "changes" | "removed"> = { changes: [], removed: [] };
  let gone = new Set<Ref>();
  let everything = false;

  const takeRows = (): EncodedChange[] => {
    const changes: EncodedChange[] = [];
    for (const [id, row] of newRows) {
      if (row === null) {
        if (rows.delete(id) || everything) changes.push({ id, row });
        continue;
      }
      const line = encodePut(id, row);
      const hash = rowHash(id, line);
      if (!everything && rows.holds(id, hash)) continue;
      rows.set(id, hash);
      changes.push({ id, row, line });
    }
    if (newRows.size > 0) newRows = new Map();
    return changes.sort(byDependence);
  };
  const takeResults = (): ObjectResult[] => {
    const changed: ObjectResult[] = [];
    for (const [ref, result] of newResults) {
      if (result === null) {
        if (results.delete(ref)) gone.add(ref);
        continue;
      }
      gone.delete(ref);
      const hash = rowHash(ref, JSON.stringify(result));
      if (!everything && results.holds(ref, hash)) continue;
      results.set(ref, hash);
      changed.push(result);
    }
    if (newResults.size > 0) newResults = new Map();
    return changed.sort(byName);
  };

  return {
    row: (id, row) => void newRows.set(id, row),
    result: (ref, result) => void newResults.set(ref, result),
    forget(lost) {
      newRows = new Map();
      newResults = new Map();
      everything ||= lost;
      if (everything) {
        for (const { id, row } of last.changes) if (row === null) newRows.set(id, null);
        for (const named of last.removed) gone.add(refOfNamed(named));
      }
      for (const id of rows.ids()) newRows.set(id, null);
      for (const ref of results.ids()) newResults.set(ref, null);
    },
    take() {
      const changed = takeResults();
      const taken = { changes: takeRows(), results: changed, removed: Array.from(gone, namedBy).sort(byName) };
      if (gone.size > 0) gone = new Set();
      everything = false;
      // No more than that: at first everything is a change.
      last = { changes: taken.changes.filter(({ row }) => row === null), removed: taken.removed };
      return taken;
    },
  };
}

const RANKS: readonly string[] = ["gateway", "namespace", "credential", "endpoints", "agent", "key"];
const rankOf = (id: RowId): number => RANKS.indexOf(id.split("/", 1)[0] ?? "");

/** Rows that are put come after those they refer to; rows that are removed come last, and before those they referred to. */
function byDependence(a: RowChange, b: RowChange): number {
  if ((a.row === null) !== (b.row === null)) return a.row === null ? 1 : -1;
  const ranks = a.row === null ? rankOf(b.id) - rankOf(a.id) : rankOf(a.id) - rankOf(b.id);
  return ranks || compare(a.id, b.id);
}

type Named = Pick<ObjectResult, "kind" | "namespace" | "name">;
const refOfNamed = ({ kind, namespace, name }: Named): Ref => refOf(kind, namespace, name);
const byName = (a: Named, b: Named): number => compare(refOfNamed(a), refOfNamed(b));
const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

function namedBy(ref: Ref): Named {
  const [kind, namespace = "", name = ""] = ref.split("/");
  return { kind: kind === "A2AAgent" ? kind : "VirtualKey", namespace, name };
}
