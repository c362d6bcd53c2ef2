import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { FakeClock } from "../../proxy/table/clock.test-support.ts";
import type { KubeAnswer, KubeRequest } from "./client.ts";
import { leaseDurations, runLease } from "./lease.ts";
import { microTime } from "./micro-time.ts";
import type { Renewed } from "./term.ts";

const silent = (): void => undefined;
let warnings: unknown[] = [];
const warn = (...given: readonly unknown[]): void => void warnings.push(given[0]);
const log = { trace: silent, debug: silent, info: silent, warn, error: silent };

interface Lease {
  metadata: { resourceVersion?: string; annotations?: Readonly<Record<string, string>>; finalizers?: string[] };
  spec?: Record<string, unknown>;
}

/** The API server's part: one Lease with optimistic concurrency. */
function createLeaseServer() {
  let lease: Lease | undefined;
  let version = 0;
  let broken = false;
  const keep = ({ metadata, ...rest }: Partial<Lease>): Lease => {
    lease = { metadata: { ...metadata, resourceVersion: String(++version) }, ...rest };
    return lease;
  };
  return {
    get annotations() {
      return lease?.metadata.annotations;
    },
    get lease() {
      return lease;
    },
    get spec() {
      return lease?.spec;
    },
    writes: () => version,
    keep,
    write: (spec: Record<string, unknown>, annotations: Record<string, string> = {}) =>
      keep({ metadata: { annotations }, spec }),
    remove: () => {
      lease = undefined;
    },
    break: (value: boolean) => {
      broken = value;
    },
    request: ({ method, body }: KubeRequest): Promise<KubeAnswer> => {
      if (broken) return Promise.reject(new Error("the API server is away"));
      const sent = body as Lease | undefined;
      const kept = (): Lease => keep(sent ?? {});
      if (method === "GET") {
        return Promise.resolve(lease === undefined ? { status: 404, body: {} } : { status: 200, body: lease });
      }
      if (method === "POST") {
        return Promise.resolve(lease === undefined ? { status: 201, body: kept() } : { status: 409, body: {} });
      }
      if (lease === undefined) return Promise.resolve({ status: 404, body: {} });
      if (sent?.metadata.resourceVersion !== lease.metadata.resourceVersion)
        return Promise.resolve({ status: 409, body: {} });
      return Promise.resolve({ status: 200, body: kept() });
    },
  };
}

