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
    pass: (milliseconds: number): void => {
      now += milliseconds;
    },
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

  test("gives no client again that was dropped, and ends it", () => {
    const pool = setUp().connections.get(key);
    const client = pool.take();
    pool.drop(client);
    expect(client.closed).toBe(true);
    expect(pool.take()).not.toBe(client);
  });

  test("closes connections that were idle for over three seconds, and none that are in use", () => {
    const { connections, wait } = setUp();
    const pool = connections.get(key);
    const [idle, busy, short] = [pool.take(), pool.take(), pool.take()];
    short.reuse = 1000;
    pool.give(short);
    wait(1250);
    pool.give(idle);
    expect([idle, busy, short].map(({ closed }) => closed)).toEqual([false, false, true]);
    wait(2750);
    expect([idle, busy].map(({ closed }) => closed)).toEqual([false, false]);
    wait(500);
    expect([idle, busy].map(({ closed }) => closed)).toEqual([true, false]);
  });

  test("gives none again that was idle for too long, though nobody swept", () => {
    const { connections, pass } = setUp();
    const pool = connections.get(key);
    const [one, other] = [pool.take(), pool.take()];
    pool.give(one);
    pool.give(other);
    pass(3000);
    const taken = pool.take();
    expect([one, other]).not.toContain(taken);
    expect([one.closed, other.closed]).toEqual([true, true]);
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

  test("is ended with all that runs on it", () => {
    const { connections } = setUp();
    const pool = connections.get(key);
    const [used, free] = [pool.take(), pool.take()];
    pool.give(free);
    connections.close();
    expect([used.closed, free.closed]).toEqual([true, true]);
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
