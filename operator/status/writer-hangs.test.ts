// Writes that hang: who waits for whom. In: random sizes, orders and hangs. Out: all is written, at most eight at once.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import { agent, createWorld, result, settle } from "./writer.test-support.ts";

/** Objects whose writes get no answer so many times. */
function createHangingWorld(count: number, hangs: Iterable<readonly [string, number]>) {
  const clock = createFakeClock();
  const world = createWorld(clock);
  const names = Array.from({ length: count }, (_, at) => `a${at}`);
  for (const name of names) agent(world, name, 1);
  for (const [name, times] of hangs) world.hang(name, times);
  world.publish(1_000);
  world.writer.lead(true);
  const quiet = async (): Promise<void> => {
    for (let n = 0; n < 80; n += 1) await settle();
  };
  return { ...world, clock, names, quiet };
}

describe("writes that hang", () => {
  it.each([
    [1, 1],
    [1, 7],
    [2, 1],
    [2, 3],
    [4, 2],
    [7, 1],
  ])("%d of them hold up none of %d others", async (hanging, others) => {
    const hangs = Array.from({ length: hanging }, (_, at) => [`a${at}`, 1] as const);
    const world = createHangingWorld(hanging + others, hangs);
    world.ack({ p1: 1 });
    // The ones that hang first; then the others, one after another, as edits come.
    for (const name of world.names) {
      world.writer.results([result(name, 1)], 1);
      await world.quiet();
    }
    // None of those that hang has got its answer.
    for (let seconds = 0; seconds < 3; seconds += 1) {
      world.clock.advance(1_000);
      await world.quiet();
    }
    expect(world.writes.map(({ name }) => name).sort()).toEqual(world.names.slice(hanging));
  });

  it("in the end all is written, at most eight at once, whatever hangs and in whatever order acknowledgements come", async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("results" as const), from: fc.nat(29), many: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ do: fc.constant("ack" as const), from: fc.nat(10) }),
      fc.record({ do: fc.constant("wait" as const), from: fc.integer({ min: 1, max: 12_000 }) }),
      fc.record({ do: fc.constant("fail" as const) }),
      fc.record({ do: fc.constant("lead" as const), from: fc.nat(3) }),
    );
    const hangs = fc.array(fc.tuple(fc.nat(29), fc.integer({ min: 1, max: 3 })), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        hangs,
        fc.array(step, { maxLength: 25 }),
        async (count, hanging, steps) => {
          const world = createHangingWorld(
            count,
            hanging.map(([at, times]) => [`a${at}`, times]),
          );
          const generations = new Map<string, number>();
          let sequence = 0;
          const say = (names: readonly string[]): void => {
            sequence += 1;
            const all = names.map((name) => {
              const generation = (generations.get(name) ?? 0) + 1;
              generations.set(name, generation);
              agent(world, name, generation);
              return result(name, generation);
            });
            world.writer.results(all, sequence);
          };
          for (const one of steps) {
            if (one.do === "results") say(world.names.slice(one.from, one.from + one.many));
            else if (one.do === "ack") world.ack({ p1: Math.max(0, sequence - one.from) });
            else if (one.do === "wait") world.clock.advance(one.from);
            else if (one.do === "fail") world.failHanging();
            else world.writer.lead(one.from > 0);
            for (let n = 0; n < 3; n += 1) await settle();
            expect(world.busiest()).toBeLessThanOrEqual(8);
          }
          world.writer.lead(true);
          say(world.names);
          world.ack({ p1: sequence });
          for (let n = 0; n < 14; n += 1) {
            await world.quiet();
            world.failHanging();
            await world.quiet();
            world.clock.advance(10_000);
          }
          await world.quiet();
          expect(world.busiest()).toBeLessThanOrEqual(8);
          expect(world.writer.waiting).toBe(0);
          const written = new Map(world.writes.map(({ name, status }) => [name, status.observedGeneration]));
          expect(Object.fromEntries(written)).toEqual(Object.fromEntries(generations));
        },
      ),
      { numRuns: 40 },
    );
  });
});
