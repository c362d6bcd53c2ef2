// Several operators: whose stream is applied, what the others take away, what is acknowledged to whom.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createScene, travel, alice, bob, type Scene } from "./subscribe.test-support.ts";
import { keyRow, sha256Of } from "./rows.test-support.ts";

let scene: Scene;
beforeEach(() => {
  scene = createScene();
});
afterEach(() => scene.end());

const token = sha256Of("sk-alice");

/** Two operators with equal tables, of which the first holds the Lease; the proxy's table is whole and both streams live. */
async function two() {
  const [a, b] = [await scene.operator([travel, alice], "a"), await scene.operator([travel, alice], "b")];
  a.holder = "a";
  b.holder = "a";
  const proxy = scene.subscribe([a.url, b.url]);
  await scene.bell.until(() => proxy.table.complete && proxy.state.connected && proxy.state.standby === 1);
  return { a, b, proxy };
}

describe("with two operators", () => {
  test("one stream is applied and the other stands by; both are told what is served", async () => {
    const { a, b, proxy } = await two();
    expect(a.subscriptions.map(({ asked }) => asked)).toStrictEqual([{ gateway: "default", proxy: "proxy-1" }]);
    expect(b.subscriptions[0]?.asked).toStrictEqual({ gateway: "default", proxy: "proxy-1", standby: true });
    await scene.bell.until(() => a.acks.length === 1 && b.acks.length === 1);
    expect(b.acks[0]).toMatchObject({ replica: "b", sequence: 1, version: a.version });
    expect(proxy.state).toMatchObject({ connected: true, standby: 1, lost: 0, switches: 0, resyncs: 0 });
  });

  test("what stands by is acknowledged when the table gets there, once", async () => {
    const { a, b, proxy } = await two();
    await scene.bell.until(() => b.acks.length === 1);
    b.apply([bob]);
    const heard = proxy.states.length;
    b.heartbeat();
    await scene.bell.until(() => proxy.states.length > heard);
    expect(b.acks).toHaveLength(1);
    a.apply([bob]);
    await scene.bell.until(() => b.acks.length === 2);
    expect(b.acks[1]).toMatchObject({ replica: "b", sequence: 2, version: proxy.table.version });
    b.heartbeat();
    a.heartbeat();
    a.apply([{ id: bob.id, row: null }]);
    await scene.bell.until(() => a.acks.length === 3);
    expect([b.acks.length, proxy.withheld.rows]).toStrictEqual([2, 0]);
  });

  test("while changes go on, what stands by is acknowledged twice a second, and what is applied twenty times", async () => {
    const { a, b, proxy } = await two();
    const change = (nth: number): void => {
      const rows = nth % 2 === 0 ? [{ id: bob.id, row: null }] : [bob];
      b.apply(rows);
      a.apply(rows);
    };
    for (let nth = 1; nth < 6; nth += 1) {
      await scene.bell.until(() => a.acks.length === nth && b.acks.length === nth);
      change(nth);
    }
    await scene.bell.until(() => a.acks.length === 6 && b.acks.length === 6);
    change(6);
    await Promise.all([50, 500].map((every) => proxy.clock.scheduled((ms) => ms === every)));
    proxy.clock.advance(50);
    await scene.bell.until(() => a.acks.length === 7);
    expect(b.acks).toHaveLength(6);
  });

  test("what either takes away is refused at once, and nothing that only the other has is served", async () => {
    const { a, b, proxy } = await two();
    b.apply([{ id: alice.id, row: null }, bob, { id: "credential/x/y/z", row: { value: "s" } }]);
    await scene.bell.until(() => proxy.withheld.table.key(token) === undefined);
    expect(proxy.table.key(token)?.id).toBe("agents/alice");
    expect(proxy.withheld.table.key(sha256Of("sk-bob"))).toBeUndefined();
    a.apply([{ id: alice.id, row: null }, bob, { id: "credential/x/y/z", row: { value: "s" } }]);
    await scene.bell.until(() => proxy.withheld.rows === 0);
    expect(proxy.withheld.table.key(token)).toBeUndefined();
    expect(proxy.withheld.table.key(sha256Of("sk-bob"))?.id).toBe("agents/bob");
  });

  test("a holder that is lost is left at once, without a line of the table being sent again", async () => {
    const { a, b, proxy } = await two();
    const key = proxy.table.key(token);
    a.mode = "Unavailable";
    b.holder = "b";
    a.cut();
    await scene.bell.until(() => b.subscriptions.length === 2 && proxy.state.connected);
    expect(b.subscriptions[1]?.asked).toMatchObject({ version: b.version, buckets: expect.any(String) as string });
    expect(b.subscriptions[1]?.asked.standby).toBeUndefined();
    b.apply([bob]);
    await scene.bell.until(() => proxy.table.version === b.version);
    expect(proxy.table.key(token)).toBe(key);
    expect(proxy.state).toMatchObject({ standby: 0, lost: 1, switches: 1 });

    // It comes back, not as the holder: nothing moves.
    a.mode = "Serve";
    a.holder = "b";
    await proxy.retriedUntil(() => proxy.state.standby === 1);
    expect(a.subscriptions.at(-1)?.asked.standby).toBe(true);
    expect(proxy.state.switches).toBe(1);
  });

  test("a holder that hangs is left after four heartbeats, and its last word holds", async () => {
    const { a, b, proxy } = await two();
    a.mode = "Quiet";
    a.apply([{ id: alice.id, row: null }]);
    await scene.bell.until(() => proxy.table.key(token) === undefined);
    for (let beat = 0; beat < 5; beat += 1) {
      const heard = proxy.states.length;
      b.heartbeat();
      await scene.bell.until(() => proxy.states.length > heard);
      proxy.clock.advance(250);
    }
    // The other one has not seen it yet: its table brings the key back, and it is withheld.
    await scene.bell.until(() => proxy.table.key(token) !== undefined);
    expect(proxy.withheld.table.key(token)).toBeUndefined();
    b.apply([{ id: alice.id, row: null }]);
    await scene.bell.until(() => proxy.table.version === b.version && proxy.withheld.rows === 0);
    expect(proxy.withheld.table.key(token)).toBeUndefined();
    expect(proxy.state.switches).toBe(1);
  });

  test("the Lease going over moves the stream, once", async () => {
    const { a, b, proxy } = await two();
    a.holder = undefined;
    a.heartbeat();
    b.holder = "b";
    b.heartbeat();
    await scene.bell.until(() => b.subscriptions.length === 2 && a.subscriptions.length === 2);
    await scene.bell.until(() => proxy.state.connected && proxy.state.standby === 1);
    expect(a.subscriptions[1]?.asked.standby).toBe(true);
    a.heartbeat();
    b.heartbeat();
    b.apply([bob]);
    await scene.bell.until(() => proxy.table.version === b.version);
    expect(proxy.state).toMatchObject({ switches: 1, resyncs: 0 });
  });

  test("only the buckets that differ are sent on a hand-over", async () => {
    const rows = Array.from({ length: 200 }, (_, n) => ({ id: `key/many/${n}`, row: keyRow(`sk-many-${n}`) }));
    const { a, b, proxy } = await two();
    a.apply(rows);
    b.apply([...rows, bob, { id: alice.id, row: null }]);
    await scene.bell.until(() => proxy.table.version === a.version);
    const lines: string[] = [];
    b.mangle = (line) => {
      lines.push(line);
      return [line];
    };
    a.mode = "Unavailable";
    a.cut();
    await scene.bell.until(() => proxy.table.version === b.version);
    const puts = lines.filter((line) => line.includes('"PUT"'));
    expect(puts.length).toBeLessThan(10);
    expect(puts.some((line) => line.includes(bob.id))).toBe(true);
  });
});

