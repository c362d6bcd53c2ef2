import { beforeEach, describe, expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { FakeClock } from "../../proxy/table/clock.test-support.ts";
import type { BackendStatus } from "../../crds/types.ts";
import type { ApplyResult } from "../kube/apply.ts";
import { refOf } from "../objects.ts";
import type { Finding } from "../translate/result.ts";
import { CARDS, agent, conditionsOf, createWorld, result, settle, written } from "./writer.test-support.ts";
import type { World } from "./writer.test-support.ts";

describe("createStatusWriter: how often and what", () => {
  let clock: FakeClock;
  let world: World;
  beforeEach(() => {
    clock = createFakeClock();
    world = createWorld(clock);
  });

  it("writes counts of endpoints at most every thirty seconds, but at once when the last one goes or the first one comes", async () => {
    await written(world);
    const counts = (ready: number): void =>
      world.writer.results(
        [result("travel", 1, { fields: { url: "/a2a/travel", readyEndpoints: ready, knownEndpoints: 2 } })],
        1,
      );
    clock.advance(10_000);
    for (const ready of [1, 2, 1]) {
      counts(ready);
      await settle();
    }
    clock.advance(19_000);
    await settle();
    expect(world.writes).toEqual([]);
    clock.advance(1_000);
    await settle();
    expect(world.writes.map(({ status }) => status.readyEndpoints)).toEqual([1]);
    counts(0);
    await settle();
    counts(1);
    await settle();
    expect(world.writes.map(({ status }) => status.readyEndpoints)).toEqual([1, 0, 1]);
  });

  it("does not write again while its own write has not been read back, nor what the API server drops", async () => {
    world.setEcho(false);
    agent(world, "travel", 1);
    world.writer.lead(true);
    world.publish(1);
    world.ack({ p1: 1 });
    world.writer.results([result("travel", 1)], 1);
    await settle();
    world.writer.stored(refOf("A2AAgent", "agents", "travel"));
    await settle();
    expect(world.writes).toHaveLength(1);
    const { url: _, ...pruned } = world.writes[0]?.status ?? {};
    agent(world, "travel", 1, { status: pruned });
    const read = world.stored.get(refOf("A2AAgent", "agents", "travel"));
    if (read !== undefined) Object.assign(read.metadata, { resourceVersion: "101" });
    world.writer.stored(refOf("A2AAgent", "agents", "travel"));
    await settle();
    clock.advance(120_000);
    world.writer.results([result("travel", 1)], 1);
    await settle();
    expect(world.writes).toHaveLength(1);
  });

  it("mends a status that somebody else changed", async () => {
    await written(world);
    const tampered = { url: "/evil" };
    agent(world, "travel", 1, { status: tampered });
    world.writer.stored(refOf("A2AAgent", "agents", "travel"));
    await settle();
    expect(world.writes.map(({ status }) => status.url)).toEqual(["/a2a/travel"]);
  });

  it("waits for the cards of a new agent a little, and says what discovery says", async () => {
    const pending: Finding = { type: "Discovered", status: "Unknown", reason: "Pending", message: "" };
    const conditions = [{ type: "Accepted", status: "True", reason: "Accepted", message: "" } as const, pending];
    agent(world, "travel", 1);
    world.writer.lead(true);
    world.publish(1);
    world.ack({ p1: 1 });
    world.writer.results([result("travel", 1, { conditions })], 1);
    await settle();
    clock.advance(200);
    await settle();
    expect(world.writes).toEqual([]);
    const backends: readonly BackendStatus[] = [{ name: "a", versions: ["1.0"] }, { name: "no longer there" }];
    const about = { namespace: "agents", name: "travel", uid: "uid-travel" };
    world.writer.discovered(about, backends, CARDS);
    await settle();
    expect(world.writes.map(({ status }) => [status.versions, status.backends])).toEqual([["1.0", [backends[0]]]]);
    const failed: Finding = { type: "Discovered", status: "False", reason: "CardUnreachable", message: "no" };
    world.writer.discovered(about, backends, failed);
    world.writer.discovered({ ...about, uid: "another" }, [], CARDS);
    await settle();
    expect(conditionsOf(world.writes[1]?.status)).toMatchObject({
      Discovered: "False CardUnreachable",
      Ready: "False CardUnreachable",
    });
    expect(world.writes).toHaveLength(2);
  });

  it("says what is said in place of a complaint of translation, and only while there is one", async () => {
    const missing: Finding = { type: "ResolvedRefs", status: "False", reason: "SecretNotFound", message: "" };
    const exact: Finding = { ...missing, reason: "SecretNotLabelled" };
    await written(world);
    const about = { kind: "A2AAgent", namespace: "agents", name: "travel", uid: "uid-travel" } as const;
    const complaint = result("travel", 1, { conditions: [...result("travel", 1).conditions, missing] });
    world.writer.results([complaint], 1);
    await settle();
    world.writer.override(about, "ResolvedRefs", exact);
    await settle();
    world.writer.results(
      [result("travel", 1, { conditions: [...result("travel", 1).conditions, { ...missing, status: "True" }] })],
      1,
    );
    await settle();
    expect(world.writes.map(({ status }) => conditionsOf(status)["ResolvedRefs"])).toEqual([
      "False SecretNotFound",
      "False SecretNotLabelled",
      "True SecretNotFound",
    ]);
  });

  it("tries again after a failure, with growing waits, and writes the newest state then", async () => {
    await written(world);
    const unavailable: ApplyResult = { ok: false, reason: "Unavailable", message: "away" };
    world.answers.push(unavailable, unavailable);
    world.writer.results([result("travel", 1, { fields: { url: "/one" } })], 1);
    await settle();
    clock.advance(1_000);
    await settle();
    clock.advance(1_999);
    await settle();
    expect([world.writes.length, world.results.slice(1)]).toEqual([
      0,
      ["A2AAgent Unavailable", "A2AAgent Unavailable"],
    ]);
    world.stored.set(refOf("A2AAgent", "agents", "travel"), agent(world, "travel", 1));
    clock.advance(1);
    await settle();
    expect(world.writes.map(({ status }) => status.url)).toEqual(["/one"]);
  });

  it("does not repeat what was refused until something changes", async () => {
    await written(world);
    world.answers.push({ ok: false, reason: "Refused", message: "Invalid" });
    world.writer.results([result("travel", 1, { fields: { url: "/one" } })], 1);
    await settle();
    expect([world.results.at(-1), clock.pending]).toEqual(["A2AAgent Refused", []]);
    world.writer.results([result("travel", 1, { fields: { url: "/two" } })], 1);
    await settle();
    expect(world.writes.map(({ status }) => status.url)).toEqual(["/two"]);
  });

  it("leaves no timer behind when it is closed while a write fails", async () => {
    await written(world);
    world.answers.push({ ok: false, reason: "Unavailable", message: "away" });
    world.holdWrites();
    world.writer.results([result("travel", 1, { fields: { url: "/one" } })], 1);
    await settle();
    world.writer.close();
    world.letGo();
    await settle();
    expect([world.results.at(-1), clock.pending]).toEqual(["A2AAgent Unavailable", []]);
  });

  it("has nothing waiting on a standby", async () => {
    agent(world, "travel", 1);
    world.writer.results([result("travel", 1)], 1);
    world.ack({ p1: 1 });
    world.writer.stored(refOf("A2AAgent", "agents", "travel"));
    await settle();
    expect(world.writer.waiting).toBe(0);
  });

  it("looks only once what was said together is there: findings of an edit are of that edit", async () => {
    await written(world);
    const about = { namespace: "agents", name: "travel", uid: "uid-travel" };
    world.writer.discovered(about, [{ name: "a" }], CARDS);
    await settle();
    world.writes.length = 0;
    agent(world, "travel", 2);
    // Everybody has its row already; its backends are not yet read.
    world.writer.results([result("travel", 2)], 1);
    world.writer.discovered(about, [], { ...CARDS, status: "Unknown", reason: "Pending" });
    await settle();
    clock.advance(300);
    await settle();
    expect(world.writes.map(({ status }) => conditionsOf(status)["Discovered"])).toEqual(["Unknown Pending"]);
  });

  it("waits as long although the wall clock was set back", async () => {
    agent(world, "travel", 1);
    world.writer.lead(true);
    world.ack({ p1: 0 });
    world.publish(1);
    world.writer.results([result("travel", 1)], 1);
    await settle();
    clock.set(clock.now() - 3_600_000);
    world.ack({ p1: 0 });
    await settle();
    clock.advance(1_000);
    await settle();
    expect(world.writes).toHaveLength(1);
  });

  it("lets go of an object that is gone", async () => {
    await written(world);
    world.answers.push({ ok: false, reason: "Gone" });
    world.writer.results([result("travel", 1, { fields: { url: "/one" } })], 1);
    await settle();
    world.stored.clear();
    world.writer.removed(refOf("A2AAgent", "agents", "travel"));
    clock.advance(600_000);
    await settle();
    expect([world.writes, world.results.at(-1), clock.pending]).toEqual([[], "A2AAgent Gone", []]);
  });

  it("writes a bounded number at once, each object's newest state, and all in the end", async () => {
    const names = Array.from({ length: 50 }, (_, at) => `a${at}`);
    for (const name of names) agent(world, name, 1);
    world.writer.lead(true);
    world.publish(1);
    world.ack({ p1: 1 });
    world.holdWrites();
    world.writer.results(
      names.map((name) => result(name, 1)),
      1,
    );
    await settle();
    world.writer.results(
      [result("a0", 1, { fields: { url: "/new" } }), result("a49", 1, { fields: { url: "/new" } })],
      1,
    );
    await settle();
    world.letGo();
    await settle();
    expect(world.busiest()).toBe(8);
    expect(new Set(world.writes.map(({ name }) => name)).size).toBe(50);
    const urls = (name: string): unknown =>
      world.writes.filter((write) => write.name === name).map(({ status }) => status.url);
    expect([urls("a0"), urls("a49")]).toEqual([["/a2a/a0", "/new"], ["/new"]]);
  });

  it.each([
    [3, 2],
    [5, 2],
    [6, 3],
    [20, 5],
  ])("of %d that wait writes %d at once, and then the others", async (count, atOnce) => {
    const names = Array.from({ length: count }, (_, at) => `a${at}`);
    for (const name of names) agent(world, name, 1);
    world.writer.lead(true);
    world.publish(1);
    world.ack({ p1: 1 });
    world.holdWrites();
    await settle();
    world.writer.results(
      names.map((name) => result(name, 1)),
      1,
    );
    await settle();
    expect(world.busiest()).toBe(atOnce);
    world.letGo();
    await settle();
    expect(new Set(world.writes.map(({ name }) => name)).size).toBe(count);
  });

  it("says when a key's time is over, at that time", async () => {
    const ref = refOf("VirtualKey", "agents", "alice");
    const { metadata } = agent(world, "alice", 1);
    const expiresAt = new Date(clock.now() + 3_600_000).toISOString();
    world.stored.set(ref, {
      kind: "VirtualKey",
      metadata,
      spec: { gatewayName: "default", secretRef: { name: "s", key: "k" } },
    });
    const conditions = [{ type: "Accepted", status: "True", reason: "Accepted", message: "" } as const];
    world.writer.lead(true);
    world.publish(1);
    world.ack({ p1: 1 });
    world.writer.results(
      [result("alice", 1, { kind: "VirtualKey", rowId: "key/agents/alice", conditions, fields: { expiresAt } })],
      1,
    );
    await settle();
    clock.advance(3_599_999);
    await settle();
    expect(world.writes.map(({ status }) => conditionsOf(status)["Ready"])).toEqual(["True Ready"]);
    clock.advance(1);
    await settle();
    expect(world.writes.map(({ status }) => conditionsOf(status)["Ready"])).toEqual(["True Ready", "False Expired"]);
  });

  it("begins anew with an object of the same name", async () => {
    await written(world);
    world.stored.clear();
    const again = agent(world, "travel", 1);
    world.stored.set(refOf("A2AAgent", "agents", "travel"), {
      ...again,
      metadata: { ...again.metadata, uid: "uid-2" },
    });
    world.publish(2);
    world.writer.results([result("travel", 1, { uid: "uid-2" })], 2);
    await settle();
    clock.advance(1_000);
    await settle();
    expect(conditionsOf(world.writes[0]?.status)).toMatchObject({ Programmed: "False NotApplied" });
  });

  it("writes nothing while it is not sure to hold the Lease, and what waited once it is", async () => {
    world.setMayWrite(false);
    agent(world, "travel", 1);
    world.writer.lead(true);
    world.publish(1);
    world.ack({ p1: 1 });
    world.writer.results([result("travel", 1)], 1);
    await settle();
    expect([world.writes, world.writer.waiting]).toEqual([[], 1]);
    world.setMayWrite(true);
    world.writer.lead(true);
    await settle();
    expect(world.writes).toHaveLength(1);
  });

  it("gives proxies a second to say what they serve when it begins to lead", async () => {
    agent(world, "travel", 1);
    world.publish(1);
    world.ack({ p1: undefined });
    world.writer.results([result("travel", 1)], 1);
    clock.advance(60_000);
    world.writer.lead(true);
    await settle();
    clock.advance(900);
    await settle();
    expect(world.writes).toEqual([]);
    world.ack({ p1: 1 });
    await settle();
    expect(world.writes.map(({ status }) => conditionsOf(status)["Programmed"])).toEqual(["True Programmed"]);
  });

  it("looks at what an acknowledgement settles, not at all that waits", async () => {
    const names = Array.from({ length: 200 }, (_, at) => `agent-${at}`);
    world.writer.lead(true);
    world.ack({ p1: 0, p2: 0 });
    for (const [at, name] of names.entries()) {
      agent(world, name, 1);
      world.writer.results([result(name, 1)], at + 1);
    }
    world.publish(200);
    await settle();
    const before = world.reads();
    world.ack({ p1: 200, p2: 3 });
    await settle();
    expect(world.writes.map(({ name }) => name)).toEqual(["agent-0", "agent-1", "agent-2"]);
    // Each is looked at for the write, and once more when it is read back.
    expect(world.reads() - before).toBeLessThan(20);
  });
});
