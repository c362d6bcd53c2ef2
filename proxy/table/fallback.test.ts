import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createScene, travel, alice, bob, type Scene } from "./subscribe.test-support.ts";
import { sha256Of } from "./rows.test-support.ts";

let scene: Scene;
beforeEach(() => {
  scene = createScene();
});
afterEach(() => scene.end());

describe("the last good table", () => {
  const filled = async (): Promise<{ file: string; version: string }> => {
    const file = await scene.tempFile();
    const operator = await scene.operator();
    const proxy = scene.subscribe([operator.url], await scene.openLog(file));
    await proxy.acknowledged(operator, 1);
    operator.apply([bob]);
    await proxy.acknowledged(operator, 2);
    proxy.abort();
    await proxy.done;
    return { file, version: operator.version };
  };

  test("is served after five seconds without an operator, and not before", async () => {
    const { file, version } = await filled();
    const proxy = scene.subscribe([], await scene.openLog(file));
    proxy.clock.advance(4999);
    expect(proxy.table.complete).toBe(false);
    proxy.clock.advance(1);
    await scene.bell.until(() => proxy.state.source === "last-good");
    expect(proxy.table).toMatchObject({ complete: true, version });
    expect(proxy.table.key(sha256Of("sk-bob"))?.id).toBe("agents/bob");
    expect(proxy.logged).toStrictEqual(["no operator answers: serving from the last good table"]);
  });

  test("gives way to an operator, which is asked with its version", async () => {
    const { file, version } = await filled();
    const operator = await scene.operator([travel, alice]);
    operator.mode = "Unavailable";
    const proxy = scene.subscribe([operator.url], await scene.openLog(file));
    await scene.bell.until(() => proxy.logged.includes("stream lost"));
    proxy.clock.advance(5000);
    await scene.bell.until(() => proxy.state.source === "last-good");
    operator.mode = "Serve";
    await proxy.retriedUntil(() => proxy.state.source === "stream");
    expect(operator.subscriptions[0]?.asked.version).toBe(version);
    expect(proxy.table.version).toBe(operator.version);
    expect(proxy.table.keyById("agents/bob")).toBeUndefined();
  });

  test("is served when the operator only sends broken tables", async () => {
    const { file, version } = await filled();
    const operator = await scene.operator([travel]);
    operator.mangle = (line) => [line.replace(/"rows":\d+/, '"rows":99')];
    const proxy = scene.subscribe([operator.url], await scene.openLog(file));
    await scene.bell.until(() => proxy.state.resyncs === 1);
    proxy.clock.advance(5000);
    await scene.bell.until(() => proxy.state.source === "last-good");
    expect(proxy.table.version).toBe(version);
  });

  test("is not looked at when the operator answers", async () => {
    const { file } = await filled();
    const operator = await scene.operator([travel]);
    const proxy = scene.subscribe([operator.url], await scene.openLog(file));
    await scene.bell.until(() => proxy.table.complete);
    proxy.clock.advance(900);
    expect(proxy.table.version).toBe(operator.version);
    expect(proxy.states.some(({ source }) => source === "last-good")).toBe(false);
  });

  test("that is not there leaves the proxy without a table, and says so", async () => {
    const proxy = scene.subscribe([], await scene.openLog(await scene.tempFile()));
    proxy.clock.advance(5000);
    await scene.bell.until(() => proxy.logged.length > 0);
    expect(proxy.logged).toStrictEqual(["no operator answers, and there is no last good table to serve from"]);
    expect(proxy.table.complete).toBe(false);
  });
});
