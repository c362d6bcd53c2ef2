// Two operators over one history of edits, each as far behind as it happens to be, with faults on their streams. In: random histories.
// Out: what was seen to be taken away is refused whatever comes after, and in the end the table is the one that a snapshot gives.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createFakeClock } from "./clock.test-support.ts";
import type { RowChange, RowId } from "./contract.ts";
import { createLinesOperator } from "./lines-operator.test-support.ts";
import { keyRow, sha256Of } from "./rows.test-support.ts";
import { seenRows } from "./seen-row.ts";
import { createStandbyReader, type StandbyReader } from "./standby-reader.ts";
import { createStreamReader, type StreamReader } from "./stream-reader.ts";
import { createTable } from "./table.ts";
import { createWithheld } from "./withheld.ts";

const names = ["a", "b", "c"];
type Edit = { readonly name: string; readonly to: "Allow" | "Disable" | "Rotate" | "Remove" | "Anew" };
type Event =
  | { readonly do: "edit"; readonly edit: Edit }
  /** An operator's watch brings it so many edits, and it sends a batch. `silent`: it does not say how far it has read. */
  | {
      readonly do: "watch";
      readonly operator: 0 | 1;
      readonly edits: number;
      readonly silent: boolean;
      readonly fault: Fault;
    }
  /** So many batches of an operator arrive, whatever the other one has sent meanwhile. */
  | { readonly do: "deliver"; readonly operator: 0 | 1; readonly batches: number }
  | { readonly do: "beat"; readonly operator: 0 | 1 }
  | { readonly do: "wait"; readonly ms: number }
  /** Somebody asks for what belongs to a key; in between, what is judged in slices may wait. */
  | { readonly do: "ask"; readonly name: string }
  | { readonly do: "apply"; readonly operator: 0 | 1 };
type Fault = "none" | "cut" | "doubled" | "corrupt";

const operator = fc.constantFrom<0 | 1>(0, 1);
const edit: fc.Arbitrary<Edit> = fc.record({
  name: fc.constantFrom(...names),
  to: fc.constantFrom<Edit["to"]>("Allow", "Disable", "Rotate", "Remove", "Anew"),
});
const events: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: edit.map((edit): Event => ({ do: "edit", edit })) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("watch" as const),
        operator,
        edits: fc.integer({ min: 1, max: 4 }),
        silent: fc.boolean(),
        fault: fc.constantFrom<Fault>("none", "none", "none", "none", "none", "cut", "doubled", "corrupt"),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("deliver" as const),
        operator,
        batches: fc.integer({ min: 1, max: 3 }),
      }),
    },
    { weight: 2, arbitrary: operator.map((operator): Event => ({ do: "beat", operator })) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 40_000 }).map((ms): Event => ({ do: "wait", ms })) },
    { weight: 2, arbitrary: operator.map((operator): Event => ({ do: "apply", operator })) },
    { weight: 3, arbitrary: fc.constantFrom(...names).map((name): Event => ({ do: "ask", name })) },
  ),
  { maxLength: 80 },
);

/** What was seen to be taken away is remembered for so long; milliseconds. */
const REMEMBERED_MS = 30_000;

/** The history as the API server has it: an edit of a key is a new generation, a new token or a new object. */
function createHistory() {
  const changes: RowChange[] = [];
  const now = new Map<string, { uid: string; generation: number; token: string }>();
  const tokens = new Set<string>();
  return {
    changes,
    /** All that any key has ever had. */
    tokens,
    add({ name, to }: Edit): void {
      const known = to === "Anew" ? undefined : now.get(name);
      const uid = known?.uid ?? `${name}-${changes.length}`;
      // A token is in a Secret: another one makes no new generation of the key.
      const generation = (known?.generation ?? 0) + (to === "Rotate" ? 0 : 1);
      const token = to === "Rotate" ? `sk-${name}-${changes.length}` : (known?.token ?? `sk-${name}`);
      if (to === "Remove") now.delete(name);
      else now.set(name, { uid, generation, token });
      tokens.add(token);
      const row = keyRow(token, { uid, generation, ...(to === "Disable" ? { disabled: true } : {}) });
      changes.push({ id: `key/ns/${name}`, row: to === "Remove" ? null : row });
    },
  };
}

const faults: Record<Fault, (lines: string[]) => string[]> = {
  none: (lines) => lines,
  cut: (lines) => lines.slice(0, -1),
  doubled: (lines) => [...lines, ...lines],
  corrupt: (lines) => lines.map((line) => line.replace('"owner"', '"owned"')),
};

interface Sent {
  readonly lines: readonly string[];
  /** Changes of the history that its operator knew then. */
  readonly until: number;
  readonly fault: Fault;
}

