// Quantities of bytes as the schema takes them.
import { expect, test } from "vitest";
import { parseQuantity } from "./quantity.ts";

test.each<[string | number, number]>([
  ["0", 0],
  ["16Ki", 16_384],
  ["10Mi", 10_485_760],
  ["1Gi", 1_073_741_824],
  ["512k", 512_000],
  ["3M", 3_000_000],
  ["1G", 1_000_000_000],
  [4096, 4096],
  [0, 0],
])("%s is %d", (quantity, bytes) => {
  expect(parseQuantity(quantity)).toBe(bytes);
});

test.each<string | number>([
  "",
  "10MB",
  "1.5Ki",
  "-1",
  " 1",
  "1 ",
  "10mi",
  "12345678901234567",
  "Ki",
  -1,
  1.5,
  Number.NaN,
])("%s is none", (quantity) => {
  expect(parseQuantity(quantity)).toBeUndefined();
});
