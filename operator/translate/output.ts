// Holds what was last given and tells what is new. In: rows and results as they come. Out: differences, in the order of the contract.
import { isDeepStrictEqual } from "node:util";
import type { Row, RowChange, RowId } from "../../proxy/table/contract.ts";
import { encodePut } from "../../proxy/table/encode.ts";
import { refOf } from "../objects.ts";
import type { Ref } from "../objects.ts";
import { isPlain } from "./conditions.ts";
import type { EncodedChange, Finding, ObjectResult, TranslateOutput } from "./result.ts";

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
  rows(): Iterable<RowChange & { readonly row: Row }>;
  results(): Iterable<ObjectResult>;
}

export function createOutput(): Output {
  /** Lines as they are sent: a string takes a fraction of the row's memory, and whoever publishes it keeps it too. */
  const rows = new Map<RowId, string>();
  const results = new Map<Ref, ObjectResult>();
  const newRows = new Map<RowId, Row | null>();
  const newResults = new Map<Ref, ObjectResult | null>();
  let last: Pick<TranslateOutput, "changes" | "removed"> = { changes: [], removed: [] };
  const gone = new Map<Ref, Named>();
  let everything = false;
  /** Lists of findings that are the same for everybody, as of nearly all objects, by what they find: one list for all of them. */
  const lists = new Map<string, readonly Finding[]>();
  const shared = (findings: readonly Finding[]): readonly Finding[] => {
    if (!findings.every(isPlain)) return findings;
    const name = findings.map(({ type, reason }) => `${type} ${reason}`).join();
    const known = lists.get(name) ?? findings;
    lists.set(name, known);
    return known;
  };

  const takeRows = (): EncodedChange[] => {
    const changes: EncodedChange[] = [];
    for (const [id, row] of newRows) {
      if (row === null) {
        if (rows.delete(id) || everything) changes.push({ id, row });
        continue;
      }
      const line = encodePut(id, row);
      if (!everything && rows.get(id) === line) continue;
      rows.set(id, line);
      changes.push({ id, row, line });
    }
    newRows.clear();
    return changes.sort(byDependence);
  };

  return {
    row: (id, row) => void newRows.set(id, row),
    result: (ref, result) => void newResults.set(ref, result),
    forget(lost) {
      newRows.clear();
      newResults.clear();
      everything ||= lost;
      if (everything) {
        for (const { id, row } of last.changes) if (row === null) newRows.set(id, null);
        for (const named of last.removed) gone.set(refOfNamed(named), named);
      }
      for (const id of rows.keys()) newRows.set(id, null);
      for (const ref of results.keys()) newResults.set(ref, null);
    },
    take() {
      const changed: ObjectResult[] = [];
      for (const [ref, result] of newResults) {
        const before = results.get(ref);
        if (result === null) {
          if (before === undefined) continue;
          results.delete(ref);
          gone.set(ref, { kind: before.kind, namespace: before.namespace, name: before.name });
        } else {
          gone.delete(ref);
          if (!everything && isDeepStrictEqual(before, result)) continue;
          const kept = Object.assign(result, { conditions: shared(result.conditions) });
          results.set(ref, kept);
          changed.push(kept);
        }
      }
      newResults.clear();
      const taken = { changes: takeRows(), results: changed.sort(byName), removed: [...gone.values()].sort(byName) };
      gone.clear();
      everything = false;
      // No more than that: at first everything is a change.
      last = { changes: taken.changes.filter(({ row }) => row === null), removed: taken.removed };
      return taken;
    },
    rows: () => rows.entries().map(([id, line]) => ({ id, row: (JSON.parse(line) as { readonly row: Row }).row })),
    results: () => results.values(),
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
