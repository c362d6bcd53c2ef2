import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createScene, travel, alice, bob, type Scene } from "./subscribe.test-support.ts";
import { keyRow, sha256Of } from "./rows.test-support.ts";
import { encodePut } from "./encode.ts";

let scene: Scene;
beforeEach(() => {
  scene = createScene();
});
afterEach(() => scene.end());

describe("a table that follows its operator", () => {
  test("is whole after the first batch, acknowledged, and follows every change", async () => {
    const operator = await scene.operator();
    const proxy = scene.subscribe([operator.url]);
    await scene.bell.until(() => proxy.table.version === operator.version && proxy.table.complete);
    expect(operator.subscriptions[0]?.asked).toStrictEqual({ gateway: "default", proxy: "proxy-1" });
    await proxy.acknowledged(operator, 1);
    expect(operator.acks).toStrictEqual([
      { proxy: "proxy-1", replica: "r-1", sequence: 1, version: operator.version, refused: [], refusedRows: 0 },
    ]);
    expect(proxy.state).toMatchObject({ connected: true, source: "stream", resyncs: 0, reconnects: 0 });
    expect(proxy.state.heardAt).toBe(proxy.clock.now());

    operator.apply([bob, { id: alice.id, row: null }]);
    await scene.bell.until(() => operator.acks.some(({ sequence }) => sequence === 2));
    expect(proxy.table.key(sha256Of("sk-alice"))).toBeUndefined();
    expect(proxy.table.key(sha256Of("sk-bob"))?.id).toBe("agents/bob");
  });

  test("says which rows it refuses and why", async () => {
    const operator = await scene.operator([travel, { id: alice.id, row: keyRow("sk", { requires: ["later"] }) }]);
    const proxy = scene.subscribe([operator.url]);
    await proxy.acknowledged(operator, 1);
    expect(operator.acks[0]).toMatchObject({
      refused: [{ id: alice.id, reason: "requires what this release does not know: later" }],
      refusedRows: 1,
    });
  });

  test("after a lost stream, asks with its version and is sent nothing again", async () => {
    const operator = await scene.operator();
    const proxy = scene.subscribe([operator.url]);
    await proxy.acknowledged(operator, 1);
    const key = proxy.table.keyById("agents/alice");
    operator.cut();
    expect(await proxy.reconnected()).toBe(25);
    await proxy.acknowledged(operator, 2);
    expect(operator.subscriptions[1]?.asked.version).toBe(operator.version);
    expect(proxy.table.keyById("agents/alice")).toBe(key);
    expect(proxy.state).toMatchObject({ connected: true, resyncs: 0, reconnects: 1 });
  });

  test("takes a batch whose sequence rose by several, as of a stream that was slow", async () => {
    const operator = await scene.operator();
    const proxy = scene.subscribe([operator.url]);
    await proxy.acknowledged(operator, 1);
    operator.mangle = () => [];
    operator.apply([bob]);
    operator.mangle = (line) =>
      line.includes('"BATCH"') ? [line, encodePut(bob.id, keyRow("sk-bob"))] : [line.replace('"lines":1', '"lines":2')];
    operator.apply([{ id: alice.id, row: null }]);
    await scene.bell.until(() => operator.acks.some(({ sequence }) => sequence === 3));
    expect(proxy.table.version).toBe(operator.version);
    expect(proxy.state.resyncs).toBe(0);
  });
});

describe("a stream that is lost", () => {
  test("for silence, after four heartbeats and not before", async () => {
    const operator = await scene.operator();
    const proxy = scene.subscribe([operator.url]);
    await proxy.acknowledged(operator, 1);
    proxy.clock.advance(1000);
    expect(proxy.state.connected).toBe(true);
    proxy.clock.advance(250);
    await scene.bell.until(() => !proxy.state.connected);
    await proxy.reconnected();
    await scene.bell.until(() => proxy.state.connected);
    expect(proxy.state).toMatchObject({ resyncs: 0, reconnects: 1 });
  });

  test("is kept by heartbeats", async () => {
    const operator = await scene.operator();
    const proxy = scene.subscribe([operator.url]);
    await proxy.acknowledged(operator, 1);
    for (let n = 0; n < 20; n += 1) {
      const before = proxy.states.length;
      operator.heartbeat();
      await scene.bell.until(() => proxy.states.length > before);
      proxy.clock.advance(250);
    }
    expect(proxy.state).toMatchObject({ connected: true, reconnects: 0 });
  });

  test("is not taken for silent after the process stood still", async () => {
    const operator = await scene.operator();
    const proxy = scene.subscribe([operator.url]);
    await proxy.acknowledged(operator, 1);
    proxy.clock.skip(600_000);
    proxy.clock.advance(0);
    operator.apply([bob]);
    await proxy.acknowledged(operator, 2);
    expect(proxy.state.reconnects).toBe(0);
  });

  test("because nobody is there is tried again, less and less often", async () => {
    const operator = await scene.operator();
    operator.mode = "Unavailable";
    const proxy = scene.subscribe([operator.url]);
    const waits: number[] = [];
    for (let n = 0; n < 9; n += 1) waits.push(await proxy.reconnected());
    expect(waits).toStrictEqual([25, 50, 100, 200, 400, 400, 400, 400, 400]);
    operator.mode = "Serve";
    await proxy.retriedUntil(() => proxy.table.complete);
    expect(proxy.state.source).toBe("stream");
    expect(proxy.logged.filter((message) => message === "stream lost")).toHaveLength(1);
  });

  test("because the operator never answers is tried again after two seconds", async () => {
    const operator = await scene.operator();
    operator.mode = "Quiet";
    const proxy = scene.subscribe([operator.url]);
    await scene.bell.until(() => operator.subscriptions.length === 1);
    proxy.clock.advance(1750);
    operator.mode = "Serve";
    proxy.clock.advance(250);
    await proxy.reconnected();
    await scene.bell.until(() => proxy.table.complete);
    expect(proxy.state).toMatchObject({ connected: true, reconnects: 1 });
  });
});

