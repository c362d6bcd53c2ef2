import { beforeEach, describe, expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { FakeClock } from "../../proxy/table/clock.test-support.ts";

import { agent, conditionsOf, createWorld, result, settle, written } from "./writer.test-support.ts";
import type { World } from "./writer.test-support.ts";

describe("createStatusWriter: what is programmed", () => {
  let clock: FakeClock;
  let world: World;
  beforeEach(() => {
    clock = createFakeClock();
    world = createWorld(clock);
  });

  it("waits for acknowledgements, so that one edit is one write", async () => {
    agent(world, "travel", 1);
    world.writer.lead(true);
    world.ack({ p1: 0, p2: 0 });
    world.publish(1);
    world.writer.results([result("travel", 1)], 1);
    await settle();
    clock.advance(900);
    world.ack({ p1: 1, p2: 0 });
    await settle();
    expect(world.writes).toEqual([]);
    world.ack({ p1: 1, p2: 1 });
    await settle();
    clock.advance(60_000);
    await settle();
    expect(world.writes.map(({ status }) => conditionsOf(status))).toEqual([
      {
        Ready: "True Ready",
        Accepted: "True Accepted",
        Discovered: "True CardsRead",
        Programmed: "True Programmed",
      },
    ]);
    expect(world.writes[0]?.status.observedGeneration).toBe(1);
    expect(world.results).toEqual(["A2AAgent ok"]);
    expect(world.events).toMatchObject([["travel", { type: "Normal", reason: "Programmed" }]]);
    expect(world.writer.waiting).toBe(0);
  });

  it("names a laggard after a second, and tells when it has come round", async () => {
    agent(world, "travel", 1);
    world.writer.lead(true);
    world.ack({ p1: 1, p2: 0 });
    world.publish(1);
    world.writer.results([result("travel", 1)], 1);
    await settle();
    clock.advance(1_000);
    await settle();
    expect(conditionsOf(world.writes[0]?.status)).toMatchObject({
      Programmed: "False NotApplied",
      Ready: "False NotApplied",
    });
    expect(world.writes[0]?.status.conditions?.at(-1)?.message).toContain("p2");
    world.ack({ p1: 1, p2: 1 });
    await settle();
    expect(world.writes).toHaveLength(2);
    expect(conditionsOf(world.writes[1]?.status)).toMatchObject({ Programmed: "True Programmed" });
  });

  it("does not judge a generation again that is programmed: not when proxies come and go, not after a restart", async () => {
    await written(world);
    for (const proxies of [{}, { p9: undefined }, { p1: 0, p9: 0 }]) {
      world.ack(proxies);
      await settle();
      clock.advance(60_000);
      await settle();
    }
    expect(world.writes).toEqual([]);

    const restarted = createWorld(clock);
    for (const [ref, object] of world.stored) restarted.stored.set(ref, object);
    restarted.writer.lead(true);
    restarted.writer.results([result("travel", 1)], 1);
    await settle();
    restarted.ack({ p1: undefined });
    clock.advance(60_000);
    await settle();
    expect(restarted.writes).toEqual([]);
  });

  it("judges a new generation, and the same one once it was not published for a while", async () => {
    await written(world);
    agent(world, "travel", 2);
    world.publish(2);
    world.writer.results([result("travel", 2)], 2);
    await settle();
    clock.advance(1_000);
    await settle();
    expect(conditionsOf(world.writes.at(-1)?.status)).toMatchObject({ Programmed: "False NotApplied" });
    world.ack({ p1: 2 });
    await settle();
    world.writer.results([result("travel", 2, { rowId: null })], 3);
    await settle();
    expect(conditionsOf(world.writes.at(-1)?.status)).toMatchObject({ Programmed: "False NotPublished" });
    world.publish(4);
    world.writer.results([result("travel", 2)], 4);
    await settle();
    clock.advance(1_000);
    await settle();
    expect(conditionsOf(world.writes.at(-1)?.status)).toMatchObject({ Programmed: "False NotApplied" });
    world.ack({ p1: 4 });
    await settle();
    expect(conditionsOf(world.writes.at(-1)?.status)).toMatchObject({ Programmed: "True Programmed" });
  });

  it("judges a generation that is published again although what it said meanwhile could not be written", async () => {
    await written(world);
    world.answers.push({ ok: false, reason: "Unavailable", message: "away" });
    world.writer.results([result("travel", 1, { rowId: null })], 2);
    await settle();
    world.publish(3);
    world.writer.results([result("travel", 1)], 3);
    await settle();
    clock.advance(1_000);
    await settle();
    expect(world.writes.map(({ status }) => conditionsOf(status)["Programmed"])).toEqual(["False NotApplied"]);
  });

  it("goes by the batch that first carried the generation, however often the row changes after it", async () => {
    agent(world, "travel", 1);
    world.writer.lead(true);
    world.ack({ p1: 0 });
    world.publish(9);
    for (let sequence = 1; sequence < 10; sequence++) world.writer.results([result("travel", 1)], sequence);
    world.ack({ p1: 1 });
    await settle();
    expect(conditionsOf(world.writes[0]?.status)).toMatchObject({ Programmed: "True Programmed" });
  });

  it("gives proxies five seconds to come back before it says that there is none", async () => {
    agent(world, "travel", 1);
    world.writer.lead(true);
    world.publish(1);
    world.writer.results([result("travel", 1)], 1);
    await settle();
    clock.advance(4_900);
    await settle();
    expect(world.writes).toEqual([]);
    clock.advance(100);
    await settle();
    expect(conditionsOf(world.writes[0]?.status)).toMatchObject({ Programmed: "False NoProxies" });
  });

  it("writes nothing without the Lease, everything that is due with it, and nothing once it is lost", async () => {
    await written(world);
    world.writer.lead(false);
    const changed = result("travel", 1, { fields: { url: "/elsewhere" } });
    world.writer.results([changed], 2);
    await settle();
    clock.advance(60_000);
    await settle();
    expect(world.writes).toEqual([]);
    world.writer.lead(true);
    await settle();
    expect(world.writes.map(({ status }) => status.url)).toEqual(["/elsewhere"]);
  });
});
