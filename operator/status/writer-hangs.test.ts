// Writes that hang: who waits for whom. In: random sizes, orders and hangs. Out: all is written, at most eight at once.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { ApplyResult } from "../kube/apply.ts";
import { refOf } from "../objects.ts";
import type { AgentObject, Ref } from "../objects.ts";
import type { ProxyState } from "../publish/acks.ts";
import { createStatusWriter } from "./writer.ts";
import { result, settle } from "./writer.test-support.ts";

const HANG_MS = 10_000;

/** `hangs`: writes of an object that get no answer for ten seconds, and fail then. */
function createHangingWorld(count: number, hangs: ReadonlyMap<string, number>) {
  const clock = createFakeClock();
  const names = Array.from({ length: count }, (_, at) => `a${at}`);
  const stored = new Map<Ref, AgentObject>();
  const left = new Map(hangs);
  const written = new Map<string, number>();
  let [busy, busiest, version] = [0, 0, 100];
  let proxies: readonly ProxyState[] = [];
  const silent = (): void => undefined;
  const put = (name: string, generation: number): void => {
    stored.set(refOf("A2AAgent", "agents", name), {
      kind: "A2AAgent",
      metadata: {
        namespace: "agents",
        name,
        uid: `uid-${name}`,
        generation,
        resourceVersion: String(++version),
        creationTimestamp: "2026-01-01T00:00:00Z",
        labels: {},
      },
      spec: { gatewayName: "default", backends: [{ name: "a", url: "http://x" }] },
    });
  };
  for (const name of names) put(name, 1);
  const writer = createStatusWriter({
    read: (ref) => stored.get(ref),
    proxies: () => proxies,
    sent: () => 1_000,
    mayWrite: () => true,
    write: async ({ name }, status): Promise<ApplyResult> => {
      busiest = Math.max(busiest, ++busy);
      const more = left.get(name) ?? 0;
      if (more > 0) {
        left.set(name, more - 1);
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, HANG_MS));
        busy--;
        return { ok: false, reason: "Unavailable", message: "no answer within 10 s" };
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
      busy--;
      const ref = refOf("A2AAgent", "agents", name);
      const object = stored.get(ref);
      const resourceVersion = String(++version);
      if (object !== undefined) {
        stored.set(ref, { ...object, metadata: { ...object.metadata, resourceVersion }, status });
        queueMicrotask(() => writer.stored(ref));
      }
      written.set(name, status.conditions?.[0]?.observedGeneration ?? 0);
      return { ok: true, resourceVersion };
    },
    emit: silent,
    clock,
    random: () => 1,
    log: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
    metrics: { written: silent },
  });
  const ack = (sequence: number): void => {
    const acked = { sequence, version: "v", at: 0 };
    const proxy = {
      proxy: "p1",
      address: "",
      connectedAt: 0,
      standby: false,
      acked,
      refused: new Map(),
      refusedRows: 0,
    };
    proxies = [proxy];
    writer.proxiesChanged();
  };
  const quiet = async (): Promise<void> => {
    for (let n = 0; n < 80; n += 1) await settle();
  };
  return { clock, names, writer, written, put, ack, quiet, busiest: () => busiest };
}

describe("writes that hang", () => {
  it.each([
    [1, 1],
    [1, 2],
    [1, 3],
    [1, 7],
    [2, 1],
    [2, 2],
    [2, 3],
    [3, 1],
    [4, 2],
    [7, 1],
  ])("%d of them hold up none of %d others", async (hanging, others) => {
    const hangs = new Map(Array.from({ length: hanging }, (_, at) => [`a${at}`, 1]));
    const world = createHangingWorld(hanging + others, hangs);
    world.writer.lead(true);
    world.ack(1);
    await world.quiet();
    // The ones that hang first; then the others, one after another, as edits come.
    for (const name of world.names) {
      world.writer.results([result(name, 1)], 1);
      await world.quiet();
    }
    // Far less than the ten seconds that a write may take.
    world.clock.advance(1_000);
    await world.quiet();
    world.clock.advance(1_000);
    await world.quiet();
    world.clock.advance(1_000);
    await world.quiet();
    expect([...world.written.keys()].sort()).toEqual(world.names.slice(hanging));
  });

  it("in the end all is written, at most eight at once, whatever hangs and in whatever order acknowledgements come", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.tuple(fc.nat(29), fc.integer({ min: 1, max: 3 })), { maxLength: 12 }),
        fc.array(
          fc.oneof(
            fc.record({ do: fc.constant("results" as const), from: fc.nat(29), many: fc.integer({ min: 1, max: 30 }) }),
            fc.record({ do: fc.constant("ack" as const), from: fc.nat(10), many: fc.constant(0) }),
            fc.record({
              do: fc.constant("wait" as const),
              from: fc.integer({ min: 1, max: 12_000 }),
              many: fc.constant(0),
            }),
            fc.record({ do: fc.constant("lead" as const), from: fc.nat(3), many: fc.constant(0) }),
          ),
          { maxLength: 25 },
        ),
        async (count, hangs, events) => {
          const world = createHangingWorld(count, new Map(hangs.map(([at, n]) => [`a${at}`, n])));
          world.writer.lead(true);
          const generations = new Map<string, number>();
          let sequence = 0;
          const say = (names: readonly string[]): void => {
            sequence += 1;
            const all = names.map((name) => {
              const generation = (generations.get(name) ?? 0) + 1;
              generations.set(name, generation);
              world.put(name, generation);
              return result(name, generation);
            });
            world.writer.results(all, sequence);
          };
          for (const one of events) {
            if (one.do === "results") say(world.names.slice(one.from, one.from + one.many));
            else if (one.do === "ack") world.ack(Math.max(0, sequence - one.from));
            else if (one.do === "wait") world.clock.advance(one.from);
            else world.writer.lead(one.from > 0);
            for (let n = 0; n < 3; n += 1) await settle();
            expect(world.busiest()).toBeLessThanOrEqual(8);
          }
          world.writer.lead(true);
          say(world.names);
          world.ack(sequence);
          for (let n = 0; n < 14; n += 1) {
            await world.quiet();
            world.clock.advance(10_000);
          }
          await world.quiet();
          expect(world.busiest()).toBeLessThanOrEqual(8);
          expect(world.writer.waiting).toBe(0);
          expect(Object.fromEntries(world.written)).toEqual(Object.fromEntries(generations));
        },
      ),
      { numRuns: Number(process.env["RUNS"] ?? 150) },
    );
  }, 300_000);
});
