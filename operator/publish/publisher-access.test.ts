// When batches go out, and to whom: what changes access before the rest.
import { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { FakeClock } from "../../proxy/table/clock.test-support.ts";
import type { AgentRow, KeyRow, RowChange, StreamLine } from "../../proxy/table/contract.ts";
import { createPublisher } from "./publisher.ts";
import type { Publisher } from "./publisher.ts";
import { quietLog, quietMetrics } from "./quiet.test-support.ts";

const agent = (generation: number, publicName = "a"): RowChange => {
  const row: Partial<AgentRow> = { uid: "u", generation, labels: {}, publicName };
  return { id: "agent/ns/a", row: row as AgentRow };
};
const key = (name: string): RowChange => ({ id: `key/ns/${name}`, row: { sha256: name } as KeyRow });

/** Whether a proxy takes what is sent, and how it goes on. */
interface Taking {
  now: boolean;
  on?: () => void;
}

describe("batches", () => {
  let holder: string | undefined;
  let clock: FakeClock;
  let publisher: Publisher;

  /** A stream, and the sequences that it was told so far: "3" of a batch, "beat 3" of a heartbeat. */
  const listen = (proxy: string, standby: boolean, taking: Taking = { now: true }): (() => Promise<string[]>) => {
    let text = "";
    const out = new Writable({
      highWaterMark: 1,
      write(chunk, _encoding, done) {
        text += String(chunk);
        if (taking.now) done();
        else taking.on = done;
      },
    });
    publisher.subscribe(out, { gateway: "default", proxy, ...(standby ? { standby } : {}) }, "");
    return async () => {
      // The first look is the greeting's.
      await turn();
      const told: string[] = [];
      for (const line of text.split("\n").filter(Boolean)) {
        const read = JSON.parse(line) as StreamLine;
        if (read.type === "COMMIT") told.push(`${read.sequence}`);
        if (read.type === "HEARTBEAT") told.push(`beat ${read.sequence}${read.holder ?? ""}`);
      }
      text = "";
      return told;
    };
  };

  beforeEach(() => {
    clock = createFakeClock();
    holder = undefined;
    publisher = createPublisher({
      gateway: "default",
      replica: "r",
      holder: () => holder,
      clock,
      log: quietLog,
      metrics: quietMetrics,
    });
    publisher.apply([agent(1), key("old")]);
    publisher.open();
    clock.advance(100);
  });

  it("carry what changes access at once, though one has just gone out, and with it what waits", () => {
    publisher.apply([agent(2)]);
    expect(publisher.state.sequence).toBe(2);
    publisher.apply([agent(3)]);
    expect(publisher.state.sequence).toBe(2);
    publisher.apply([key("new")]);
    expect(publisher.state).toMatchObject({ sequence: 3, rows: 3 });
    clock.advance(100);
    expect(publisher.state.sequence).toBe(3);
  });

  it("carry a new name of an agent at once, and a key that goes", () => {
    publisher.apply([agent(2)]);
    publisher.apply([agent(3, "b")]);
    expect(publisher.state.sequence).toBe(3);
    clock.advance(30);
    publisher.apply([agent(4, "b")]);
    publisher.apply([{ id: "key/ns/old", row: null }]);
    expect(publisher.state).toMatchObject({ sequence: 5, rows: 1 });
  });

  it("that change access go out thirty milliseconds apart, and what does not thirty after any", () => {
    publisher.apply([key("b")]);
    clock.advance(10);
    publisher.apply([key("c")]);
    clock.advance(19);
    expect(publisher.state.sequence).toBe(2);
    clock.advance(1);
    expect(publisher.state.sequence).toBe(3);
    clock.advance(5);
    publisher.apply([agent(2)]);
    clock.advance(24);
    expect(publisher.state.sequence).toBe(3);
    clock.advance(1);
    expect(publisher.state.sequence).toBe(4);
  });

  it("go out sooner than they would have when access changes while they wait", () => {
    publisher.apply([key("b")]);
    clock.advance(20);
    // No batch before 30 since the last one.
    publisher.apply([agent(2)]);
    clock.advance(10);
    expect(publisher.state.sequence).toBe(3);
    publisher.apply([agent(3)]);
    clock.advance(1);
    publisher.apply([key("c")]);
    expect(publisher.state.sequence).toBe(4);
  });

  it("that change access do not wait for what went out in between", () => {
    publisher.apply([key("b")]);
    clock.advance(10);
    publisher.apply([agent(2)]);
    // It is sent what waits.
    listen("p1", false);
    expect(publisher.state.sequence).toBe(3);
    publisher.apply([agent(3)]);
    publisher.apply([key("c")]);
    clock.advance(19);
    expect(publisher.state.sequence).toBe(3);
    clock.advance(1);
    expect(publisher.state.sequence).toBe(4);
  });

  it("go to a stream on standby at once when access changes, otherwise with the next heartbeat", async () => {
    const [applied, standby] = [listen("p1", false), listen("p2", true)];
    expect([await applied(), await standby()]).toEqual([["1"], ["beat 1"]]);
    publisher.apply([agent(2)]);
    clock.advance(30);
    publisher.apply([agent(3)]);
    expect([await applied(), await standby()]).toEqual([["2", "3"], []]);
    publisher.apply([key("new")]);
    expect([await applied(), await standby()]).toEqual([["4"], ["4"]]);
    clock.advance(30);
    publisher.apply([agent(4)]);
    expect([await applied(), await standby()]).toEqual([["5"], []]);
    clock.advance(90);
    // 250 ms after it opened.
    expect([await applied(), await standby()]).toEqual([["beat 5"], ["5", "beat 5"]]);
  });

  it("hold up no heartbeat: each stream hears of another holder at once, however fast changes come", async () => {
    const [applied, standby] = [listen("p1", false), listen("p2", true)];
    await Promise.all([applied(), standby()]);
    for (let generation = 2; generation < 60; generation += 1) {
      publisher.apply([agent(generation)]);
      clock.advance(1);
    }
    await Promise.all([applied(), standby()]);
    publisher.apply([agent(60)]);
    holder = " of r2";
    publisher.beat();
    expect([(await applied()).at(-1), (await standby()).at(-1)]).toEqual(["beat 4 of r2", "beat 4 of r2"]);
  });

  it("reach a stream on standby that had no room with the next one, whatever that changes", async () => {
    const taking: Taking = { now: true };
    const standby = listen("p2", true, taking);
    expect(await standby()).toEqual(["beat 1"]);
    taking.now = false;
    publisher.apply([key("b")]);
    clock.advance(30);
    publisher.apply([key("c")]);
    publisher.apply([agent(2)]);
    taking.now = true;
    taking.on?.();
    expect([publisher.state.sequence, await standby()]).toEqual([3, ["2"]]);
    await turn();
    clock.advance(30);
    expect([publisher.state.sequence, await standby()]).toEqual([4, ["4"]]);
  });

  it("that wait for a heartbeat go to a stream on standby however many they are", async () => {
    const endpoints = (count: number): RowChange[] =>
      Array.from({ length: count }, (_, index) => ({ id: `endpoints/ns/s${index}/80`, row: { endpoints: [] } }));
    const standby = listen("p2", true);
    expect(await standby()).toEqual(["beat 1"]);
    publisher.apply([agent(2)]);
    clock.advance(30);
    publisher.apply(endpoints(5_000));
    expect(await standby()).toEqual([]);
    clock.advance(120);
    expect(await standby()).toEqual(["3", "beat 3"]);
  });

  it("go out with a heartbeat that comes while changes wait", async () => {
    const standby = listen("p2", true);
    clock.advance(140);
    publisher.apply([agent(2)]);
    publisher.apply([agent(3)]);
    expect([publisher.state.sequence, await standby()]).toEqual([2, ["beat 1"]]);
    clock.advance(10);
    expect([publisher.state.sequence, await standby()]).toEqual([3, ["3", "beat 3"]]);
  });
});
