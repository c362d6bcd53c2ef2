// The table that requests read and the stream writes. In: batches of rows. Out: immutable objects, looked up in O(1).
// A batch is staged beside the table and judged by its version; then it is applied at once, as a whole, or not at all.
import { setImmediate as turn } from "node:timers/promises";
import {
  clearBucket,
  goneWithout,
  MANY_EDITS,
  openBatch,
  putRow,
  removeRow,
  settleDigest,
  settleRows,
  type Batch,
  type Standing,
} from "./batch.ts";
import type { Agent, Key, Table, TableChange } from "./compiled.ts";
import { agentRowId, GATEWAY_ROW_ID, namespaceRowId } from "./contract.ts";
import type { GatewayRow, Row, RowChange, RowId } from "./contract.ts";
import { createDigest } from "./digest.ts";
import { dumpRow } from "./dump.ts";
import { decodeLine, encodePut } from "./encode.ts";
import { createGrants } from "./grants.ts";
import { createKeyObjects } from "./key-objects.ts";
import { createRows, erase, store, type Compiled } from "./rows.ts";
import { createSharedParts } from "./shared-parts.ts";

/** What the COMMIT line promises. */
export interface Expected {
  readonly lines: number;
  readonly rows: number;
  readonly version: string;
}

export type Committed =
  /** `gone`: rows of the table that no line of the batch names, since a whole table or whole buckets came without them. */
  | { readonly ok: true; readonly gone: readonly RowId[] }
  /** `Dropped`: another batch was begun, or this one was discarded, before it was applied. */
  | { readonly ok: false; readonly reason: "LineCount" | "RowCount" | "Version" | "Dropped" };

/** Rows of the table that are not served as sent: the first 100, and how many there are. */
export interface Refusals {
  readonly refused: readonly { readonly id: RowId; readonly reason: string }[];
  readonly refusedRows: number;
}

export interface TableWriter {
  /** Begins a batch and drops one that was never committed. `reset`: the batch is the whole table. */
  begin(reset: boolean): void;
  /**
   * `line`: the PUT line as it came; it is hashed as it is. `row`: the row in it, where the caller has parsed it already. Gives the row as
   * it is served once the batch is applied.
   */
  put(id: RowId, line: string, row?: unknown): Compiled;
  remove(id: RowId): void;
  /** Takes out all rows of a bucket, as lines so far left it. Does not count as a line. */
  clear(bucket: number): void;
  /** Applies the batch whole if it is what was promised; else drops it and leaves the table as it was. */
  commit(expected: Expected): Committed;
  /** Whether the batch is so large that `commit` would keep requests waiting. */
  readonly isLarge: boolean;
  /** As `commit`, with turns of the event loop in between. Requests see the table as it was until it is applied, at once. */
  commitInTurns(expected: Expected): Promise<Committed>;
  refusals(): Refusals;
  /** Whether the row stands in the table as this line hashes (`rowHash`); undefined: whether there is none. */
  holds(id: RowId, hash: string | undefined): boolean;
  /** The first bytes of each bucket's digest, as a `Subscription` names them. */
  prefixes(): string;
  /** Drops the batch, if there is one. */
  discard(): void;
  /** One batch without a stream: the rows are encoded, hashed and judged just the same. */
  applyLocal(changes: readonly RowChange[], reset: boolean): void;
}

const REFUSED_NAMED = 100;
const NO_GATEWAY: GatewayRow = { name: "", trustedProxies: [], allowedUpstreams: [] };

