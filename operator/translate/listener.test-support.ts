// Who only ever hears differences. In: outputs of a translation. Out: rows and results as they stand, and what should not have been said.
import { isDeepStrictEqual } from "node:util";
import type { Row, RowId } from "../../proxy/table/contract.ts";
import { refOf } from "../objects.ts";
import type { Ref } from "../objects.ts";
import type { ObjectResult, TranslateOutput } from "./result.ts";

export function createListener() {
  const rows = new Map<RowId, Row>();
  const results = new Map<Ref, ObjectResult>();
  return {
    /** Gives what should not have been said. */
    hear(output: TranslateOutput): string[] {
      const faults: string[] = [];
      for (const { id, row } of output.changes) {
        if (row === null && !rows.delete(id)) faults.push(`${id} was removed, but not there`);
        if (row !== null && isDeepStrictEqual(rows.get(id), row)) faults.push(`${id} was given again`);
        if (row !== null) rows.set(id, row);
      }
      for (const result of output.results) results.set(refOf(result.kind, result.namespace, result.name), result);
      for (const { kind, namespace, name } of output.removed) {
        if (!results.delete(refOf(kind, namespace, name))) faults.push(`${kind} ${name} was removed, but not there`);
      }
      return faults;
    },
    rows,
    results,
    state: () => ({ rows: sorted(rows), results: sorted(results) }),
  };
}

const sorted = (map: ReadonlyMap<string, unknown>): unknown[] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
