import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseQuantity } from "./quantity.ts";

test("a number of bytes is itself", () => {
  fc.assert(
    fc.property(fc.nat(), (bytes) => {
      expect(parseQuantity(String(bytes))).toBe(BigInt(bytes));
    }),
  );
});

test.each([
  ["16Ki", 16_384n],
  ["10Mi", 10_485_760n],
  ["1Gi", 1_073_741_824n],
  ["5k", 5_000n],
  ["5M", 5_000_000n],
  ["5G", 5_000_000_000n],
  ["007", 7n],
])("%s is %d", (text, bytes) => {
  expect(parseQuantity(text)).toBe(bytes);
});

test.each(["", "Mi", "1.5Mi", "-1", "+1", "1e3", "1 Mi", "1mi", "1KB", "1Ti", " 1", "1\n", "0x1"])(
  "%j is none",
  (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  },
);
