// Rows that decide access as streams brought them lately. In: rows of batches, changes of the table. Out: those that the table differs from
// although its operator is not known to have seen what they came from ("active"), by stream. The others are kept a while: a table that goes
// back to an older row, because another operator is behind, must not give back what was taken away. Many are judged in slices; what is asked
// for meanwhile is judged when it is asked for.
import type { Clock, Timer } from "./clock.ts";
import type { Agent, Key, Table } from "./compiled.ts";
import type { NamespaceRow, Reach, RowId } from "./contract.ts";
import { unpackKey } from "./packed-key.ts";
import { covers } from "./reach.ts";
import { seenRows, type SeenRow, type SeenRows } from "./seen-row.ts";
import type { TableWriter } from "./table.ts";

/** What a stream said at once. */
interface Said {
  readonly by: Source;
  readonly at: number;
  /** Whoever has come to there has seen what the rows came from; undefined while the stream has not said it. */
  until: Reach | undefined;
}

interface Mark {
  readonly seen: SeenRow;
  readonly said: Said;
  active: boolean;
}

interface Source {
  readonly name: string;
  /** In the order in which they were made. */
  readonly marks: Map<RowId, Mark>;
  readonly active: Set<Mark>;
  /** Rows that are no marks yet, in the order of their batches. */
  arrived: { readonly said: Said; readonly rows: SeenRows }[];
  /** Of some it is not known yet when they are covered. */
  isOpen: boolean;
  /** It was where the table is, and neither has changed since: what waits and turns out active is out of date. */
  inStep: boolean;
}

export interface Marks {
  /** How many rows are known to be withheld, counted for each stream. */
  readonly active: number;
  /** Nothing is withheld, nor waits for its judgement. */
  readonly quiet: boolean;
  /** Streams that may withhold something. */
  sources(): readonly string[];
  /** The row as that stream has it: the table's own unless it is marked; undefined: it is not there, or not understood. */
  key(source: string, own: Key): Key | undefined;
  agent(source: string, own: Agent): Agent | undefined;
  namespace(source: string, name: string, own: NamespaceRow | undefined): NamespaceRow | undefined;
  /** Rows of a batch of the stream, which are its own from now on, and how far its operator has read by now, if it says so. */
  add(source: string, rows: SeenRows, reach: Reach | undefined): void;
  /** The table is this stream's, whose operator has read that far; undefined: it does not say now, and is not behind where it was. `added`: rows that the table lacked before. */
  stands(source: string, reach: Reach | undefined, added: readonly RowId[]): void;
  /** The table's rows of these ids have changed, of which everybody is about to be told. */
  judge(ids: readonly RowId[]): void;
  judgeAll(): void;
  /** Drops a stream's active marks. */
  dropActive(source: string): void;
  /** Drops all marks of a stream that were made until then. */
  dropUntil(source: string, until: number): void;
  /** Stops its timer. */
  end(): void;
}

/** Marks that are not active are kept so long, milliseconds, and so many of a stream. */
const KEPT_MS = 30_000;
const KEPT = 10_000;
/** Rows that are judged in one go, or forgotten: a millisecond or two. */
const SLICE = 500;

