import * as fc from "fast-check";
import { expect, test } from "vitest";
import { didYouMean, nearest } from "./suggest.ts";

const known = ["backends", "url", "service", "weight", "maxRequestBytes"];

test.each([
  ["backend", "backends"],
  ["Backends", "backends"],
  ["URL", "url"],
  ["uri", "url"],
  ["ulr", "url"],
  ["wieght", "weight"],
  ["maxRequestBtyes", "maxRequestBytes"],
  ["port", undefined],
  ["xyz", undefined],
  ["", undefined],
])("%s is meant to be %s", (word, meant) => {
  expect(nearest(word, known)).toBe(meant);
});

test("a known word is nearest to itself, and long ones cost no more than short ones", () => {
  fc.assert(
    fc.property(fc.constantFrom(...known), (word) => {
      expect(nearest(word, known)).toBe(word);
    }),
  );
  expect(nearest("x".repeat(1_000_000), known)).toBeUndefined();
});

test("the hint is empty where nothing is near", () => {
  expect(didYouMean("urll", known)).toBe('; did you mean "url"?');
  expect(didYouMean("nonsense", known)).toBe("");
});
