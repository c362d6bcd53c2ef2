import { expect, test } from "vitest";
import { recordOf } from "../record.test-support.ts";
import { createExportQueue } from "./queue.ts";
import type { Batch } from "./records.ts";

/** A collector that answers when it is told to. */
function setUp() {
  const batches: (readonly string[])[] = [];
  /** A batch that is the ids of its tasks. */
  let ids: string[] = [];
  const back: string[] = [];
  const batch: Batch = {
    add({ taskId = "" }) {
      if (taskId === "bad") throw new Error("broken");
      ids.push(taskId);
    },
    get length() {
      return ids.join().length;
    },
    take() {
      const bytes = Buffer.from(ids.join());
      ids = [];
      return bytes;
    },
    giveBack: (bytes) => void back.push(bytes.toString()),
  };
  const answers: ((taken: boolean) => void)[] = [];
  const timers: (() => void)[] = [];
  const queue = createExportQueue({
    limits: { queue: 4, batch: 2, delay: 1000 },
    batch,
    send: (bytes) => {
      batches.push(bytes.toString().split(","));
      return new Promise((resolve) => answers.push(resolve));
    },
    schedule: (run) => timers.push(run),
  });
  return { queue, batches, back, answers, timers };
}
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test("a full batch leaves at once, a part of one after its time", async () => {
  const { queue, batches, answers, timers } = setUp();
  queue.push(recordOf());
  expect(batches).toHaveLength(0);
  queue.push(recordOf());
  expect(batches.map((batch) => batch.length)).toEqual([2]);
  queue.push(recordOf());
  answers[0]?.(true);
  await turn();
  expect(batches).toHaveLength(1);
  timers[0]?.();
  expect(batches.map((batch) => batch.length)).toEqual([2, 1]);
  answers[1]?.(true);
  await turn();
  expect(queue.sent).toBe(3);
});

test("while the collector is slow no more than the queue waits; what is more is dropped and counted", async () => {
  const { queue, batches, answers } = setUp();
  for (let at = 0; at < 20; at++) queue.push(recordOf());
  expect(batches).toHaveLength(1);
  expect(queue.dropped).toBe(14);
  answers[0]?.(false);
  await turn();
  expect(queue.dropped).toBe(16);
  answers[1]?.(true);
  await turn();
  answers[2]?.(true);
  await turn();
  expect([queue.sent, queue.dropped]).toEqual([4, 16]);
});

test("a batch of many bytes leaves at once, however few its records are", () => {
  const { queue, batches } = setUp();
  queue.push(recordOf({ taskId: "x".repeat(1024 * 1024) }));
  expect(batches).toHaveLength(1);
});

test("a record that cannot be encoded is counted, and harms no other", async () => {
  const { queue, batches, answers } = setUp();
  queue.push(recordOf({ taskId: "1" }));
  expect(() => queue.push(recordOf({ taskId: "bad" }))).toThrow("broken");
  queue.push(recordOf({ taskId: "2" }));
  expect(batches).toEqual([["1", "2"]]);
  answers[0]?.(true);
  await turn();
  expect([queue.sent, queue.dropped]).toEqual([2, 1]);
});

test("bytes are given back when the collector has taken or refused them, not before", async () => {
  const { queue, back, answers } = setUp();
  for (const taskId of ["1", "2", "3", "4"]) queue.push(recordOf({ taskId }));
  await turn();
  expect(back).toEqual([]);
  answers[0]?.(true);
  await turn();
  expect(back).toEqual(["1,2"]);
  answers[1]?.(false);
  await turn();
  expect(back).toEqual(["1,2", "3,4"]);
});

test("flush sends what waits", async () => {
  const { queue, batches, answers } = setUp();
  queue.push(recordOf());
  const flushed = queue.flush();
  await turn();
  expect(batches).toHaveLength(1);
  answers[0]?.(true);
  await flushed;
  expect(queue.sent).toBe(1);
});

test("goes on after its time came when nothing waited, and when a batch was under way", async () => {
  const { queue, batches, answers, timers } = setUp();
  queue.push(recordOf());
  queue.push(recordOf());
  answers[0]?.(true);
  await turn();
  timers[0]?.();
  queue.push(recordOf());
  queue.push(recordOf());
  queue.push(recordOf());
  timers[1]?.();
  answers[1]?.(true);
  await turn();
  expect(batches.map((batch) => batch.length)).toEqual([2, 2, 1]);
  answers[2]?.(true);
  await turn();
  expect(queue.sent).toBe(5);
});