/** `tell`: of ids whose rows are withheld in another way than before. */
export function createMarks(deps: {
  readonly table: Table & TableWriter;
  readonly clock: Clock;
  readonly tell: (ids: readonly RowId[]) => void;
  readonly slice?: number | undefined;
}): Marks {
  const { table, clock, tell, slice = SLICE } = deps;
  const sources = new Map<string, Source>();
  /** To be judged; until then they may be active or not. */
  const waiting = new Set<Mark>();
  /** Streams of which rows have arrived. */
  const arrivals = new Set<Source>();
  /** To be told of. */
  const changed = new Set<RowId>();
  let count = 0;
  let timer: Timer | undefined;
  /** Whose rows the table has, and how far that operator had read at least. */
  let standing: { readonly source: string; readonly reach: Reach | undefined } | undefined;

  const sourceOf = (name: string): Source => {
    const known = sources.get(name);
    if (known !== undefined) return known;
    const made: Source = { name, marks: new Map(), active: new Set(), arrived: [], isOpen: false, inStep: false };
    sources.set(name, made);
    return made;
  };

  const setActive = (mark: Mark, is: boolean): void => {
    if (mark.active === is) return;
    mark.active = is;
    count += is ? 1 : -1;
    changed.add(mark.seen.id);
    if (is) mark.said.by.active.add(mark);
    else mark.said.by.active.delete(mark);
  };

  const drop = (mark: Mark): void => {
    waiting.delete(mark);
    mark.said.by.marks.delete(mark.seen.id);
    setActive(mark, false);
  };

  const isCovered = ({ by, until }: Said): boolean => by.name === standing?.source || covers(standing?.reach, until);

  const withholds = ({ seen, said }: Mark): boolean => {
    const { id, hash, compiled } = seen;
    if (isCovered(said) || table.holds(id, hash)) return false;
    const [kind, namespace = "", name = ""] = id.split("/");
    // What is not served need not be withheld.
    if (kind === "key") return table.servesKey(id);
    if (kind !== "agent") return table.namespace(namespace) !== undefined;
    const served = table.agentByName(namespace, name)?.row;
    // A row that is not understood leaves the one before, here as in the table.
    return served !== undefined && !(compiled?.kind === "refused" && compiled.uid === served.uid);
  };

  const isOld = ({ active, said }: Mark): boolean => !active && said.at <= clock.elapsed() - KEPT_MS;

  const judgeOne = (mark: Mark): void => {
    // What waits was not too old when it began to: however late its slice comes, it is judged.
    const hasWaited = waiting.delete(mark);
    const isPast = !hasWaited && isOld(mark);
    if (!isPast) setActive(mark, withholds(mark));
    if (isPast || (mark.active && mark.said.by.inStep)) drop(mark);
  };

  const isSettled = (): boolean => waiting.size === 0 && arrivals.size === 0;

  const mark = (seen: SeenRow, said: Said): Mark => {
    const { marks } = said.by;
    const earlier = marks.get(seen.id);
    if (earlier !== undefined) drop(earlier);
    const made: Mark = { seen, said, active: false };
    marks.set(seen.id, made);
    waiting.add(made);
    return made;
  };
  /** Makes a mark of what has arrived under the id. */
  const takeIn = ({ arrived }: Source, id: RowId): void => {
    for (const { said, rows } of arrived) {
      const seen = rows.get(id);
      if (seen !== undefined && rows.delete(id)) mark(seen, said);
    }
  };

  /** All that waits, the oldest first; what is judged meanwhile is passed over. */
  function* unjudged(): Generator<Mark> {
    for (const by of arrivals) {
      for (const { said, rows } of by.arrived) {
        for (const seen of rows.values()) {
          rows.delete(seen.id);
          yield mark(seen, said);
        }
      }
      by.arrived = [];
      arrivals.delete(by);
    }
    yield* waiting;
  }
  const judgeSome = (): void => {
    let left = slice;
    for (const one of unjudged()) {
      judgeOne(one);
      left -= 1;
      if (left === 0) break;
    }
    timer = isSettled() ? undefined : clock.setTimeout(goOn, 0);
  };
  const tellChanged = (): void => {
    const ids = [...changed];
    changed.clear();
    if (ids.length > 0) tell(ids);
  };
  const goOn = (): void => {
    judgeSome();
    tellChanged();
  };
  /** Few marks at once, many in slices. */
  const settle = (): void => {
    if (timer === undefined) judgeSome();
    tellChanged();
  };

  const waitFor = (marks: Iterable<Mark>): void => {
    for (const mark of marks) if (!isOld(mark)) waiting.add(mark);
  };
  const waitForAll = (): void => {
    for (const source of sources.values()) {
      source.inStep = false;
      waitFor(source.marks.values());
    }
  };

  const put = (source: string, rows: SeenRows, until: Reach | undefined): void => {
    if (rows.size === 0) return;
    const by = sourceOf(source);
    const said: Said = { by, at: clock.elapsed(), until };
    by.inStep = false;
    by.isOpen ||= until === undefined;
    by.arrived.push({ said, rows });
    arrivals.add(by);
  };

  const forgetOld = (): void => {
    const old = clock.elapsed() - KEPT_MS;
    let left = slice;
    for (const { name, marks, active, arrived } of sources.values()) {
      for (const one of marks.values()) {
        if (left === 0 || (one.said.at > old && marks.size - active.size - waiting.size <= KEPT)) break;
        if (one.active || waiting.has(one)) continue;
        drop(one);
        left -= 1;
      }
      if (marks.size === 0 && arrived.length === 0) sources.delete(name);
    }
  };

  const markOf = (source: string, id: RowId): Mark | undefined => {
    const by = sources.get(source);
    if (by === undefined) return undefined;
    takeIn(by, id);
    const found = by.marks.get(id);
    if (found !== undefined && waiting.has(found)) judgeOne(found);
    return found?.active === true ? found : undefined;
  };

  return {
    get active() {
      return count;
    },
    get quiet() {
      return count === 0 && isSettled();
    },
    sources: () =>
      [...sources.values()].filter(({ active }) => active.size > 0 || !isSettled()).map(({ name }) => name),
    key(source, own) {
      const mark = markOf(source, `key/${own.id}`);
      if (mark === undefined) return own;
      const { id, compiled } = mark.seen;
      return compiled?.kind === "key" ? unpackKey(id, compiled.key) : undefined;
    },
    agent(source, own) {
      const mark = markOf(source, `agent/${own.id}`);
      if (mark === undefined) return own;
      return mark.seen.compiled?.kind === "agent" ? mark.seen.compiled.agent : undefined;
    },
    namespace(source, name, own) {
      const mark = markOf(source, `namespace/${name}`);
      if (mark === undefined) return own;
      return mark.seen.compiled?.kind === "namespace" ? mark.seen.compiled.row : undefined;
    },
    add(source, rows, reach) {
      put(source, rows, reach);
      const by = sources.get(source);
      if (by?.isOpen === true && reach !== undefined) {
        for (const { said } of [...by.marks.values(), ...by.arrived]) said.until ??= reach;
        by.isOpen = false;
        waitFor(by.active);
      }
      settle();
      forgetOld();
    },
    stands(source, reach, added) {
      const before = standing;
      const isSame = before?.source === source;
      if (before !== undefined && !isSame && !covers(reach, before.reach)) {
        // The one before had come further, and did not have them.
        const known = sources.get(before.source)?.marks;
        const lacking = added.filter((id) => known?.has(id) !== true);
        put(before.source, seenRows(lacking.map((id) => ({ id, hash: undefined, compiled: undefined }))), before.reach);
      }
      standing = { source, reach: reach ?? (isSame ? before.reach : undefined) };
      if (!isSame) waitForAll();
      // Whoever has read on covers more: then those that are not active stay so.
      else if (reach !== undefined && !covers(before.reach, reach))
        for (const { active } of sources.values()) waitFor(active);
      settle();
    },
    judge(ids) {
      for (const source of sources.values()) {
        source.inStep = false;
        for (const id of ids) {
          const mark = source.marks.get(id);
          if (mark !== undefined) judgeOne(mark);
        }
      }
      for (const id of ids) changed.delete(id);
    },
    judgeAll() {
      waitForAll();
      if (timer === undefined) judgeSome();
      changed.clear();
    },
    dropActive(source) {
      const by = sources.get(source);
      if (by === undefined) return;
      for (const mark of by.active) if (!waiting.has(mark)) drop(mark);
      by.inStep = true;
      tellChanged();
    },
    dropUntil(source, until) {
      const by = sources.get(source);
      if (by === undefined) return;
      for (const one of by.marks.values()) if (one.said.at <= until) drop(one);
      by.arrived = by.arrived.filter(({ said }) => said.at > until);
      tellChanged();
    },
    end() {
      timer?.cancel();
    },
  };
}
