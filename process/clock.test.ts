import { expect, test } from "vitest";
import { createClock } from "./clock.ts";

test("tells the time and fires once, later", async () => {
  const clock = createClock();
  const before = [clock.now(), clock.elapsed()] as const;
  let fired = 0;
  const done = new Promise<void>((resolve) => {
    clock.setTimeout(() => {
      fired++;
      resolve();
    }, 1);
  });
  expect(fired).toBe(0);
  await done;
  expect(fired).toBe(1);
  expect(clock.now()).toBeGreaterThanOrEqual(before[0]);
  expect(clock.elapsed()).toBeGreaterThan(before[1]);
});

test("a cancelled timer does not fire", async () => {
  const clock = createClock();
  const fired: string[] = [];
  clock.setTimeout(() => fired.push("cancelled"), 1).cancel();
  await new Promise<void>((resolve) => {
    clock.setTimeout(() => {
      fired.push("kept");
      resolve();
    }, 2);
  });
  expect(fired).toEqual(["kept"]);
});
