import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createFakeClock } from "../proxy/table/clock.test-support.ts";
import { createAlarms } from "./alarms.ts";

it("rings each name once, at the last time that was set for it, whatever was set and cleared before", () => {
  const step = fc.record({
    name: fc.constantFrom("a", "b", "c"),
    in: fc.option(fc.nat({ max: 50 })),
    pass: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = createFakeClock();
      const wanted = new Map<string, number>();
      const alarms = createAlarms({
        clock,
        ring: (names) => {
          for (const name of names) {
            expect(wanted.get(name)).toBeLessThanOrEqual(clock.elapsed());
            wanted.delete(name);
          }
        },
      });
      for (const { name, in: after, pass } of steps) {
        if (after === null) {
          alarms.clear(name);
          wanted.delete(name);
        } else {
          alarms.set(name, clock.elapsed() + after);
          wanted.set(name, clock.elapsed() + after);
        }
        expect(alarms.at(name)).toBe(wanted.get(name));
        clock.advance(pass);
        expect([...wanted.values()].every((at) => at > clock.elapsed())).toBe(true);
      }
      clock.advance(100);
      expect([wanted.size, clock.pending]).toEqual([0, []]);
    }),
  );
});

it("keeps one timer, however often a far time is set anew", () => {
  const clock = createFakeClock();
  let rung = 0;
  const alarms = createAlarms({ clock, ring: () => rung++ });
  for (let turn = 0; turn < 10_000; turn++) {
    alarms.set("a", 86_400_000 + turn);
    alarms.set("b", 86_400_000 - turn);
  }
  expect(clock.pending).toHaveLength(1);
  alarms.clearAll();
  expect([clock.pending, rung]).toEqual([[], 0]);
});
