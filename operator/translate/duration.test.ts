// Durations as the schema takes them.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

test.each([
  ["0s", 0],
  ["500ms", 500],
  ["2s", 2000],
  ["1m", 60_000],
  ["1h30m", 5_400_000],
  ["1h2m3s4ms", 3_723_004],
  ["1m500ms", 60_500],
])("%s is %d ms", (duration, ms) => {
  expect(parseDuration(duration)).toBe(ms);
});

test.each(["", "5", "5 s", "5 minutes", "-1s", "1d", "1.5s", "s", "100000s", "1s1s1s1s1s", "1µs"])(
  "%s is none",
  (duration) => {
    expect(parseDuration(duration)).toBeUndefined();
  },
);

test("any text is a whole number of milliseconds or nothing", () => {
  const pieces = fc.array(fc.constantFrom("1", "20", "ms", "s", "m", "h", " ", "."), { maxLength: 8 });
  fc.assert(
    fc.property(pieces, (parts) => {
      const ms = parseDuration(parts.join(""));
      expect(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true);
    }),
  );
});
