// Rows that decide access as streams brought them lately. In: rows of batches, changes of the table. Out: those that the table differs from
// although its operator is not known to have seen what they came from ("active"), by stream. The others are kept a while: a table that goes
// back to an older row, because another operator is behind, must not give back what was taken away.
import type { Agent, Key, Table } from "./compiled.ts";
import type { NamespaceRow, Reach, RowId } from "./contract.ts";
import { covers } from "./reach.ts";
import { compile, type Compiled } from "./rows.ts";
import type { SeenRow } from "./seen-row.ts";
import { createSharedParts } from "./shared-parts.ts";
import type { TableWriter } from "./table.ts";

interface Mark {
  readonly source: string;
  readonly seen: SeenRow;
  readonly compiled: Compiled | undefined;
  readonly at: number;
  /** Whoever has come to there has seen what the row came from; undefined while its stream has not said it. */
  until: Reach | undefined;
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
  /** The stream says how far its operator has read: what was added of it came before. */
  reached(source: string, reach: Reach | undefined): RowId[];
  /** The table is this stream's, whose operator has read that far; undefined: it does not say now, and is not behind where it was. `added`: rows that the table lacked before. */
  stands(source: string, reach: Reach | undefined, added: readonly RowId[]): RowId[];
  /** The table's rows of these ids have changed. */
  judge(ids: readonly RowId[]): void;
  judgeAll(): void;
  /** Drops a stream's active marks. */
  dropActive(source: string): RowId[];
  /** Drops all marks of a stream that were made until then. */
  dropUntil(source: string, until: number): RowId[];
}

/** Marks that are not active are kept so long, milliseconds, and so many. */
const KEPT_MS = 30_000;
const KEPT = 20_000;

/** `now`: milliseconds that never step. */
export function createMarks(deps: { readonly table: Table & TableWriter; readonly now: () => number }): Marks {
  const { table, now } = deps;
  const byId = new Map<RowId, Map<string, Mark>>();
  /** In the order in which they were made. */
  const all = new Set<Mark>();
  const active = new Map<string, Map<RowId, Mark>>();
  const shared = createSharedParts();
  let count = 0;
  /** Of which it is not known yet when they are covered, by stream. */
  const open = new Map<string, Set<Mark>>();
  /** Whose rows the table has, and how far that operator had read at least. */
  let standing: { readonly source: string; readonly reach: Reach | undefined } | undefined;

  const isCovered = ({ source, until }: Mark): boolean => source === standing?.source || covers(standing?.reach, until);

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
    open.get(mark.source)?.delete(mark);
    const ofId = byId.get(mark.seen.id);
    if (ofId?.get(mark.source) === mark && ofId.delete(mark.source) && ofId.size === 0) byId.delete(mark.seen.id);
    return setActive(mark, false);
  };

  const judgeOne = (mark: Mark): boolean => {
    const { seen, compiled } = mark;
    if (!mark.active && mark.at <= now() - KEPT_MS) return drop(mark);
    if (isCovered(mark) || table.holds(seen.id, seen.hash)) return setActive(mark, false);
    const served = servedRow(table, seen.id);
    // What is not served need not be withheld.
    if (served === undefined) return setActive(mark, false);
    // An agent's row that is not understood leaves the one before, here as in the table.
    const leavesLast = compiled?.kind === "refused" && seen.id.startsWith("agent/");
    return setActive(mark, !(leavesLast && "uid" in served && served.uid === compiled.uid));
  };

  const forgetOld = (): void => {
    const old = now() - KEPT_MS;
    for (const mark of all) {
      if (mark.at > old && all.size - count <= KEPT) return;
      if (!mark.active) drop(mark);
    }
  };

  /** Gives whether the row is withheld, or was, by that stream. */
  const put = (source: string, seen: SeenRow, until?: Reach): boolean => {
    const { id, row } = seen;
    const earlier = byId.get(id)?.get(source);
    const compiled = row === null ? undefined : compile(id, row, shared);
    const mark: Mark = { source, seen, compiled, at: now(), until, active: false };
    const wasActive = earlier !== undefined && drop(earlier);
    byId.set(id, (byId.get(id) ?? new Map<string, Mark>()).set(source, mark));
    all.add(mark);
    if (until === undefined) open.set(source, (open.get(source) ?? new Set<Mark>()).add(mark));
    judgeOne(mark);
    return wasActive || mark.active;
  };

  const judgeThese = (marked: readonly Mark[]): RowId[] => marked.filter(judgeOne).map(({ seen }) => seen.id);

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
      const changed = rows.filter((row) => put(source, row)).map(({ id }) => id);
      forgetOld();
      return changed;
    },
    reached(source, reach) {
      const marked = reach === undefined ? [] : [...(open.get(source) ?? [])];
      if (marked.length > 0) open.delete(source);
      for (const mark of marked) mark.until = reach;
      return judgeThese(marked);
    },
    stands(source, reach, added) {
      const before = standing;
      const isSame = before?.source === source;
      if (before !== undefined && !isSame && !covers(reach, before.reach)) {
        // The one before had come further, and did not have them.
        for (const id of added) {
          if (byId.get(id)?.has(before.source) !== true)
            put(before.source, { id, row: null, hash: undefined }, before.reach);
        }
      }
      standing = { source, reach: reach ?? (isSame ? before.reach : undefined) };
      // Whoever has read on covers more: then those that are not active stay so.
      return judgeThese(isSame ? [...active.values()].flatMap((marked) => Array.from(marked.values())) : [...all]);
    },
    judge(ids) {
      if (all.size === 0) return;
      for (const id of ids) {
        for (const mark of byId.get(id)?.values() ?? []) judgeOne(mark);
      }
    },
    judgeAll() {
      for (const mark of all) judgeOne(mark);
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

/** What requests are given under the id. */
function servedRow(table: Table, id: RowId): Key["row"] | Agent["row"] | NamespaceRow | undefined {
  const [kind, namespace = "", name = ""] = id.split("/");
  if (kind === "key") return table.keyById(`${namespace}/${name}`)?.row;
  if (kind === "agent") return table.agentByName(namespace, name)?.row;
  return table.namespace(namespace);
}