/** `slice`: rows that are judged in one go; undefined: all of so few, and after each event all is asked for. */
function play(all: readonly Event[], slice?: number) {
  const history = createHistory();
  const operators = [createLinesOperator("r0"), createLinesOperator("r1")] as const;
  /** What each has sent and nobody has received. */
  const sent: [Sent[], Sent[]] = [[], []];
  const clock = createFakeClock();
  const table = createTable();
  const withheld = createWithheld({ table, clock, ...(slice === undefined ? {} : { slice }) });
  /** How far in the history it was first said, on any stream, what became of a key, and when. */
  const seenAt = new Map<RowId, { readonly at: number; readonly when: number }>();
  let applied: 0 | 1 = 0;
  let reader: StreamReader | undefined;
  let standby: StandbyReader | undefined;

  const note = (until: number): void => {
    for (let at = 0; at < until; at += 1) {
      const id = history.changes[at]?.id ?? "";
      if (at > (seenAt.get(id)?.at ?? -1)) seenAt.set(id, { at, when: clock.elapsed() });
    }
  };
  /** False: the stream cannot be trusted. */
  const readApplied = (lines: readonly string[]): boolean => {
    for (const line of lines) {
      const step = reader?.line(line);
      if (step === undefined || step instanceof Promise || step.step === "Fault") return false;
      if (step.step === "Applied") withheld.applied(`${applied}`, step.seen, step.reach, step.added);
      else if (step.step === "Current") withheld.applied(`${applied}`, seenRows(), step.reach);
    }
    return true;
  };
  const readStandby = (lines: readonly string[]): boolean => {
    const source = `${1 - applied}`;
    for (const line of lines) {
      const step = standby?.line(line);
      if (step === undefined || step.step === "Fault") return false;
      if (step.step === "Seen") withheld.seen(source, step.seen, step.reach);
      else if (step.step === "Announced") withheld.seen(source, seenRows(), step.reach);
      if ((step.step === "Seen" || step.step === "Announced") && step.at.version === table.version) {
        withheld.inStep(source);
      }
    }
    return true;
  };
  const openApplied = (): void => {
    reader?.end();
    reader = createStreamReader({ table, lastGood: undefined, gateway: "default" });
    const from = operators[applied];
    sent[applied] = [];
    expect(readApplied([from.hello, ...from.greeting(table.complete ? table.prefixes() : undefined)])).toBe(true);
    note(from.known);
  };
  const openStandby = (): void => {
    const other = applied === 0 ? 1 : 0;
    sent[other] = [];
    standby = createStandbyReader({ gateway: "default" });
    readStandby([operators[other].hello, operators[other].heartbeat()]);
  };
  const reopen = (which: 0 | 1): void => {
    withheld.lost(`${which}`);
    if (which === applied) openApplied();
    else openStandby();
  };
  const check = (name?: string): void => {
    for (const [id, { at, when }] of seenAt) {
      if (clock.elapsed() - when >= REMEMBERED_MS || id !== `key/ns/${name ?? id.slice("key/ns/".length)}`) continue;
      const row = history.changes[at]?.row;
      const left = row === null || row === undefined || "disabled" in row || !("sha256" in row) ? "" : row.sha256;
      for (const token of history.tokens) {
        if (!token.startsWith(`sk-${id.slice("key/ns/".length)}`) || sha256Of(token) === left) continue;
        const key = withheld.table.key(sha256Of(token));
        expect(key === undefined || key.row.disabled === true).toBe(true);
      }
    }
  };
  const watch = (which: 0 | 1, edits: number, silent: boolean, fault: Fault): void => {
    const from = operators[which];
    const changes = history.changes.slice(from.known, from.known + edits);
    if (changes.length === 0) return;
    const lines = faults[fault](from.take(changes, silent));
    sent[which].push({ lines, until: from.known, fault });
  };
  const deliver = (which: 0 | 1, batches: number): void => {
    for (let left = batches; left > 0; left -= 1) {
      const batch = sent[which].shift();
      if (batch === undefined) return;
      const isWhole = which === applied ? readApplied(batch.lines) : readStandby(batch.lines);
      if (batch.fault === "none") note(batch.until);
      if (!isWhole || batch.fault === "cut") return reopen(which);
    }
  };
  /** It comes behind all that was sent. */
  const beat = (which: 0 | 1): void => {
    deliver(which, sent[which].length);
    const line = operators[which].heartbeat();
    expect(which === applied ? readApplied([line]) : readStandby([line])).toBe(true);
  };

  openApplied();
  openStandby();
  for (const event of all) {
    if (event.do === "edit") history.add(event.edit);
    else if (event.do === "watch") watch(event.operator, event.edits, event.silent, event.fault);
    else if (event.do === "deliver") deliver(event.operator, event.batches);
    else if (event.do === "beat") beat(event.operator);
    else if (event.do === "wait") clock.advance(event.ms);
    else if (event.do === "ask") check(event.name);
    else if (event.operator !== applied) {
      applied = event.operator;
      openApplied();
      openStandby();
    }
    if (slice === undefined) check();
  }
  // In the end all is told.
  for (const which of [0, 1] as const) {
    watch(which, history.changes.length, false, "none");
    beat(which);
    check();
    clock.advance(0);
  }
  const fresh = createTable();
  const final = new Map(history.changes.map(({ id, row }) => [id, row]));
  fresh.applyLocal(
    [...final].flatMap(([id, row]) => (row === null ? [] : { id, row })),
    true,
  );
  expect(table.version).toBe(fresh.version);
  expect(withheld.rows).toBe(0);
  for (const token of history.tokens) {
    expect(withheld.table.key(sha256Of(token))).toStrictEqual(fresh.key(sha256Of(token)));
  }
  withheld.end();
}

test("what any stream took away stays refused, and both operators' tables end as a snapshot does", () => {
  fc.assert(fc.property(events, fc.constant(undefined), play), { numRuns: 400 });
}, 60_000);

test("also where rows are judged in slices", () => {
  fc.assert(fc.property(events, fc.constant(1), play), { numRuns: 1000 });
}, 60_000);
