// When things run, with a clock that the test moves and runs that it ends.
import { describe, expect, test } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import { createSchedule, REFRESH_MS } from "./schedule.ts";

function setUp(random = 0.5, many = 1) {
  const clock = createFakeClock();
  const log: string[] = [];
  const running = new Map<string, (succeeded: boolean) => void>();
  const schedule = createSchedule({
    clock,
    random: () => random,
    many: () => many,
    run: (id) => {
      log.push(id);
      return new Promise((resolve) => running.set(id, resolve));
    },
  });
  return {
    clock,
    schedule,
    running,
    log,
    /** What ran since the last call. */
    ran: () => log.splice(0),
    end: async (id: string, succeeded: boolean) => {
      running.get(id)?.(succeeded);
      running.delete(id);
      // The schedule goes on in microtasks after the run.
      await new Promise(setImmediate);
    },
  };
}

test("runs at once, then every five minutes, give or take a tenth", async () => {
  const { schedule, clock, ran, end } = setUp(0);
  schedule.now("a");
  expect(ran()).toEqual(["a"]);
  await end("a", true);
  expect(clock.pending).toEqual([REFRESH_MS * 0.9]);
  clock.advance(REFRESH_MS * 0.9 - 1);
  expect(ran()).toEqual([]);
  clock.advance(1);
  expect(ran()).toEqual(["a"]);
  await end("a", true);
});

test("after failures it waits from a second to five minutes, and from the start again after a success", async () => {
  const { schedule, clock, end } = setUp(1);
  schedule.now("a");
  const waits: (number | undefined)[] = [];
  for (let failure = 0; failure < 11; failure += 1) {
    await end("a", false);
    waits.push(clock.pending[0]);
    clock.advance(clock.pending[0] ?? 0);
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]);
  await end("a", true);
  clock.advance(clock.pending[0] ?? 0);
  await end("a", false);
  expect(clock.pending).toEqual([1000]);
});

describe("now", () => {
  test("forgets what failed before", async () => {
    const { schedule, clock, ran, end } = setUp(1);
    schedule.now("a");
    for (let failure = 0; failure < 5; failure += 1) {
      await end("a", false);
      clock.advance(clock.pending[0] ?? 0);
    }
    await end("a", false);
    ran();
    schedule.now("a");
    expect(ran()).toEqual(["a"]);
    expect(clock.pending).toEqual([]);
    await end("a", false);
    expect(clock.pending).toEqual([1000]);
  });

  test("while it runs means once more after that, however often it was said", async () => {
    const { schedule, ran, end, clock } = setUp();
    schedule.now("a");
    schedule.now("a");
    schedule.now("a");
    expect(ran()).toEqual(["a"]);
    await end("a", true);
    expect(ran()).toEqual(["a"]);
    await end("a", true);
    expect(ran()).toEqual([]);
    expect(clock.pending).toEqual([REFRESH_MS]);
  });
});

test("sixteen run at once, and who is waited for goes before what is routine, which twelve at most may be", async () => {
  const { schedule, clock, ran, end } = setUp(0);
  const ids = (name: string, many: number): string[] => Array.from({ length: many }, (_, index) => `${name}-${index}`);
  for (const id of ids("routine", 13)) schedule.spread(id);
  clock.advance(0);
  const routine = ran();
  expect(routine).toHaveLength(12);
  for (const id of ids("urgent", 5)) schedule.now(id);
  expect(ran()).toEqual(ids("urgent", 4));
  await end(routine[3] ?? "", true);
  expect(ran()).toEqual(["urgent-4"]);
  await end("urgent-0", true);
  expect(ran()).toEqual(ids("routine", 13).filter((id) => !routine.includes(id)));
});

test("what somebody waits for does not wait behind what is routine, said with a time or tried again", async () => {
  const { schedule, clock, ran, end } = setUp(0);
  schedule.now("failed");
  await end("failed", false);
  for (let nth = 0; nth < 12; nth += 1) schedule.spread(`routine-${nth}`);
  clock.advance(0);
  schedule.retry("failed");
  schedule.within("soon", 5000);
  ran();
  clock.advance(1000);
  expect(ran()).toEqual(["failed"]);
  clock.advance(4000);
  expect(ran()).toEqual(["soon"]);
});