describe("acknowledgements", () => {
  test("do not hold up batches; the newest is sent once there is an answer", async () => {
    const operator = await scene.operator();
    operator.ackStatus = undefined;
    const proxy = scene.subscribe([operator.url]);
    await scene.bell.until(() => operator.acks.length === 1);
    for (let n = 0; n < 5; n += 1) operator.apply([{ id: bob.id, row: keyRow(`sk-bob-${n}`) }]);
    await scene.bell.until(() => proxy.table.version === operator.version);
    expect(operator.acks.map(({ sequence }) => sequence)).toStrictEqual([1]);
    operator.ackStatus = 204;
    for (const ms of [1000, 1000]) {
      const heard = proxy.states.length;
      operator.heartbeat();
      await scene.bell.until(() => proxy.states.length > heard);
      proxy.clock.advance(ms);
    }
    await proxy.retried();
    await proxy.acknowledged(operator, 2);
    expect(operator.acks.map(({ sequence }) => sequence)).toStrictEqual([1, 6]);
    expect(proxy.state.reconnects).toBe(0);
  });

  test("are sent at once after a pause, and some together while changes go on", async () => {
    const operator = await scene.operator();
    const proxy = scene.subscribe([operator.url]);
    await proxy.acknowledged(operator, 1);
    for (let n = 2; n <= 6; n += 1) {
      operator.apply([{ id: bob.id, row: keyRow(`sk-bob-${n}`) }]);
      await proxy.acknowledged(operator, n);
    }
    for (let n = 7; n <= 9; n += 1) operator.apply([{ id: bob.id, row: keyRow(`sk-bob-${n}`) }]);
    await scene.bell.until(() => proxy.table.version === operator.version);
    await proxy.clock.scheduled((ms) => ms === 50);
    expect(operator.acks.map(({ sequence }) => sequence)).toStrictEqual([1, 2, 3, 4, 5, 6]);
    proxy.clock.advance(50);
    await proxy.acknowledged(operator, 7);
    expect(operator.acks.at(-1)?.sequence).toBe(9);
  });

  test("that are not taken are sent again while the stream lives", async () => {
    const operator = await scene.operator();
    operator.ackStatus = 404;
    const proxy = scene.subscribe([operator.url]);
    expect([await proxy.retried(), await proxy.retried(), await proxy.retried()]).toStrictEqual([25, 50, 100]);
    operator.ackStatus = 204;
    await proxy.acknowledged(operator, 4);
    expect(new Set(operator.acks.map(({ sequence }) => sequence))).toStrictEqual(new Set([1]));
    expect(proxy.state).toMatchObject({ connected: true, reconnects: 0 });
  });
});

test("an abort ends it at once, wherever it is", async () => {
  const operator = await scene.operator();
  const proxy = scene.subscribe([operator.url]);
  await proxy.acknowledged(operator, 1);
  proxy.abort();
  await proxy.done;
  expect(proxy.state.connected).toBe(false);
  expect(proxy.clock.pending).toStrictEqual([]);

  operator.mode = "Unavailable";
  const waiting = scene.subscribe([operator.url]);
  await scene.bell.until(() => waiting.logged.includes("stream lost"));
  waiting.abort();
  await waiting.done;
  // What the lost stream withheld outlives it, and is not the subscription's to end.
  waiting.withheld.end();
  expect(waiting.clock.pending).toStrictEqual([]);
});
