import { expect, test } from "vitest";
import { createNumbered } from "./numbered.ts";

const LONG = "x".repeat(1000 * 1000);

test("what is the same has one number, and is made once", () => {
  const made: string[] = [];
  const numbered = createNumbered(10, (text) => made.push(text));
  expect(["a", "b", "a"].map((text) => numbered.numberOf(text))).toEqual([0, 1, 0]);
  expect([0, 1].map((number) => numbered.valueOf(number))).toEqual([1, 2]);
  expect(made).toEqual(["a", "b"]);
  expect(() => numbered.valueOf(2)).toThrow(RangeError);
});

test.each([
  ["too many", 2, ["a", "b", "c"]],
  ["too long together", 10, ["a", LONG, LONG.toUpperCase()]],
])("those that come when there are %s have none, and the others keep theirs", (_why, most, texts) => {
  const numbered = createNumbered(most, (text) => text);
  expect(texts.map((text) => numbered.numberOf(text))).toEqual([0, 1, undefined]);
  expect(texts.map((text) => numbered.numberOf(text))).toEqual([0, 1, undefined]);
});