describe("runLease", () => {
  let server: ReturnType<typeof createLeaseServer>;
  let clock: FakeClock;
  let stops: { stop: AbortController; ended: Promise<void> }[];

  beforeEach(() => {
    server = createLeaseServer();
    clock = createFakeClock();
    stops = [];
    warnings = [];
  });
  afterEach(async () => {
    for (const { stop } of stops) stop.abort();
    await Promise.all(stops.map(({ ended }) => ended));
  });

  function candidate(identity: string, own: FakeClock = clock, client: typeof server.request = server.request) {
    const told: [boolean, string | undefined][] = [];
    const renewals: (Renewed | undefined)[] = [];
    const stop = new AbortController();
    const ended = runLease({
      client: { request: client },
      namespace: "parley",
      name: "operator",
      identity,
      clock: own,
      random: () => 0,
      log,
      signal: stop.signal,
      onChange: (holding, holder) => told.push([holding, holder]),
      onRenewal: (renewed) => renewals.push(renewed),
      annotate: (annotations) => ({ ...annotations, "parley.dev/of": identity }),
      durations: leaseDurations(15_000),
    });
    stops.push({ stop, ended });
    return { told, renewals, stop, ended };
  }

  /** Lets tries pass until `ms` are over; the loop waits for a timer after each. */
  async function pass(ms: number, on: FakeClock = clock): Promise<void> {
    const end = on.now() + ms;
    await on.scheduled();
    while (on.now() < end) {
      on.advance(Math.min(Math.min(...on.pending), end - on.now()));
      await on.scheduled();
    }
  }

  it("says its own on a Lease from the first write, beside what others have said", async () => {
    server.write({ holderIdentity: "" }, { theirs: "1" });
    candidate("a");
    await pass(0);
    expect(server.annotations).toEqual({ theirs: "1", "parley.dev/of": "a" });
  });

  it("leaves on a Lease that somebody else made what it does not know", async () => {
    server.keep({ metadata: { finalizers: ["theirs"] } });
    const a = candidate("a");
    await pass(0);
    expect([a.told, server.lease?.metadata.finalizers]).toEqual([[[true, "a"]], ["theirs"]]);
    server.keep({ ...server.lease, spec: { ...server.spec, strategy: "theirs" } });
    await pass(4_000);
    a.stop.abort();
    await a.ended;
    expect(server.lease?.metadata.finalizers).toEqual(["theirs"]);
    expect(server.spec).toMatchObject({ holderIdentity: "", strategy: "theirs" });
  });

  it("takes a Lease that nobody made, and renews it every two seconds", async () => {
    const a = candidate("a");
    await pass(0);
    expect(a.told).toEqual([[true, "a"]]);
    expect(server.spec).toEqual({
      holderIdentity: "a",
      leaseDurationSeconds: 15,
      acquireTime: microTime(clock.now()),
      renewTime: microTime(clock.now()),
      leaseTransitions: 0,
    });
    expect(server.annotations).toEqual({ "parley.dev/of": "a" });
    await pass(20_000);
    expect(server.writes()).toBe(11);
    expect(server.spec).toMatchObject({ renewTime: microTime(clock.now()), leaseTransitions: 0 });
    expect(a.told).toHaveLength(1);
  });

  it("tells of an API server that is away at once, then every half minute, without a stack", async () => {
    server.break(true);
    candidate("a");
    await pass(29_000);
    expect(warnings).toEqual([{ lease: "operator", cause: "the API server is away" }]);
    await pass(10_000);
    expect(warnings).toHaveLength(2);
  });

  it("waits while another renews, however wrong that one's clock is, and names it", async () => {
    server.write({ holderIdentity: "b", leaseDurationSeconds: 15, renewTime: "1999-01-01T00:00:00.000000Z" });
    const a = candidate("a");
    for (let second = 0; second < 60; second += 10) {
      await pass(10_000);
      server.write({ ...server.spec, renewTime: `2001-01-01T00:00:${second}.000000Z` });
    }
    expect(a.told).toEqual([[false, "b"]]);
  });

  it("takes over only after the record stood unchanged for its whole duration on our own clock", async () => {
    server.write({
      holderIdentity: "b",
      leaseDurationSeconds: 15,
      renewTime: microTime(clock.now() + 3_600_000),
      leaseTransitions: 4,
    });
    const a = candidate("a");
    await pass(14_000);
    expect(a.told).toEqual([[false, "b"]]);
    await pass(2_000);
    expect(a.told).toEqual([
      [false, "b"],
      [true, "a"],
    ]);
    expect(server.spec).toMatchObject({ holderIdentity: "a", leaseTransitions: 5 });
  });

  it("takes over from a holder that is gone although others write annotations meanwhile", async () => {
    server.write({ holderIdentity: "b", leaseDurationSeconds: 15 });
    const a = candidate("a");
    for (let count = 0; count < 9; count += 1) {
      server.write({ ...server.spec }, { noted: String(count) });
      await pass(1_500);
    }
    expect(a.told).toEqual([[false, "b"]]);
    server.write({ ...server.spec }, { noted: "again" });
    await pass(3_500);
    expect(a.told.at(-1)).toEqual([true, "a"]);
  });

  it("knows who holds it at once, without a warning, when two make it at the same time", async () => {
    candidate("a");
    await pass(0);
    const own = createFakeClock();
    let asked = 0;
    // It read before the other wrote.
    const b = candidate("b", own, async (request) =>
      (asked += 1) === 1 ? { status: 404, body: {} } : server.request(request),
    );
    await pass(0, own);
    expect([b.told, warnings]).toEqual([[[false, "a"]], []]);
  });

  it("stops leading when it could not renew for ten seconds, before anybody else may start", async () => {
    const a = candidate("a");
    await pass(0);
    server.break(true);
    await pass(9_000);
    expect(a.told).toEqual([[true, "a"]]);
    await pass(1_500);
    expect(a.told).toEqual([
      [true, "a"],
      [false, "a"],
    ]);
    server.break(false);
    await pass(2_500);
    expect(a.told.at(-1)).toEqual([true, "a"]);
  });

  it("tells of each renewal, and of a failed one at once", async () => {
    const began = clock.elapsed();
    const a = candidate("a");
    await pass(0);
    expect(a.renewals).toEqual([{ expected: began + 4_400, until: began + 10_000 }]);
    await pass(2_000);
    expect(a.renewals.at(-1)).toEqual({ expected: began + 6_400, until: began + 12_000 });
    server.break(true);
    await pass(2_000);
    expect([a.renewals.at(-1), a.told]).toEqual([undefined, [[true, "a"]]]);
    server.break(false);
    await pass(2_000);
    expect(a.renewals.at(-1)).toEqual({ expected: began + 10_400, until: began + 16_000 });
    server.write({ ...server.spec, leaseTransitions: 9 });
    await pass(2_000);
    expect([a.renewals.at(-1), a.told]).toEqual([undefined, [[true, "a"]]]);
  });

  it("does not hold what was answered only after its time, as when the process was stopped", async () => {
    let late = 0;
    const a = candidate("a", clock, async (request) => {
      const answer = await server.request(request);
      clock.skip(late);
      return answer;
    });
    await pass(0);
    late = 20_000;
    clock.advance(2_000);
    await clock.scheduled();
    expect(a.told).toEqual([
      [true, "a"],
      [false, "a"],
    ]);
    expect(a.renewals.at(-1)?.until).toBeLessThan(clock.elapsed());
  });

  it("neither holds on nor lets go when the wall clock is set back or forth", async () => {
    const a = candidate("a");
    await pass(0);
    clock.set(clock.now() + 3_600_000);
    await pass(2_000);
    clock.set(clock.now() - 7_200_000);
    await pass(2_000);
    expect([a.told, server.writes()]).toEqual([[[true, "a"]], 3]);
    server.break(true);
    const lastRenewed = clock.elapsed();
    clock.set(clock.now() - 3_600_000);
    await pass(10_500);
    expect(clock.elapsed() - lastRenewed).toBe(10_500);
    expect(a.told.at(-1)).toEqual([false, "a"]);
  });

  it("takes over in time although its wall clock was set back", async () => {
    server.write({ holderIdentity: "b", leaseDurationSeconds: 15 });
    const a = candidate("a");
    await pass(1_000);
    clock.set(clock.now() - 3_600_000);
    await pass(15_000);
    expect(a.told.at(-1)).toEqual([true, "a"]);
  });

  it("gives all requests of one try together the time until its deadline", async () => {
    const timeouts: (number | undefined)[] = [];
    server.write({ holderIdentity: "", leaseDurationSeconds: 1 });
    const a = candidate("a", clock, (request) => {
      timeouts.push(request.timeout);
      clock.skip(1_500);
      return server.request(request);
    });
    await clock.scheduled();
    expect([timeouts, a.told.at(-1)?.[0]]).toEqual([[10_000, 8_500], true]);
    server.write({ ...server.spec, leaseTransitions: 9 });
    clock.advance(2_000);
    await clock.scheduled();
    expect(timeouts.slice(2)).toEqual([5_000, 3_500]);
  });

  it("ends a request under way when it is stopped, stops its writers, and only then gives the Lease back", async () => {
    const order: string[] = [];
    let hang = false;
    let leads = (): boolean => false;
    const asked = Promise.withResolvers<undefined>();
    const a = candidate("a", clock, async (request) => {
      const { method, signal } = request;
      if (hang && signal !== undefined) {
        // The renewal is taken, but its answer does not come back.
        await server.request(request);
        asked.resolve(undefined);
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
        });
      }
      order.push(`${method} ${leads()}`);
      return await server.request(request);
    });
    leads = () => a.told.at(-1)?.[0] === true;
    await pass(0);
    expect(leads()).toBe(true);
    hang = true;
    clock.advance(2_000);
    await asked.promise;
    order.length = 0;
    a.stop.abort();
    await a.ended;
    expect(order).toEqual(["PUT false", "GET false", "PUT false"]);
    expect(server.spec).toMatchObject({ holderIdentity: "", leaseDurationSeconds: 1 });
    expect(a.told.at(-1)).toEqual([false, undefined]);
  });

  it("gives way at once when another holds the Lease all of a sudden", async () => {
    const a = candidate("a");
    await pass(0);
    server.write({ holderIdentity: "b", leaseDurationSeconds: 15 });
    await pass(2_000);
    expect(a.told.at(-1)).toEqual([false, "b"]);
  });

  it("keeps leading through a conflict that names nobody else, and makes the Lease again when it was deleted", async () => {
    const a = candidate("a");
    await pass(0);
    server.write({ ...server.spec, leaseTransitions: 9 });
    await pass(4_000);
    expect(a.told).toEqual([[true, "a"]]);
    server.remove();
    await pass(6_000);
    expect(a.told.at(-1)).toEqual([true, "a"]);
    expect(server.spec).toMatchObject({ holderIdentity: "a" });
  });

  it("gives the Lease back at the end, so that the next one has it at its next try", async () => {
    const a = candidate("a");
    await pass(0);
    const b = candidate("b");
    await pass(4_000);
    expect(b.told).toEqual([[false, "a"]]);
    a.stop.abort();
    await a.ended;
    expect(a.told.at(-1)).toEqual([false, undefined]);
    expect(server.spec).toMatchObject({ holderIdentity: "", leaseDurationSeconds: 1 });
    await pass(2_500);
    expect(b.told.at(-1)).toEqual([true, "b"]);
  });

  it("gives back what it was just taking when it is stopped", async () => {
    const a = candidate("a", clock, async (request) => {
      const answer = await server.request(request);
      if (request.signal === undefined || request.method === "GET") return answer;
      a.stop.abort();
      throw new Error("aborted");
    });
    await a.ended;
    expect(server.spec).toMatchObject({ holderIdentity: "", leaseTransitions: 0 });
  });

  it("never has two leaders among three candidates whose clocks are apart, whatever fails", async () => {
    const clocks = [createFakeClock(), createFakeClock(1), createFakeClock(1e12)];
    const candidates = clocks.map((own, at) => candidate(`c${at}`, own));
    const leaders = (): number => candidates.filter(({ told }) => told.at(-1)?.[0] === true).length;
    const failing = new Set([3, 4, 5, 9, 10, 11, 12, 13, 14, 20]);
    for (let turn = 0; turn < 40; turn++) {
      server.break(failing.has(turn));
      for (const own of clocks) {
        await pass(1_000, own);
        expect(leaders()).toBeLessThanOrEqual(1);
      }
    }
    expect(leaders()).toBe(1);
  });
});