test("what is in both queues runs once", async () => {
  const { schedule, clock, ran, end } = setUp(0);
  for (let nth = 0; nth < 13; nth += 1) schedule.spread(`routine-${nth}`);
  clock.advance(0);
  const first = ran();
  const last = Array.from({ length: 13 }, (_, nth) => `routine-${nth}`).find((id) => !first.includes(id)) ?? "";
  schedule.now(last);
  await end(last, true);
  await end(first[0] ?? "", true);
  expect(ran()).toEqual([last]);
});

test.each([
  [1, 30_000],
  [300, 30_000],
  [301, 30_100],
  [10_000, 1_000_000],
])("spread runs one of %i within %i ms", (many, ms) => {
  const { schedule, clock, ran } = setUp(1, many);
  schedule.spread("a");
  clock.advance(ms - 1);
  expect(ran()).toEqual([]);
  clock.advance(1);
  expect(ran()).toEqual(["a"]);
});

test.each([
  [3_000, REFRESH_MS],
  [3_001, REFRESH_MS + 100],
  [10_000, 1_000_000],
])("one of %i runs again after %i ms, on average: ten a second are routine", async (many, ms) => {
  const { schedule, clock, end } = setUp(0.5, many);
  schedule.now("a");
  await end("a", true);
  expect(clock.pending).toEqual([ms]);
});

describe("within", () => {
  test("brings the next run forward, and never puts it off", async () => {
    const { schedule, clock, ran, end } = setUp();
    schedule.now("a");
    await end("a", true);
    ran();
    schedule.within("a", 5000);
    expect(clock.pending).toEqual([5000]);
    clock.advance(1000);
    schedule.within("a", 5000);
    expect(clock.pending).toEqual([4000]);
    clock.advance(4000);
    expect(ran()).toEqual(["a"]);
  });

  test("said while it runs counts from then, and after the run", async () => {
    const { schedule, clock, ran, end } = setUp();
    schedule.now("a");
    schedule.within("a", 5000);
    clock.advance(2000);
    await end("a", true);
    expect([ran(), clock.pending]).toEqual([["a"], [3000]]);
    clock.advance(3000);
    expect(ran()).toEqual(["a"]);
    await end("a", true);
    expect(clock.pending).toEqual([REFRESH_MS]);
  });
});

describe("retry", () => {
  test("runs what failed, a second after that at the earliest", async () => {
    const { schedule, clock, ran, end } = setUp(1);
    schedule.now("a");
    await end("a", false);
    clock.advance(1000);
    await end("a", false);
    ran();
    clock.advance(400);
    schedule.retry("a");
    expect(clock.pending).toEqual([600]);
    clock.advance(600);
    expect(ran()).toEqual(["a"]);
    // Now it waits for four seconds.
    await end("a", false);
    clock.advance(3000);
    schedule.retry("a");
    clock.advance(0);
    expect(ran()).toEqual(["a"]);
  });

  test("leaves alone what succeeded, what runs and what is not there", async () => {
    const { schedule, clock, ran, end } = setUp();
    schedule.retry("nobody");
    schedule.now("a");
    schedule.retry("a");
    await end("a", true);
    schedule.retry("a");
    expect(clock.pending).toEqual([REFRESH_MS]);
    expect(ran()).toEqual(["a"]);
  });
});

describe("what is forgotten", () => {
  test("does not run again", async () => {
    const { schedule, clock, ran, end } = setUp();
    schedule.now("a");
    schedule.now("a");
    schedule.spread("b");
    schedule.forget("a");
    schedule.forget("b");
    await end("a", false);
    clock.advance(REFRESH_MS);
    expect(ran()).toEqual(["a"]);
  });

  test("and entered anew is not judged by the run of before", async () => {
    const { schedule, running, clock, ran } = setUp(1);
    schedule.now("a");
    const first = running.get("a");
    schedule.clear();
    schedule.now("a");
    expect(ran()).toEqual(["a", "a"]);
    first?.(false);
    await new Promise(setImmediate);
    expect(clock.pending).toEqual([]);
    running.get("a")?.(true);
    await new Promise(setImmediate);
    expect(clock.pending).toEqual([REFRESH_MS * 1.1]);
  });
});
