import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { type LogLevel, createLog } from "./log.ts";
import { createShutdown } from "./shutdown.ts";
import { ECHO_MS } from "./signal-echo.ts";

function setUp() {
  const signals = new EventEmitter();
  const exits: number[] = [];
  const lines: string[] = [];
  const timers: { fire: () => void; ms: number; cancelled: boolean }[] = [];
  const level: LogLevel = "debug";
  const time = { ms: 1_000 };
  const shutdown = createShutdown({
    log: createLog({ output: { write: (line) => void lines.push(line) }, level, name: "test" }),
    clock: {
      now: () => 0,
      elapsed: () => time.ms,
      setTimeout(fire, ms) {
        const timer = { fire, ms, cancelled: false };
        timers.push(timer);
        return { cancel: () => void (timer.cancelled = true) };
      },
    },
    signals,
    exit: (code) => void exits.push(code),
    limit: 30_000,
  });
  return { signals, exits, lines, timers, time, shutdown };
}

/** A step that ends when told. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe("shutdown", () => {
  test("runs its steps one after the other and exits with 0", async () => {
    const { shutdown, exits, timers } = setUp();
    const done: string[] = [];
    const first = gate();
    shutdown.step("first", async () => {
      expect(shutdown.signal.aborted).toBe(true);
      await first.opened;
      done.push("first");
    });
    shutdown.step("second", () => void done.push("second"));
    expect(shutdown.signal.aborted).toBe(false);
    const stopped = shutdown.stop("test");
    expect(done).toEqual([]);
    first.open();
    await stopped;
    expect(done).toEqual(["first", "second"]);
    expect(exits).toEqual([0]);
    expect(timers).toEqual([{ fire: expect.any(Function), ms: 30_000, cancelled: true }]);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("begins on %s", async (name) => {
    const { shutdown, exits, signals, lines } = setUp();
    signals.emit(name, name);
    await shutdown.stop("again");
    expect(exits).toEqual([0]);
    expect(lines.filter((line) => line.includes('"msg":"shutdown"'))).toHaveLength(1);
    expect(lines.join("")).toContain(`"cause":"${name}"`);
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("exits at once when %s comes a second time", async (name, code) => {
    const { shutdown, exits, signals, time } = setUp();
    const never = gate();
    shutdown.step("stuck", () => never.opened);
    signals.emit("SIGTERM", "SIGTERM");
    expect(exits).toEqual([]);
    time.ms += ECHO_MS;
    signals.emit(name, name);
    expect(exits).toEqual([code]);
    never.open();
    await shutdown.stop("again");
    expect(exits).toEqual([code]);
  });

  test("takes the same signal that comes again at once for one, and another one for the second", async () => {
    const { shutdown, exits, signals, time } = setUp();
    const never = gate();
    shutdown.step("stuck", () => never.opened);
    signals.emit("SIGINT", "SIGINT");
    for (const wait of [0, ECHO_MS - 1]) {
      time.ms += wait;
      signals.emit("SIGINT", "SIGINT");
      expect(exits).toEqual([]);
    }
    signals.emit("SIGTERM", "SIGTERM");
    expect(exits).toEqual([143]);
    never.open();
    await shutdown.stop("again");
  });

  test("goes on after a step that fails, says which, and exits with 1", async () => {
    const { shutdown, exits, lines } = setUp();
    const done: string[] = [];
    shutdown.step("fails", () => {
      throw new Error("broken");
    });
    shutdown.step("rejects", () => Promise.reject(new Error("late")));
    shutdown.step("last", () => void done.push("last"));
    await shutdown.stop("test");
    expect(done).toEqual(["last"]);
    expect(exits).toEqual([1]);
    expect(lines.filter((line) => line.includes("shutdown step failed"))).toHaveLength(2);
    expect(lines.join("")).toContain('"step":"rejects"');
  });

  test("exits with 1 when the limit passes", async () => {
    const { shutdown, exits, timers } = setUp();
    const never = gate();
    shutdown.step("stuck", () => never.opened);
    const stopped = shutdown.stop("test");
    timers[0]?.fire();
    expect(exits).toEqual([1]);
    never.open();
    await stopped;
    expect(exits).toEqual([1]);
  });

  test("keeps a wanted exit code and runs steps that were added while it ran", async () => {
    const { shutdown, exits } = setUp();
    const done: string[] = [];
    shutdown.step("first", () => shutdown.step("added", () => void done.push("added")));
    await shutdown.stop("bad configuration", 2);
    expect(done).toEqual(["added"]);
    expect(exits).toEqual([2]);
  });

  test("leaves no listener behind", async () => {
    const { shutdown, signals } = setUp();
    expect(signals.listenerCount("SIGTERM")).toBe(1);
    await shutdown.stop("test");
    expect(signals.eventNames()).toEqual([]);
  });
});
