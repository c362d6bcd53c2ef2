import * as fc from "fast-check";
import { expect, test } from "vitest";
import { didYouMean } from "./did-you-mean.ts";

const known = ["listen", "admin-listen", "operators", "log-level"];

test.each([
  ["lisen", "listen"],
  ["lsiten", "listen"],
  ["LISTEN", "listen"],
  ["admin-lissten", "admin-listen"],
  ["loglevel", "log-level"],
  ["operator", "operators"],
])("%s is near %s", (word, nearest) => {
  expect(didYouMean(word, known)).toBe(nearest);
});

test.each(["", "x", "port", "something-else"])("%j is near nothing", (word) => {
  expect(didYouMean(word, known)).toBeUndefined();
});

test("of several it takes the nearest, and of equally near ones the first", () => {
  expect(didYouMean("abcd", ["abxx", "abcx", "abcy"])).toBe("abcx");
});

test("every word is nearest to itself, and one letter more is still near", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{2,12}$/), fc.stringMatching(/^[a-z]$/), fc.nat(12), (word, letter, at) => {
      expect(didYouMean(word, [word])).toBe(word);
      expect(didYouMean(word.slice(0, at) + letter + word.slice(at), [word])).toBe(word);
    }),
  );
});