/** `onFault`: told of a listener that threw; the others are called all the same. */
export function createTable(onFault: (error: unknown) => void = rethrow): Table & TableWriter {
  const [shared, objects] = [createSharedParts(), createKeyObjects()];
  let standing: Standing = { shared, objects, rows: createRows(objects), digest: createDigest() };
  let complete = false;
  let batch: Batch | undefined;
  const listeners = new Set<(change: TableChange) => void>();
  const grants = createGrants((namespace) => standing.rows.namespaces.get(namespaceRowId(namespace)));

  const open = (): Batch => {
    if (batch === undefined) throw new Error("no batch was begun");
    return batch;
  };

  const begin = (reset: boolean): void => {
    batch = openBatch(standing, reset);
  };

  const put = (id: RowId, line: string, row?: unknown): Compiled =>
    putRow(countLine(open()), standing, id, line, () => row ?? rowIn(id, line));

  const remove = (id: RowId): void => removeRow(countLine(open()), standing, id);

  const judge = (expected: Expected): "LineCount" | "RowCount" | "Version" | undefined => {
    const { lines, digest } = open();
    if (lines !== expected.lines) return "LineCount";
    if (digest.size() !== expected.rows) return "RowCount";
    return digest.version() === expected.version ? undefined : "Version";
  };

  /** The way to the new table, in steps; nothing of it is seen before its end. `expected` undefined: whatever it is. */
  function* applying(expected: Expected | undefined): Generator<void, Committed> {
    const of = open();
    const { reset, digest, edits } = of;
    yield* settleDigest(of);
    const reason = expected === undefined ? undefined : judge(expected);
    if (reason !== undefined) {
      batch = undefined;
      return { ok: false, reason };
    }
    const gone = yield* goneWithout(of, standing);
    const made = yield* settleRows(of, standing);
    if (made === undefined) {
      for (const [id, compiled] of edits) {
        if (compiled === null) erase(standing.rows, id);
        else store(standing.rows, id, compiled);
      }
    }
    standing = { shared, objects, rows: made ?? standing.rows, digest };
    // The version is of the whole table, so one that fits makes the table whole, reset or not.
    complete ||= reset || expected !== undefined;
    batch = undefined;
    tell(reset || edits.size > MANY_EDITS ? { ids: [], reset: true } : { ids: [...edits.keys()], reset: false });
    return { ok: true, gone };
  }

  const tell = (change: TableChange): void => {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        onFault(error);
      }
    }
  };

  const applyAtOnce = (expected?: Expected): Committed => {
    const steps = applying(expected);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  };

  return {
    get version() {
      return standing.digest.version();
    },
    get rows() {
      return standing.digest.size();
    },
    get refusedRows() {
      return standing.rows.refused.size;
    },
    get complete() {
      return complete;
    },
    get gateway() {
      return standing.rows.gateway.get(GATEWAY_ROW_ID) ?? NO_GATEWAY;
    },
    key: (sha256) => standing.rows.keys.bySha256(sha256),
    keyById: (id) => standing.rows.keys.key(`key/${id}`),
    servesKey: (id) => standing.rows.keys.has(id),
    agentByPublicName: (publicName) => standing.rows.byPublicName.get(publicName),
    agentByName: (namespace, name) => standing.rows.agents.get(agentRowId(namespace, name)),
    grants: (key: Key, agent: Agent) => grants(key, agent),
    endpoints: ({ endpoints }) => (endpoints === undefined ? undefined : standing.rows.endpoints.get(endpoints)),
    credential: (id) => standing.rows.credentials.get(id),
    namespace: (name) => standing.rows.namespaces.get(namespaceRowId(name)),
    *dump() {
      for (const id of [...standing.digest.ids()].sort()) yield dumpRow(standing.rows, id);
    },
    onChange(listener) {
      const own = (change: TableChange): void => listener(change);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    begin,
    put,
    remove,
    clear: (bucket) => clearBucket(open(), standing, bucket),
    discard() {
      batch = undefined;
    },
    commit: applyAtOnce,
    get isLarge() {
      return batch !== undefined && (batch.reset || batch.edits.size > MANY_EDITS) && batch.lines > MANY_EDITS;
    },
    async commitInTurns(expected) {
      const of = open();
      const steps = applying(expected);
      for (;;) {
        const step = steps.next();
        if (step.done === true) return step.value;
        await turn();
        if (batch !== of) return { ok: false, reason: "Dropped" };
      }
    },
    refusals() {
      const { refused } = standing.rows;
      const named = [...refused.entries().take(REFUSED_NAMED)].map(([id, reason]) => ({ id, reason }));
      return { refused: named, refusedRows: refused.size };
    },
    holds: (id, hash) => (hash === undefined ? !standing.digest.has(id) : standing.digest.holds(id, hash)),
    prefixes: () => standing.digest.prefixes(),
    applyLocal(changes, reset) {
      begin(reset);
      for (const { id, row } of changes) {
        if (row === null) remove(id);
        else put(id, encodePut(id, row));
      }
      applyAtOnce();
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
