// Two operators over one history of edits, each as far behind as it happens to be, with faults on their streams. In: random histories.
// Out: what was seen to be taken away is refused whatever comes after, and in the end the table is the one that a snapshot gives.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createFakeClock } from "./clock.test-support.ts";
import type { Row, RowChange, RowId } from "./contract.ts";
import { bucketOf, createDigest } from "./digest.ts";
import { encodeLine, encodePut, rowHash } from "./encode.ts";
import { keyRow, sha256Of } from "./rows.test-support.ts";
import { createStandbyReader, type StandbyReader } from "./standby-reader.ts";
import { createStreamReader, type StreamReader } from "./stream-reader.ts";
import { createTable } from "./table.ts";
import { createWithheld } from "./withheld.ts";

const names = ["a", "b", "c"];
type Edit = { readonly name: string; readonly to: "Allow" | "Disable" | "Remove" | "Anew" };
type Event =
  | { readonly do: "edit"; readonly edit: Edit }
  /** An operator's watch brings it so many edits, and its stream carries them. */
  | { readonly do: "watch"; readonly operator: 0 | 1; readonly edits: number; readonly fault: Fault }
  | { readonly do: "apply"; readonly operator: 0 | 1 };
type Fault = "none" | "cut" | "doubled" | "corrupt";

const operator = fc.constantFrom<0 | 1>(0, 1);
const edit: fc.Arbitrary<Edit> = fc.record({
  name: fc.constantFrom(...names),
  to: fc.constantFrom<Edit["to"]>("Allow", "Disable", "Remove", "Anew"),
});
const events: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: edit.map((edit): Event => ({ do: "edit", edit })) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("watch" as const),
        operator,
        edits: fc.integer({ min: 1, max: 3 }),
        fault: fc.constantFrom<Fault>("none", "none", "none", "cut", "doubled", "corrupt"),
      }),
    },
    { weight: 1, arbitrary: operator.map((operator): Event => ({ do: "apply", operator })) },
  ),
  { maxLength: 60 },
);

/** The history as the API server has it: every change to a key is a new generation or a new object. */
function createHistory() {
  const changes: RowChange[] = [];
  const now = new Map<string, { uid: string; generation: number }>();
  return {
    changes,
    add({ name, to }: Edit): void {
      const known = to === "Anew" ? undefined : now.get(name);
      const at = { uid: known?.uid ?? `${name}-${changes.length}`, generation: (known?.generation ?? 0) + 1 };
      if (to === "Remove") now.delete(name);
      else now.set(name, at);
      const row = keyRow(`sk-${name}`, { ...at, ...(to === "Disable" ? { disabled: true } : {}) });
      changes.push({ id: `key/ns/${name}`, row: to === "Remove" ? null : row });
    },
  };
}

function createOperator(replica: string) {
  const digest = createDigest();
  const lines = new Map<RowId, string>();
  let sequence = 0;
  const textOf = (id: RowId, row: Row | null): string =>
    row === null ? encodeLine({ type: "REMOVE", id }) : encodePut(id, row);
  const batch = (texts: readonly string[], kind: { reset?: boolean; buckets?: readonly number[] }): string[] => [
    encodeLine({ type: "BATCH", replica, sequence, reset: false, ...kind }),
    ...texts,
    encodeLine({
      type: "COMMIT",
      replica,
      sequence,
      lines: texts.length,
      rows: digest.size,
      version: digest.version(),
    }),
  ];
  return {
    /** Changes of the history that it knows. */
    known: 0,
    hello: encodeLine({ type: "HELLO", gateway: "default", replica }),
    get version() {
      return digest.version();
    },
    heartbeat: () => encodeLine({ type: "HEARTBEAT", replica, sequence, version: digest.version() }),
    take(changes: readonly RowChange[]): string[] {
      sequence += 1;
      const texts = changes.map(({ id, row }) => {
        const text = textOf(id, row);
        if (row === null) {
          lines.delete(id);
          digest.delete(id);
        } else {
          lines.set(id, text);
          digest.set(id, rowHash(id, text));
        }
        return text;
      });
      return batch(texts, {});
    },
    greeting(prefixes: string | undefined): string[] {
      if (prefixes === undefined) return batch([...lines.values()], { reset: true });
      const buckets = digest.differing(prefixes) ?? [];
      return batch(
        [...lines].filter(([id]) => buckets.includes(bucketOf(id))).map(([, line]) => line),
        { buckets },
      );
    },
  };
}

