// Many rows at once, judged in slices. In: batches of streams and of the table, larger than a slice. Out: what is refused meanwhile is what
// would be refused if all were judged.
import { expect, test } from "vitest";
import { createFakeClock } from "./clock.test-support.ts";
import type { RowChange, RowId } from "./contract.ts";
import { encodePut } from "./encode.ts";
import { compile } from "./rows.ts";
import { keyRow, sha256Of } from "./rows.test-support.ts";
import { seenRow, seenRows } from "./seen-row.ts";
import { createSharedParts } from "./shared-parts.ts";
import { createTable } from "./table.ts";
import { createWithheld } from "./withheld.ts";

const names = ["a", "b", "c", "d"];
const idOf = (name: string): RowId => `key/ns/${name}`;
const there = names.map((name): RowChange => ({ id: idOf(name), row: keyRow(`sk-${name}`) }));
const gone = names.map((name): RowChange => ({ id: idOf(name), row: null }));

function setUp() {
  const clock = createFakeClock();
  const table = createTable();
  table.applyLocal(there, true);
  const withheld = createWithheld({ table, clock, slice: 1 });
  const told: RowId[][] = [];
  withheld.table.onChange(({ ids, reset }) => void told.push(reset ? ["all"] : [...ids]));
  withheld.applied("a", seenRows(), { keys: 1 });
  /** A standby stream that takes them all away. */
  const takeAway = (at: number | undefined): void =>
    withheld.seen(
      "s",
      seenRows(names.map((name) => seenRow(idOf(name), "", undefined))),
      at === undefined ? undefined : { keys: at },
    );
  const admitted = (): string[] => names.filter((name) => withheld.table.key(sha256Of(`sk-${name}`)) !== undefined);
  return { clock, table, withheld, told, takeAway, admitted };
}

test("what was taken away is refused as soon as it is asked for, and told of as it is judged", () => {
  const { clock, withheld, told, takeAway, admitted } = setUp();
  takeAway(2);
  expect([withheld.rows, told]).toStrictEqual([1, [["key/ns/a"]]]);
  expect(withheld.table.key(sha256Of("sk-d"))).toBeUndefined();
  clock.advance(0);
  expect(told.flat().sort()).toStrictEqual(names.map(idOf));
  expect([withheld.rows, admitted()]).toStrictEqual([4, []]);
});

test("also while nothing is known to be withheld", () => {
  const { clock, withheld, told, admitted } = setUp();
  const [same] = there;
  if (same?.row === null || same === undefined) throw new Error("there is no row");
  const stands = seenRow(same.id, encodePut(same.id, same.row), compile(same.id, same.row, createSharedParts()));
  const rest = names.slice(1).map((name) => seenRow(idOf(name), "", undefined));
  withheld.seen("s", seenRows([stands, ...rest]), { keys: 2 });
  expect([withheld.rows, told]).toStrictEqual([0, []]);
  expect(withheld.table.key(sha256Of("sk-c"))).toBeUndefined();
  clock.advance(0);
  expect([withheld.rows, admitted()]).toStrictEqual([3, ["a"]]);
});

test("it is given back once the operator whose table it is has come as far", () => {
  const { clock, withheld, told, takeAway, admitted } = setUp();
  takeAway(2);
  withheld.applied("a", seenRows(), { keys: 2 });
  expect(admitted()).toStrictEqual(names);
  clock.advance(0);
  expect([withheld.rows, admitted()]).toStrictEqual([0, names]);
  expect(told.flat()).toContain("key/ns/a");
});

test("also when its stream says only later how far it was", () => {
  const { clock, withheld, takeAway, admitted } = setUp();
  takeAway(1);
  takeAway(undefined);
  withheld.applied("a", seenRows(), { keys: 2 });
  withheld.seen("s", seenRows(), { keys: 2 });
  clock.advance(0);
  expect([withheld.rows, admitted()]).toStrictEqual([0, names]);
});

test("a stream that is where the table is withholds nothing, though it was not all judged", () => {
  const { clock, withheld, takeAway, admitted } = setUp();
  takeAway(2);
  withheld.inStep("s");
  expect(admitted()).toStrictEqual(names);
  clock.advance(0);
  expect(withheld.rows).toBe(0);
  // What it takes away after that it does withhold.
  takeAway(2);
  expect(admitted()).toStrictEqual([]);
});

test.each([
  ["with a whole table", true],
  ["row by row", false],
])("a table that goes back %s before all was judged gives nothing back", (_how, isWhole) => {
  const { clock, table, withheld, takeAway, admitted } = setUp();
  takeAway(3);
  // The applied operator comes as far, and both are where the table is.
  table.applyLocal([], true);
  withheld.inStep("s");
  table.applyLocal(there, isWhole);
  withheld.applied("b", seenRows(), { keys: 1 });
  expect(admitted()).toStrictEqual([]);
  clock.advance(0);
  expect([withheld.rows, admitted()]).toStrictEqual([4, []]);
  table.applyLocal(gone, false);
  expect(withheld.rows).toBe(0);
});

test("a stream that is lost before all was judged withholds it for half a minute", () => {
  const { clock, withheld, takeAway, admitted } = setUp();
  takeAway(2);
  withheld.lost("s");
  clock.advance(29_999);
  expect(admitted()).toStrictEqual([]);
  clock.advance(1);
  expect([withheld.rows, admitted()]).toStrictEqual([0, names]);
  takeAway(3);
  withheld.end();
  expect(clock.pending).toStrictEqual([]);
});

test("a process that is stopped for long before all was judged gives nothing back", () => {
  const { clock, withheld, takeAway, admitted } = setUp();
  takeAway(2);
  clock.skip(31_000);
  expect(withheld.table.key(sha256Of("sk-d"))).toBeUndefined();
  clock.advance(0);
  expect([withheld.rows, admitted()]).toStrictEqual([4, []]);
});

test("nor when it is stopped after the table went back", () => {
  const { clock, table, withheld, takeAway, admitted } = setUp();
  takeAway(3);
  clock.advance(0);
  table.applyLocal([], true);
  clock.advance(0);
  expect(withheld.rows).toBe(0);
  table.applyLocal(there, true);
  clock.skip(31_000);
  withheld.seen("s", seenRows(), { keys: 3 });
  expect(admitted()).toStrictEqual([]);
});

test("what waits of a stream that is gone is withheld no longer than what was judged", () => {
  const { clock, withheld, takeAway, admitted } = setUp();
  takeAway(2);
  withheld.lost("s");
  clock.skip(30_000);
  clock.advance(0);
  expect([withheld.rows, admitted()]).toStrictEqual([0, names]);
});

test("what waits behind another stream's rows is refused, too", () => {
  const { clock, withheld, takeAway, admitted } = setUp();
  withheld.seen("q", seenRows(["a", "b"].map((name) => seenRow(idOf(name), "", undefined))), { keys: 2 });
  takeAway(2);
  withheld.inStep("q");
  expect(withheld.table.key(sha256Of("sk-d"))).toBeUndefined();
  clock.advance(0);
  expect([withheld.rows, admitted()]).toStrictEqual([4, []]);
});

test("what is long past is not withheld from a whole table", () => {
  const { clock, table, withheld, takeAway, admitted } = setUp();
  takeAway(3);
  clock.advance(0);
  table.applyLocal([], true);
  clock.advance(30_000);
  table.applyLocal(there, true);
  expect(admitted()).toStrictEqual(names);
  clock.advance(0);
  expect(withheld.rows).toBe(0);
});
