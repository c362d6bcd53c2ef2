// The table that requests read and the stream writes. In: batches of rows. Out: immutable objects, looked up in O(1).
// A batch is staged beside the table and judged by its version; then it is applied at once, as a whole, or not at all.
import type { Agent, Key, Table, TableChange } from "./compiled.ts";
import { agentRowId, GATEWAY_ROW_ID, namespaceRowId } from "./contract.ts";
import type { GatewayRow, Row, RowChange, RowId } from "./contract.ts";
import { createDigest, removedIds, type Digest } from "./digest.ts";
import { dumpRow } from "./dump.ts";
import { decodeLine, encodePut, rowHash } from "./encode.ts";
import { createGrants } from "./grants.ts";
import { compile, createRows, erase, store, stored, type Compiled, type Rows } from "./rows.ts";

/** What the COMMIT line promises. */
export interface Expected {
  readonly lines: number;
  readonly rows: number;
  readonly version: string;
}

export type Committed =
  /** `refused`: the first 100 rows of the table that are not served as sent; `refusedRows` counts all. */
  | {
      readonly ok: true;
      readonly refused: readonly { readonly id: RowId; readonly reason: string }[];
      readonly refusedRows: number;
    }
  | { readonly ok: false; readonly reason: "LineCount" | "RowCount" | "Version" };

export interface TableWriter {
  /** Begins a batch and drops one that was never committed. `reset`: the batch is the whole table. */
  begin(reset: boolean): void;
  /** `line`: the PUT line as it came; it is hashed as it is. `row`: the row in it, where the caller has parsed it already. */
  put(id: RowId, line: string, row?: unknown): void;
  remove(id: RowId): void;
  /** Applies the batch whole if it is what was promised; else drops it and leaves the table as it was. */
  commit(expected: Expected): Committed;
  /** Drops the batch, if there is one. */
  discard(): void;
  /** One batch without a stream: the rows are encoded, hashed and judged just the same. */
  applyLocal(changes: readonly RowChange[], reset: boolean): void;
}

const REFUSED_NAMED = 100;
const NO_GATEWAY: GatewayRow = { name: "", trustedProxies: [], allowedUpstreams: [] };

/** A batch that is not committed. A reset builds a table beside the old one; any other batch lists its edits. */
interface Batch {
  readonly reset: boolean;
  readonly digest: Digest;
  readonly rows: Rows;
  /** Row ids that differ from the table as it stands, with what to store; null erases. A reset stores at once and notes ids only. */
  readonly edits: Map<RowId, Compiled | null>;
  lines: number;
}

/** `onFault`: told of a listener that threw; the others are called all the same. */
export function createTable(onFault: (error: unknown) => void = rethrow): Table & TableWriter {
  let rows = createRows();
  let digest = createDigest();
  let complete = false;
  let batch: Batch | undefined;
  const listeners = new Set<(change: TableChange) => void>();
  const grants = createGrants((namespace) => rows.namespaces.get(namespaceRowId(namespace)));

  const open = (): Batch => {
    if (batch === undefined) throw new Error("no batch was begun");
    return batch;
  };

  const begin = (reset: boolean): void => {
    batch = {
      reset,
      digest: reset ? createDigest() : digest.fork(),
      rows: reset ? createRows() : rows,
      edits: new Map(),
      lines: 0,
    };
  };

  const put = (id: RowId, line: string, row?: unknown): void => {
    const { reset, digest: staged, rows: target, edits } = countLine(open());
    const hash = rowHash(id, line);
    const unchanged = digest.holds(id, hash);
    staged.set(id, hash);
    if (unchanged) {
      // The same row again keeps its object, and with it whatever others remember about it.
      edits.delete(id);
      if (reset) store(target, id, stored(rows, id), rows);
      return;
    }
    const compiled = compile(id, row ?? rowIn(id, line));
    edits.set(id, compiled);
    if (reset) store(target, id, compiled, rows);
  };

  const remove = (id: RowId): void => {
    const { reset, digest: staged, rows: target, edits } = countLine(open());
    staged.delete(id);
    if (digest.has(id)) edits.set(id, null);
    else edits.delete(id);
    if (reset) erase(target, id);
  };

  const judge = (expected: Expected): "LineCount" | "RowCount" | "Version" | undefined => {
    const { lines, digest: staged } = open();
    if (lines !== expected.lines) return "LineCount";
    if (staged.size !== expected.rows) return "RowCount";
    return staged.version() === expected.version ? undefined : "Version";
  };

  const apply = (): void => {
    const { reset, digest: staged, rows: target, edits } = open();
    if (reset) {
      for (const id of removedIds(digest, staged)) edits.set(id, null);
    } else {
      for (const [id, compiled] of edits) {
        if (compiled === null) erase(rows, id);
        else store(rows, id, compiled);
      }
    }
    rows = target;
    digest = staged;
    complete ||= reset;
    batch = undefined;
    const change: TableChange = { ids: [...edits.keys()], reset };
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        onFault(error);
      }
    }
  };

  return {
    get version() {
      return digest.version();
    },
    get rows() {
      return digest.size;
    },
    get refusedRows() {
      return rows.refused.size;
    },
    get complete() {
      return complete;
    },
    get gateway() {
      return rows.gateway.get(GATEWAY_ROW_ID) ?? NO_GATEWAY;
    },
    key: (sha256) => rows.bySha256.get(sha256),
    keyById: (id) => rows.keys.get(`key/${id}`),
    agentByPublicName: (publicName) => rows.byPublicName.get(publicName),
    agentByName: (namespace, name) => rows.agents.get(agentRowId(namespace, name)),
    grants: (key: Key, agent: Agent) => grants(key, agent),
    endpoints: ({ endpoints }) => (endpoints === undefined ? undefined : rows.endpoints.get(endpoints)),
    credential: (id) => rows.credentials.get(id),
    *dump() {
      for (const id of [...digest.ids()].sort()) yield dumpRow(rows, id);
    },
    onChange(listener) {
      const own = (change: TableChange): void => listener(change);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    begin,
    put,
    remove,
    discard() {
      batch = undefined;
    },
    commit(expected) {
      const reason = judge(expected);
      if (reason !== undefined) {
        batch = undefined;
        return { ok: false, reason };
      }
      // The version is of the whole table, so one that fits makes the table whole, reset or not.
      complete = true;
      apply();
      const refused = [...rows.refused.entries().take(REFUSED_NAMED)].map(([id, reason]) => ({ id, reason }));
      return { ok: true, refused, refusedRows: rows.refused.size };
    },
    applyLocal(changes, reset) {
      begin(reset);
      for (const { id, row } of changes) {
        if (row === null) remove(id);
        else put(id, encodePut(id, row));
      }
      apply();
    },
  };
}

function countLine(batch: Batch): Batch {
  batch.lines += 1;
  return batch;
}

function rowIn(id: RowId, line: string): Row | undefined {
  const decoded = decodeLine(line);
  return decoded?.type === "PUT" && decoded.id === id ? decoded.row : undefined;
}

function rethrow(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