const faults: Record<Fault, (lines: string[]) => string[]> = {
  none: (lines) => lines,
  cut: (lines) => lines.slice(0, -1),
  doubled: (lines) => [...lines, ...lines],
  corrupt: (lines) => lines.map((line) => line.replace('"owner"', '"owned"')),
};

function play(all: readonly Event[]) {
  const history = createHistory();
  const operators = [createOperator("r0"), createOperator("r1")] as const;
  const clock = createFakeClock();
  const table = createTable();
  const withheld = createWithheld({ table, clock });
  /** How far in the history it was last said, on any stream, what became of a key. */
  const seenAt = new Map<RowId, number>();
  let applied: 0 | 1 = 0;
  let reader: StreamReader | undefined;
  let standby: StandbyReader | undefined;

  const note = (from: number, to: number): void => {
    for (let at = from; at < to; at += 1) {
      const id = history.changes[at]?.id ?? "";
      seenAt.set(id, Math.max(at, seenAt.get(id) ?? -1));
    }
  };
  /** False: the stream cannot be trusted. */
  const readApplied = (lines: readonly string[]): boolean => {
    for (const line of lines) {
      const step = reader?.line(line);
      if (step === undefined || step instanceof Promise || step.step === "Fault") return false;
      if (step.step === "Greeted") withheld.apply(`${applied}`);
      if (step.step !== "Applied") continue;
      withheld.seen(`${applied}`, step.seen);
      withheld.inStep(`${applied}`);
    }
    return true;
  };
  const readStandby = (lines: readonly string[]): boolean => {
    const source = `${1 - applied}`;
    for (const line of lines) {
      const step = standby?.line(line);
      if (step === undefined || step.step === "Fault") return false;
      if (step.step === "Seen") withheld.seen(source, step.seen);
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
    expect(readApplied([from.hello, ...from.greeting(table.complete ? table.prefixes() : undefined)])).toBe(true);
    note(0, from.known);
  };
  const openStandby = (): void => {
    const from = operators[applied === 0 ? 1 : 0];
    standby = createStandbyReader({ table, gateway: "default" });
    readStandby([from.hello, from.heartbeat()]);
  };
  const check = (): void => {
    for (const [id, at] of seenAt) {
      // The last change of that key up to there.
      const { row } = history.changes[at] ?? { row: null };
      if (row !== null && !("disabled" in row)) continue;
      const key = withheld.table.key(sha256Of(`sk-${id.slice("key/ns/".length)}`));
      expect(key === undefined || key.row.disabled === true).toBe(true);
    }
  };
  const watch = (which: 0 | 1, edits: number, fault: Fault): void => {
    const from = operators[which];
    const before = from.known;
    from.known = Math.min(history.changes.length, before + edits);
    if (from.known === before) return;
    const lines = faults[fault](from.take(history.changes.slice(before, from.known)));
    const isWhole = which === applied ? readApplied(lines) : readStandby(lines);
    if (fault === "none") note(before, from.known);
    if (isWhole && fault !== "cut") return;
    if (which === applied) openApplied();
    else openStandby();
  };

  openApplied();
  openStandby();
  for (const event of all) {
    if (event.do === "edit") history.add(event.edit);
    else if (event.do === "watch") watch(event.operator, event.edits, event.fault);
    else if (event.operator !== applied) {
      applied = event.operator;
      openApplied();
      openStandby();
    }
    check();
  }
  // In the end all is told.
  for (const which of [0, 1] as const) watch(which, history.changes.length, "none");
  check();
  readStandby([operators[applied === 0 ? 1 : 0].heartbeat()]);
  const fresh = createTable();
  const final = new Map(history.changes.map(({ id, row }) => [id, row]));
  fresh.applyLocal(
    [...final].flatMap(([id, row]) => (row === null ? [] : { id, row })),
    true,
  );
  expect(table.version).toBe(fresh.version);
  expect(withheld.rows).toBe(0);
  for (const name of names) {
    const token = sha256Of(`sk-${name}`);
    expect(withheld.table.key(token)).toStrictEqual(fresh.key(token));
  }
}

test("what any stream took away stays refused, and both operators' tables end as a snapshot does", () => {
  fc.assert(fc.property(events, play), { numRuns: 150 });
}, 60_000);
