// What streams took away and the table still gives. In: a table, rows that decide access as any stream brought them. Out: the table as
// requests may use it: where a stream has another row than the table, and the table's operator is not known to have seen it, both must admit.
// While nothing is withheld, a look-up costs one comparison more than the table's own.
import type { Clock, Timer } from "./clock.ts";
import type { Agent, Key, Table, TableChange } from "./compiled.ts";
import type { Reach, RowId } from "./contract.ts";
import { createGrants } from "./grants.ts";
import { createMarks } from "./marks.ts";
import { narrowAgent, narrowKey } from "./narrow.ts";
import type { SeenRows } from "./seen-row.ts";
import type { TableWriter } from "./table.ts";

export interface Withheld {
  /** What requests read. */
  readonly table: Table;
  /** Rows of a whole batch of a stream, none of a heartbeat, and how far its operator has read, if it says so. */
  seen(source: string, rows: SeenRows, reach: Reach | undefined): void;
  /**
   * The same of the stream that is applied, once they are in the table: which is this stream's from now on. `added`: came with a whole
   * table or whole buckets, and were not there before; if this operator is behind the one before, that one may have seen them go.
   */
  applied(source: string, rows: SeenRows, reach: Reach | undefined, added?: readonly RowId[]): void;
  /** The stream is where the table is: what else was seen of it is out of date. */
  inStep(source: string): void;
  /** The stream is gone: what was seen of it until now holds for thirty seconds more. */
  lost(source: string): void;
  /** Rows of the table that are withheld, in part or whole. */
  readonly rows: number;
  /** Stops its timers. */
  end(): void;
}

/** Milliseconds for which a stream that is gone withholds rows; by then another one has brought what it knew. */
const AFTER_LOSS_MS = 30_000;

/** `slice`: how many of many rows are judged in one go. */
export function createWithheld(deps: {
  readonly table: Table & TableWriter;
  readonly clock: Clock;
  readonly slice?: number;
}): Withheld {
  const { table, clock, slice } = deps;
  const listeners = new Set<(change: TableChange) => void>();
  const timers = new Set<Timer>();
  /** Decisions as they would be with a stream's rows in the place of the table's. */
  const worlds = new Map<string, ReturnType<typeof createGrants>>();

  const tell = (change: TableChange): void => {
    for (const listener of listeners) listener(change);
  };
  const marks = createMarks({ table, clock, slice, tell: (ids) => tell({ ids, reset: false }) });

  table.onChange((change) => {
    // Before those who judge by it are told.
    if (change.reset) marks.judgeAll();
    else marks.judge(change.ids);
    tell(change);
  });

  const worldOf = (source: string): ReturnType<typeof createGrants> => {
    let world = worlds.get(source);
    if (world === undefined) {
      world = createGrants((name) => marks.namespace(source, name, table.namespace(name)));
      worlds.set(source, world);
    }
    return world;
  };

  const grants = (key: Key, agent: Agent): boolean => {
    if (!table.grants(key, agent)) return false;
    for (const source of marks.sources()) {
      const theirKey = marks.key(source, key);
      const theirAgent = marks.agent(source, agent);
      if (theirKey === undefined || theirAgent === undefined) return false;
      if (!worldOf(source)(theirKey, theirAgent)) return false;
    }
    return true;
  };

  const key = (own: Key | undefined): Key | undefined =>
    own === undefined || marks.quiet
      ? own
      : narrowKey(
          own,
          marks.sources().map((source) => marks.key(source, own)),
        );
  const agent = (own: Agent | undefined): Agent | undefined =>
    own === undefined || marks.quiet
      ? own
      : narrowAgent(
          own,
          marks.sources().map((source) => marks.agent(source, own)),
        );

  const view: Table = {
    get version() {
      return table.version;
    },
    get rows() {
      return table.rows;
    },
    get refusedRows() {
      return table.refusedRows;
    },
    get complete() {
      return table.complete;
    },
    get gateway() {
      return table.gateway;
    },
    key: (sha256) => key(table.key(sha256)),
    keyById: (id) => key(table.keyById(id)),
    servesKey: (id) => table.servesKey(id),
    agentByPublicName: (publicName) => agent(table.agentByPublicName(publicName)),
    agentByName: (namespace, name) => agent(table.agentByName(namespace, name)),
    grants: (one, other) => (marks.quiet ? table.grants(one, other) : grants(one, other)),
    endpoints: (backend) => table.endpoints(backend),
    credential: (id) => table.credential(id),
    namespace: (name) => table.namespace(name),
    dump: () => table.dump(),
    onChange(listener) {
      const own = (change: TableChange): void => listener(change);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };

  return {
    table: view,
    seen: (source, rows, reach) => marks.add(source, rows, reach),
    applied(source, rows, reach, added = []) {
      marks.add(source, rows, reach);
      marks.stands(source, reach, added);
    },
    inStep(source) {
      marks.dropActive(source);
    },
    lost(source) {
      const at = clock.elapsed();
      const timer = clock.setTimeout(() => {
        timers.delete(timer);
        marks.dropUntil(source, at);
      }, AFTER_LOSS_MS);
      timers.add(timer);
    },
    get rows() {
      return marks.active;
    },
    end() {
      for (const timer of timers) timer.cancel();
      timers.clear();
      marks.end();
    },
  };
}
