import { expect, it } from "vitest";
import { createIntern } from "./intern.ts";

it("gives the first of equal values, and only of equal ones", () => {
  const intern = createIntern();
  const first = { type: "Ready", status: "True" };
  expect(intern.value(first)).toBe(first);
  expect(intern.value({ ...first })).toBe(first);
  const other = { type: "Ready", status: "False" };
  expect(intern.value(other)).toBe(other);
  expect(intern.text("agents")).toBe("agents");
});

it("remembers a bounded number, and goes on to be right", () => {
  const intern = createIntern();
  const first = { index: 0 };
  intern.value(first);
  for (let index = 1; index <= 80_000; index += 1) intern.value({ index });
  const again = { index: 0 };
  expect(intern.value(again)).toBe(again);
  expect(intern.value({ index: 0 })).toBe(again);
});
