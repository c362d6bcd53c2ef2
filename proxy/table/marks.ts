// Rows that decide access as streams brought them lately. In: rows of batches, changes of the table. Out: those that the table differs from
// without being known to be newer ("active"), by stream. The others are kept a while: a table that goes back to an older row, because
// another operator is behind, must not give back what was taken away.
import type { Agent, Key, Table } from "./compiled.ts";
import type { NamespaceRow, RowId } from "./contract.ts";
import { compile, type Compiled } from "./rows.ts";
import { identityOf, isNewer, servedIdentity, type RowIdentity, type SeenRow } from "./seen-row.ts";
import { createSharedParts } from "./shared-parts.ts";
import type { TableWriter } from "./table.ts";

interface Mark {
  readonly source: string;
  readonly seen: SeenRow;
  /** Rows under its id that it came after, newest first. */
  readonly dead: readonly RowIdentity[];
  readonly compiled: Compiled | undefined;
  readonly at: number;
  active: boolean;
}

export interface Marks {
  /** How many rows are withheld, counted for each stream. */
  readonly active: number;
  /** Streams with active marks. */
  sources(): Iterable<string>;
  /** The row as that stream has it: the table's own unless it is marked; undefined: it is not there, or not understood. */
  key(source: string, own: Key): Key | undefined;
  agent(source: string, own: Agent): Agent | undefined;
  namespace(source: string, name: string, own: NamespaceRow | undefined): NamespaceRow | undefined;
  /** Gives the ids whose rows are withheld in another way than before; so do the other ways to add and drop. */
  add(source: string, rows: readonly SeenRow[]): RowId[];
  /** The table's rows of these ids have changed, by the stream `from`: that one's own marks are out of date. */
  judge(ids: readonly RowId[], from: string | undefined): void;
  judgeAll(from: string | undefined): void;
  /** Drops a stream's active marks. */
  dropActive(source: string): RowId[];
  /** Drops all marks of a stream that were made until then. */
  dropUntil(source: string, until: number): RowId[];
}

/** Marks that are not active are kept so long, milliseconds, and so many. */
const KEPT_MS = 30_000;
const KEPT = 20_000;
/** Rows that are remembered as having come before one, for each stream. */
const DEAD = 8;

/** `now`: milliseconds that never step. */
export function createMarks(deps: { readonly table: Table & TableWriter; readonly now: () => number }): Marks {
  const { table, now } = deps;
  const byId = new Map<RowId, Map<string, Mark>>();
  /** In the order in which they were made. */
  const all = new Set<Mark>();
  const active = new Map<string, Map<RowId, Mark>>();
  const shared = createSharedParts();
  let count = 0;

  const setActive = (mark: Mark, is: boolean): boolean => {
    if (mark.active === is) return false;
    mark.active = is;
    const { source, seen } = mark;
    count += is ? 1 : -1;
    const ofSource = active.get(source) ?? new Map<RowId, Mark>();
    if (is) active.set(source, ofSource.set(seen.id, mark));
    else if (ofSource.delete(seen.id) && ofSource.size === 0) active.delete(source);
    return true;
  };

  /** Gives whether it was active. */
  const drop = (mark: Mark): boolean => {
    all.delete(mark);
    const ofId = byId.get(mark.seen.id);
    if (ofId?.get(mark.source) === mark && ofId.delete(mark.source) && ofId.size === 0) byId.delete(mark.seen.id);
    return setActive(mark, false);
  };

  const judgeOne = (mark: Mark): boolean => {
    const { seen, compiled } = mark;
    if (!mark.active && mark.at <= now() - KEPT_MS) return drop(mark);
    if (table.holds(seen.id, seen.hash)) return setActive(mark, false);
    const served = servedIdentity(table, seen.id);
    if (served !== undefined && isNewer(served, seen, mark.dead)) return drop(mark);
    // What is not served need not be withheld.
    if (served === undefined && table.namespace(seen.id.slice("namespace/".length)) === undefined) {
      return setActive(mark, false);
    }
    // An agent's row that is not understood leaves the one before, here as in the table.
    const leavesLast = compiled?.kind === "refused" && seen.id.startsWith("agent/");
    return setActive(mark, !(leavesLast && served?.uid === compiled.uid));
  };

  const forgetOld = (): void => {
    const old = now() - KEPT_MS;
    for (const mark of all) {
      if (mark.at > old && all.size - count <= KEPT) return;
      if (!mark.active) drop(mark);
    }
  };

  const markOf = (source: string, id: RowId): Mark | undefined => active.get(source)?.get(id);

  return {
    get active() {
      return count;
    },
    sources: () => active.keys(),
    key(source, own) {
      const mark = markOf(source, `key/${own.id}`);
      if (mark === undefined) return own;
      return mark.compiled?.kind === "key" ? mark.compiled.key : undefined;
    },
    agent(source, own) {
      const mark = markOf(source, `agent/${own.id}`);
      if (mark === undefined) return own;
      return mark.compiled?.kind === "agent" ? mark.compiled.agent : undefined;
    },
    namespace(source, name, own) {
      const mark = markOf(source, `namespace/${name}`);
      if (mark === undefined) return own;
      return mark.compiled?.kind === "namespace" ? mark.compiled.row : undefined;
    },
    add(source, rows) {
      const changed: RowId[] = [];
      for (const row of rows) {
        const { id } = row;
        const earlier = byId.get(id)?.get(source);
        const known = [row.before, identityOf(earlier?.seen.row), ...(earlier?.dead ?? [])];
        const dead = known.filter((one) => one !== undefined).slice(0, DEAD);
        const mark: Mark = {
          source,
          seen: row,
          dead,
          compiled: row.row === null ? undefined : compile(id, row.row, shared),
          at: now(),
          active: false,
        };
        const wasActive = earlier !== undefined && drop(earlier);
        byId.set(id, (byId.get(id) ?? new Map<string, Mark>()).set(source, mark));
        all.add(mark);
        judgeOne(mark);
        if (wasActive || mark.active) changed.push(id);
      }
      forgetOld();
      return changed;
    },
    judge(ids, from) {
      if (all.size === 0) return;
      for (const id of ids) {
        for (const mark of byId.get(id)?.values() ?? []) {
          if (mark.source === from) drop(mark);
          else judgeOne(mark);
        }
      }
    },
    judgeAll(from) {
      for (const mark of all) {
        if (mark.source === from) drop(mark);
        else judgeOne(mark);
      }
    },
    dropActive(source) {
      const marked = [...(active.get(source) ?? [])];
      return marked.filter(([, mark]) => drop(mark)).map(([id]) => id);
    },
    dropUntil(source, until) {
      const marked = [...all].filter((mark) => mark.source === source && mark.at <= until);
      return marked.filter(drop).map(({ seen }) => seen.id);
    },
  };
}