describe("a name with several addresses", () => {
  test("is a stream to each, and one to an address that comes later", async () => {
    const operator = await scene.operator();
    const { port } = new URL(operator.url);
    let addresses = ["127.0.0.1"];
    const proxy = scene.subscribe([`http://operators.test:${port}`], undefined, () => Promise.resolve(addresses));
    await scene.bell.until(() => proxy.table.complete);
    // A second one at which nobody is: it is lost, and nothing else changes.
    addresses = ["127.0.0.1", "127.0.0.2"];
    proxy.clock.advance(900);
    for (let beat = 0; beat < 30; beat += 1) {
      const heard = proxy.states.length;
      operator.heartbeat();
      await scene.bell.until(() => proxy.states.length > heard);
      proxy.clock.advance(250);
    }
    await scene.bell.until(() => proxy.state.lost === 1);
    expect(proxy.state).toMatchObject({ connected: true, switches: 0 });
    addresses = ["127.0.0.1"];
    for (let beat = 0; beat < 30; beat += 1) {
      const heard = proxy.states.length;
      operator.heartbeat();
      await scene.bell.until(() => proxy.states.length > heard);
      proxy.clock.advance(250);
    }
    await scene.bell.until(() => proxy.state.lost === 0);
  });

  test("that cannot be looked up is tried as it is, and again", async () => {
    const proxy = scene.subscribe(["http://operators.invalid:1"], undefined, () => Promise.reject(new Error("none")));
    await scene.bell.until(() => proxy.logged.includes("stream lost"));
    expect(proxy.state).toMatchObject({ connected: false, lost: 1 });
  });

  test("an operator that is found at two addresses has one stream", async () => {
    const operator = await scene.operator();
    const named = operator.url.replace("127.0.0.1", "operator.test");
    const proxy = scene.subscribe([operator.url, `${operator.url}/`, named], undefined, () =>
      Promise.resolve(["127.0.0.1"]),
    );
    await scene.bell.until(() => proxy.table.complete && operator.subscriptions.length >= 2);
    await scene.bell.until(() => proxy.state.connected && proxy.state.standby === 0 && proxy.state.lost === 1);
    const asked = operator.subscriptions.length;
    // It is not asked again while it is heard there.
    for (let beat = 0; beat < 50; beat += 1) {
      const heard = proxy.states.length;
      operator.heartbeat();
      await scene.bell.until(() => proxy.states.length > heard);
      proxy.clock.advance(250);
    }
    expect(operator.subscriptions).toHaveLength(asked);
  });
});
