import { expect, test } from "vitest";
import { createTurns } from "./turns.ts";

test("a turn is over when it has lasted, for all who ask, and another begins when all else had its own", async () => {
  let now = 0;
  const turns = createTurns({ now: () => now });
  expect(turns.isOver).toBe(false);
  now += 3;
  expect(turns.isOver).toBe(false);
  now += 1;
  expect([turns.isOver, turns.isOver]).toEqual([true, true]);
  await turns.next();
  expect(turns.isOver).toBe(false);
});

test("no two have the same turn", async () => {
  const turns = createTurns({ now: () => 0 });
  const seen: string[] = [];
  const count = (): void => {
    seen.push("else");
    if (seen.length < 8) setImmediate(count);
  };
  setImmediate(count);
  await Promise.all(["a", "b", "c"].map(async (who) => seen.push((await turns.next(), who))));
  expect(seen.join(" ")).toMatch(/a .*else.* b .*else.* c/);
});
