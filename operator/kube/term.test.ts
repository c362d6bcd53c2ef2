import { expect, it } from "vitest";
import { createTerm } from "./term.ts";

it("claims the Lease while renewals succeed in time, and holds it a while longer", () => {
  let now = 0;
  const term = createTerm({ now: () => now });
  const state = (): unknown => [term.claims, term.holds];
  expect(state()).toEqual([false, false]);
  term.renewal({ expected: 4, until: 10 });
  expect(state()).toEqual([true, true]);
  now = 3;
  term.renewal(undefined);
  expect(state()).toEqual([false, true]);
  term.renewal({ expected: 8, until: 14 });
  expect(state()).toEqual([true, true]);
  now = 8;
  expect(state()).toEqual([false, true]);
  now = 14;
  expect(state()).toEqual([false, false]);
});
