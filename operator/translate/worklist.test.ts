// The order in which work is taken.
import { expect, test } from "vitest";
import { createWorklist } from "./worklist.ts";

const taken = (worklist: ReturnType<typeof createWorklist>, most = Infinity): string[] => {
  const ids: string[] = [];
  while (ids.length < most) {
    const id = worklist.take();
    if (id === undefined) break;
    ids.push(id);
  }
  return ids;
};

test("first in, first out, each once", () => {
  const worklist = createWorklist();
  for (const id of ["a", "b", "a", "c"]) worklist.add(id);
  expect([worklist.size, taken(worklist), worklist.size]).toEqual([3, ["a", "b", "c"], 0]);
  worklist.add("a");
  expect(taken(worklist)).toEqual(["a"]);
});

test("what came last waits for one of those before it, not for all", () => {
  const worklist = createWorklist();
  for (let index = 0; index < 1_000; index += 1) worklist.add(`old-${index}`);
  worklist.turn();
  expect(taken(worklist, 10)).toHaveLength(10);
  worklist.add("edit");
  expect(taken(worklist, 2)).toContain("edit");
});

test("no stream of edits keeps out what came before", () => {
  const worklist = createWorklist();
  worklist.add("patient");
  for (let slice = 0; slice < 3; slice += 1) {
    worklist.turn();
    for (let index = 0; index < 10; index += 1) worklist.add(`edit-${slice}-${index}`);
    if (taken(worklist, 2).includes("patient")) return;
  }
  expect.unreachable("it was never taken");
});

test("what is added again is as new as it is now, and is taken once", () => {
  const worklist = createWorklist();
  for (const id of ["a", "b", "c"]) worklist.add(id);
  worklist.turn();
  worklist.add("c");
  expect(taken(worklist).sort()).toEqual(["a", "b", "c"]);
});
