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
    one.open++;
    wait(120_000);
    expect(connections.get(key)).toBe(one);
    one.open--;
    wait(29_000);
    expect(connections.get(key)).toBe(one);
    wait(29_000);
    expect(connections.size).toBe(1);
    wait(3000);
    expect(connections.size).toBe(0);
    expect(connections.get(key)).not.toBe(one);
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
