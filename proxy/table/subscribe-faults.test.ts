import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createScene, alice, bob, type Scene } from "./subscribe.test-support.ts";
import { sha256Of } from "./rows.test-support.ts";
import { encodeLine } from "./encode.ts";

let scene: Scene;
beforeEach(() => {
  scene = createScene();
});
afterEach(() => scene.end());

describe("an operator that cannot be trusted", () => {
  const faults: readonly (readonly [string, (line: string) => readonly string[]])[] = [
    ["a dropped PUT", (line) => (line.includes('"PUT"') ? [] : [line])],
    ["a doubled PUT", (line) => (line.includes('"PUT"') ? [line, line] : [line])],
    ["a flipped bit in a row", (line) => [line.replace('"team":"booking"', '"team":"booking."')]],
    ["a flipped bit in an id", (line) => [line.replace("key/agents/bob", "key/agents/cob")]],
    ["a row that is no JSON", (line) => [line.replace('"owner":', '"owner"|')]],
    ["a dropped BATCH", (line) => (line.includes('"BATCH"') ? [] : [line])],
    ["a doubled BATCH", (line) => (line.includes('"BATCH"') ? [line, line] : [line])],
    ["a doubled COMMIT", (line) => (line.includes('"COMMIT"') ? [line, line] : [line])],
    [
      "a COMMIT of another sequence",
      (line) => (line.includes('"COMMIT"') ? [line.replace('"sequence":2', '"sequence":3')] : [line]),
    ],
    ["a wrong number of rows", (line) => [line.replace('"rows":3', '"rows":4')]],
    ["a wrong version", (line) => [line.replace(/"version":"./, '"version":"g')]],
    ["a sequence that does not rise", (line) => [line.replace('"sequence":2', '"sequence":1')]],
    ["another replica", (line) => [line.replace('"replica":"r-1"', '"replica":"r-2"')]],
    [
      "a heartbeat inside a batch",
      (line) =>
        line.includes('"PUT"')
          ? [encodeLine({ type: "HEARTBEAT", replica: "r-1", sequence: 1, version: "0".repeat(64) }), line]
          : [line],
    ],
    ["a second HELLO", (line) => [line, encodeLine({ type: "HELLO", gateway: "default", replica: "r-1" })]],
  ];

  test.each(faults)(
    "%s: the batch is dropped, counted, and mended by the buckets that differ",
    async (_name, mangle) => {
      const operator = await scene.operator();
      const proxy = scene.subscribe([operator.url]);
      await proxy.acknowledged(operator, 1);
      const good = proxy.table.version;
      operator.mangle = mangle;
      operator.apply([bob]);
      await scene.bell.until(() => proxy.state.resyncs === 1);
      const applied = proxy.table.version === operator.version;
      expect(applied || proxy.table.version === good).toBe(true);
      expect(proxy.table.key(sha256Of("sk-alice"))?.id).toBe("agents/alice");
      operator.mangle = (line) => [line];
      await proxy.reconnected();
      await scene.bell.until(() => proxy.table.version === operator.version && proxy.state.connected);
      expect(operator.subscriptions[1]?.asked.version).toBe(applied ? operator.version : good);
      expect(proxy.state).toMatchObject({ resyncs: 1, reconnects: 1 });
    },
  );

  test("a lost COMMIT or a lost batch shows at the next heartbeat", async () => {
    const operator = await scene.operator();
    const proxy = scene.subscribe([operator.url]);
    await proxy.acknowledged(operator, 1);
    for (const [turn, lost] of [/"COMMIT"/, /./].entries()) {
      operator.mangle = (line) => (lost.test(line) ? [] : [line]);
      operator.apply([turn === 0 ? bob : { id: bob.id, row: null }]);
      operator.mangle = (line) => [line];
      operator.heartbeat();
      await scene.bell.until(() => proxy.state.resyncs === turn + 1);
      await proxy.reconnected();
      await scene.bell.until(() => proxy.table.version === operator.version && proxy.state.connected);
    }
    expect(operator.subscriptions.map(({ asked }) => asked.version !== undefined)).toStrictEqual([false, true, true]);
  });

  test("who goes on sending broken tables is asked ever more rarely, and the last good table stays", async () => {
    const operator = await scene.operator();
    const proxy = scene.subscribe([operator.url]);
    await proxy.acknowledged(operator, 1);
    const good = proxy.table.version;
    operator.mangle = (line) => [line.replace(/"rows":\d+/, '"rows":99')];
    operator.apply([{ id: alice.id, row: null }]);
    const waits: number[] = [];
    for (let n = 0; n < 9; n += 1) waits.push(await proxy.reconnected());
    expect(waits).toStrictEqual([25, 50, 100, 200, 400, 800, 1600, 2500, 2500]);
    expect(proxy.table.version).toBe(good);
    expect(proxy.table.key(sha256Of("sk-alice"))?.id).toBe("agents/alice");
    expect(operator.acks).toHaveLength(1);
    expect(proxy.state.resyncs).toBeGreaterThanOrEqual(9);
  });

  test("a line that never ends is cut off", async () => {
    const operator = await scene.operator();
    const proxy = scene.subscribe([operator.url]);
    await proxy.acknowledged(operator, 1);
    const megabyte = "x".repeat(1024 * 1024);
    for (let n = 0; n < 17; n += 1) operator.subscriptions[0]?.send(megabyte);
    await scene.bell.until(() => proxy.state.resyncs === 1);
    expect(proxy.logged).toContain("stream cannot be trusted: resync");
  });

  test("who serves another gateway is refused, loudly", async () => {
    const operator = await scene.operator();
    operator.gateway = "other";
    const proxy = scene.subscribe([operator.url]);
    await proxy.reconnected();
    expect(proxy.logged).toContain("operator serves another gateway: refused");
    expect([proxy.table.complete, proxy.state.resyncs]).toStrictEqual([false, 0]);
    operator.gateway = "default";
    await proxy.retriedUntil(() => proxy.table.complete);
  });

  test("a line of a type that a later release may send is passed over", async () => {
    const operator = await scene.operator();
    const proxy = scene.subscribe([operator.url]);
    await proxy.acknowledged(operator, 1);
    operator.mangle = (line) => ['{"type":"NOTE","text":"x"}', line];
    operator.apply([bob]);
    await proxy.acknowledged(operator, 2);
    expect(proxy.state.resyncs).toBe(0);
  });
});
