import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createPace } from "./pace.ts";

it("goes round, and lets everything else have its turn after a few milliseconds of steps", async () => {
  let now = 0;
  const pace = createPace({ now: () => now });
  const done: string[] = [];
  const work = (name: string, steps: number) => {
    let left = steps;
    return () => {
      now += 1;
      done.push(name);
      left -= 1;
      return left > 0;
    };
  };
  pace.add(work("a", 4));
  pace.add(work("b", 2));
  expect(done).toEqual([]);
  await turn();
  expect(done).toEqual(["a", "b", "a", "b"]);
  await turn();
  expect(done).toEqual(["a", "b", "a", "b", "a", "a"]);
});
