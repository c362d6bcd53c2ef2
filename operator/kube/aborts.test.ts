import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { createAborts } from "./aborts.ts";

function setUp() {
  const aborts = createAborts();
  const controller = new AbortController();
  const ended: string[] = [];
  const join = (name: string): (() => void) => aborts.join(controller.signal, () => ended.push(name));
  return { controller, ended, join };
}

test("those who have not left end with the signal, each once, and have one listener on it", () => {
  const { controller, ended, join } = setUp();
  const leaves = ["a", "b", "c", "d"].map(join);
  leaves[1]?.();
  leaves[3]?.();
  leaves[3]?.();
  expect(getEventListeners(controller.signal, "abort").length).toBe(1);
  controller.abort();
  expect(ended.sort()).toEqual(["a", "c"]);
  leaves[0]?.();
  expect(ended.length).toBe(2);
});

test("one whose signal has aborted ends at once", () => {
  const { controller, ended, join } = setUp();
  controller.abort();
  join("late")();
  expect(ended).toEqual(["late"]);
});

test("signals are apart", () => {
  const aborts = createAborts();
  const [one, other] = [new AbortController(), new AbortController()];
  const ended: string[] = [];
  aborts.join(one.signal, () => ended.push("one"));
  aborts.join(other.signal, () => ended.push("other"));
  one.abort();
  expect(ended).toEqual(["one"]);
});
