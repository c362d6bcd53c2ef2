import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isDateTime } from "./date-time.ts";

test("every time that JavaScript writes is one", () => {
  const years = { min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true };
  fc.assert(
    fc.property(fc.date(years), (date) => {
      expect(isDateTime(date.toISOString())).toBe(true);
    }),
  );
});

test("days that JavaScript would move into the next month are none", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9999 }),
      fc.integer({ min: 0, max: 99 }),
      fc.integer({ min: 0, max: 99 }),
      (y, m, d) => {
        const pad = (number: number, length: number): string => String(number).padStart(length, "0");
        const day = `${pad(y, 4)}-${pad(m, 2)}-${pad(d, 2)}`;
        const parsed = new Date(`${day}T00:00:00Z`);
        const exists = !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(day);
        expect(isDateTime(`${day}T00:00:00Z`)).toBe(exists);
      },
    ),
  );
});

test.each([
  "",
  "2027-01-01",
  "2027-01-01T00:00Z",
  "2027-01-01T24:00:00Z",
  "2027-01-01T00:00:60Z",
  "2027-01-01T00:00:00",
  "x2027-01-01T00:00:00Z",
])("%j is none", (text) => {
  expect(isDateTime(text)).toBe(false);
});
