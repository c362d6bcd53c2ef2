import * as fc from "fast-check";
import { expect, test } from "vitest";
import { backoff, pause } from "./backoff.ts";
import { createFakeClock } from "./clock.test-support.ts";

test("doubles from 50 ms to 5 s, half of it left to chance", () => {
  expect([0, 1, 2, 6, 7, 8, 1000].map((failures) => backoff(failures, () => 0))).toStrictEqual([
    25, 50, 100, 1600, 2500, 2500, 2500,
  ]);
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, chance) => {
      const delay = backoff(failures, () => chance);
      expect(delay).toBeGreaterThanOrEqual(backoff(failures, () => 0));
      expect(delay).toBeLessThan(2 * backoff(failures, () => 0));
    }),
  );
});

test("a pause ends with its time or with an abort, and leaves nothing behind", async () => {
  const clock = createFakeClock();
  const controller = new AbortController();
  const first = pause(clock, 100, controller.signal);
  clock.advance(100);
  await first;
  const second = pause(clock, 100, controller.signal);
  controller.abort();
  await second;
  await pause(clock, 100, controller.signal);
  expect(clock.pending).toStrictEqual([]);
});
