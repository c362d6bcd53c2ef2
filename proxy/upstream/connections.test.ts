import { describe, expect, test } from "vitest";
import type { Clock } from "../../process/clock.ts";
import { createConnections } from "./connections.ts";

const key = { origin: "http://127.0.0.1:9", connectTimeout: 1000, host: undefined, judged: false };

function setUp() {
  let now = 1_000_000;
  const clock: Clock = { now: () => now, elapsed: () => now, setTimeout: () => ({ cancel: () => {} }) };
  const connections = createConnections({ clock, allowed: () => true });
  return {
    connections,
    /** Sweeps as the proxy does, four times a second. */
    wait: (milliseconds: number): void => {
      for (let passed = 0; passed < milliseconds; passed += 250) {
        now += 250;
        connections.sweep();
      }
    },
  };
}

describe("a pool", () => {
  test("is shared by all that connect to one place in one way", () => {
    const { connections } = setUp();
    const one = connections.get(key);
    expect(connections.get({ ...key })).toBe(one);
    for (const other of [
      { ...key, origin: "http://127.0.0.1:10" },
      { ...key, connectTimeout: 2000 },
      { ...key, host: "travel.agents.svc" },
      { ...key, judged: true },
    ]) {
      expect(connections.get(other)).not.toBe(one);
    }
    expect(connections.size).toBe(5);
  });

  test("is closed when it was idle for half a minute, and not while a request uses it", () => {
    const { connections, wait } = setUp();
    const one = connections.get(key);
    const client = one.take();
    wait(120_000);
    expect(connections.get(key)).toBe(one);
    one.give(client);
    wait(29_000);
    expect(connections.get(key)).toBe(one);
    wait(29_000);
    expect(connections.size).toBe(1);
    wait(3000);
    expect(connections.size).toBe(0);
    expect(connections.get(key)).not.toBe(one);
    expect(client.closed).toBe(true);
  });

  test("gives each request a client of its own, first the one that was given back last", () => {
    const pool = setUp().connections.get(key);
    const clients = [pool.take(), pool.take(), pool.take()] as const;
    expect(new Set(clients).size).toBe(3);
    pool.give(clients[1]);
    pool.give(clients[0]);
    expect(pool.take()).toBe(clients[0]);
    expect(pool.take()).toBe(clients[1]);
    expect(clients).not.toContain(pool.take());
  });

  test("gives no client again that was dropped, and ends it", async () => {
    const pool = setUp().connections.get(key);
    const client = pool.take();
    pool.drop(client);
    await Promise.resolve();
    expect(client.destroyed).toBe(true);
    expect(pool.take()).not.toBe(client);
  });

  test("closes clients that it did not need for half a minute", () => {
    const { connections, wait } = setUp();
    const pool = connections.get(key);
    const clients = Array.from({ length: 10 }, () => pool.take());
    for (const client of clients) pool.give(client);
    for (let round = 0; round < 4; round++) {
      const busy = [pool.take(), pool.take()];
      wait(20_000);
      for (const client of busy) pool.give(client);
    }
    expect(clients.filter(({ closed }) => !closed)).toHaveLength(2);
    expect(connections.get(key)).toBe(pool);
  });

  test("that is forgotten closes its clients, those in use when they are given back", () => {
    const { connections } = setUp();
    const pool = connections.get({ ...key, judged: true });
    const [used, free] = [pool.take(), pool.take()];
    pool.give(free);
    connections.rejudge();
    expect([used.closed, free.closed]).toEqual([false, true]);
    pool.give(used);
    expect(used.closed).toBe(true);
  });

  test("is ended with all that runs on it", async () => {
    const { connections } = setUp();
    const pool = connections.get(key);
    const [used, free] = [pool.take(), pool.take()];
    pool.give(free);
    await connections.close();
    expect([used.destroyed, free.destroyed]).toEqual([true, true]);
  });

  test("of judged addresses is forgotten when the policy changes, others stay", () => {
    const { connections } = setUp();
    const judged = connections.get({ ...key, judged: true });
    const other = connections.get(key);
    connections.rejudge();
    expect(connections.get({ ...key, judged: true })).not.toBe(judged);
    expect(connections.get(key)).toBe(other);
  });
});
