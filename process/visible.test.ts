import * as fc from "fast-check";
import { expect, test } from "vitest";
import { visible } from "./visible.ts";

test("escapes what moves a cursor or turns text around, and nothing else", () => {
  expect(visible("a\u001b[31mb\r\n\u0085\u2028\u202e\u2066é 😀")).toBe(
    "a\\u001b[31mb\\u000d\\u000a\\u0085\\u2028\\u202e\\u2066é 😀",
  );
});

test("is one line, and itself once more", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(visible(text)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      expect(visible(visible(text))).toBe(visible(text));
    }),
  );
});
