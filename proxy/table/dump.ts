// What an administrator sees of a row. In: the rows and an id. Out: the row without what is secret.
import { fingerprintOf } from "./compiled.ts";
import type { RowId } from "./contract.ts";
import { unpackRow } from "./packed-key.ts";
import type { Rows } from "./rows.ts";

export interface DumpedRow {
  readonly id: RowId;
  /** Null when nothing of it is served, or when its kind is not known. */
  readonly row: unknown;
  readonly refused?: string;
}

/** Credentials are left out, and of a key's hash only the fingerprint stays. A refused agent shows the row that is still served. */
export function dumpRow(rows: Rows, id: RowId): DumpedRow {
  const refused = rows.refused.get(id);
  const row = redacted(rows, id);
  return refused === undefined ? { id, row } : { id, row, refused };
}

function redacted(rows: Rows, id: RowId): unknown {
  const key = rows.keys.packed(id);
  if (key !== undefined) {
    const row = unpackRow(key);
    return { ...row, sha256: `${fingerprintOf({ row })}…` };
  }
  const endpoints = rows.endpoints.get(id);
  if (endpoints !== undefined) return { endpoints };
  if (rows.credentials.has(id)) return { value: "(redacted)" };
  return rows.agents.get(id)?.row ?? rows.namespaces.get(id) ?? rows.gateway.get(id) ?? null;
}
