import { describe, expect, test } from "vitest";
import { createObserver } from "./observer.ts";
import { recordOf } from "./record.test-support.ts";
import type { FinishedRequest } from "./record.ts";

function setUp(options: { count?: (record: FinishedRequest) => void } = {}) {
  const lines: string[] = [];
  const writes: string[] = [];
  const counted: FinishedRequest[] = [];
  const errors: string[] = [];
  const scheduled: (() => void)[] = [];
  const observer = createObserver({
    write(text) {
      writes.push(text);
      lines.push(...linesOf(text));
    },
    metrics: { finished: options.count ?? ((record) => void counted.push(record)) },
    log: { error: (_fields, message) => void errors.push(message) },
    schedule: (run) => void scheduled.push(run),
  });
  return { observer, lines, writes, counted, errors, scheduled };
}
const linesOf = (text: string): string[] => text.split(/(?<=\n)/);

describe("the observer", () => {
  test("does nothing while the request runs, then all that waits in one turn", () => {
    const { observer, lines, counted, scheduled } = setUp();
    const records = [recordOf({ taskId: "1" }), recordOf({ taskId: "2" })];
    for (const record of records) observer.finished(record);
    expect([lines.length, counted.length, scheduled.length]).toEqual([0, 0, 1]);
    scheduled[0]?.();
    expect(counted).toEqual(records);
    expect(lines.map((line) => (JSON.parse(line) as { task_id: string }).task_id)).toEqual(["1", "2"]);
    expect(lines.every((line) => line.endsWith("\n"))).toBe(true);
  });

  test("writes many lines at once, whole ones and not too many", () => {
    const { observer, lines, writes } = setUp();
    for (let request = 0; request < 250; request++) observer.finished(recordOf({ requestContent: "x".repeat(1000) }));
    observer.flush();
    expect(lines).toHaveLength(250);
    expect(writes.length).toBeLessThan(10);
    expect(writes.every((text) => text.endsWith("\n") && text.length < 68_000)).toBe(true);
  });

  test("gives every sink every record, and lines to those that want them though none is written", () => {
    const [taken, lines]: [FinishedRequest[], string[]] = [[], []];
    const observer = createObserver({
      metrics: { finished: () => undefined },
      sinks: [(record) => void taken.push(record)],
      lineSinks: [(_record, line) => void lines.push(line)],
      log: { error: () => undefined },
    });
    const records = [recordOf({ taskId: "1" }), recordOf({ taskId: "2" })];
    for (const record of records) observer.finished(record);
    observer.flush();
    expect(taken).toEqual(records);
    expect(lines.map((line) => (JSON.parse(line) as { task_id: string }).task_id)).toEqual(["1", "2"]);
  });

  test("schedules again after a turn", () => {
    const { observer, lines, scheduled } = setUp();
    observer.finished(recordOf());
    scheduled[0]?.();
    observer.finished(recordOf());
    expect(scheduled).toHaveLength(2);
    scheduled[1]?.();
    expect(lines).toHaveLength(2);
  });

  test("holds a bounded number of records", () => {
    const { observer, lines, scheduled } = setUp();
    for (let request = 0; request < 1000; request++) observer.finished(recordOf());
    expect(lines.length).toBeGreaterThan(1000 - 256);
    expect(scheduled.length).toBeLessThan(10);
    for (const run of scheduled) run();
    expect(lines).toHaveLength(1000);
  });

  test("flush writes what waits, once", () => {
    const { observer, lines, scheduled } = setUp();
    observer.finished(recordOf());
    observer.flush();
    expect(lines).toHaveLength(1);
    scheduled[0]?.();
    observer.flush();
    expect(lines).toHaveLength(1);
  });

  test("a record that cannot be written harms no other", () => {
    const counted: string[] = [];
    const { observer, errors, lines } = setUp({
      count: (record) => {
        if (record.taskId === "bad") throw new Error("broken");
        counted.push(record.taskId ?? "");
      },
    });
    for (const taskId of ["1", "bad", "2"]) observer.finished(recordOf({ taskId }));
    observer.flush();
    expect(counted).toEqual(["1", "2"]);
    expect(lines).toHaveLength(2);
    expect(errors).toEqual(["request not recorded"]);
  });

  test("by default works after the event loop's turn", async () => {
    const lines: string[] = [];
    const observer = createObserver({
      write: (line) => void lines.push(line),
      metrics: { finished: () => undefined },
      log: { error: () => undefined },
    });
    observer.finished(recordOf());
    expect(lines).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(lines).toHaveLength(1);
  });
});
