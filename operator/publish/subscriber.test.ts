import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Batch } from "./batch.ts";
import { createSubscriber } from "./subscriber.ts";

/** A consumer that takes nothing until it is told to; writes past ten bytes find it full. */
function createConsumer() {
  const taken: string[] = [];
  const held: (() => void)[] = [];
  const out = new Writable({
    highWaterMark: 10,
    write: (chunk: Buffer, _, done) => {
      held.push(() => {
        taken.push(chunk.toString());
        done();
      });
    },
  });
  return {
    out,
    taken,
    /** Takes chunks one after another until nothing more comes. */
    takeAll: async () => {
      for (let take = held.shift(); take !== undefined; take = held.shift()) {
        take();
        await new Promise(setImmediate);
      }
    },
  };
}

/** Text of over ten bytes, so that it fills the consumer. */
const large = (text: string): string => text.padEnd(20, ".");
const batch = (sequence: number, ...pieces: readonly string[]): Batch => ({
  kind: "changes",
  sequence,
  piece: (at) => (pieces[at] === undefined ? undefined : Buffer.from(pieces[at])),
  isLast: (at) => at === pieces.length - 1,
});

function start() {
  const consumer = createConsumer();
  let time = 0;
  let newest = batch(1, "one");
  const asked: number[] = [];
  let lost = false;
  const subscriber = createSubscriber({
    out: consumer.out,
    now: () => time,
    pace: { add: (step) => void (step() && step()) },
    next: (sent) => {
      if (lost) return "Lost";
      if (sent === newest.sequence) return undefined;
      asked.push(sent);
      return newest;
    },
    onSent: () => undefined,
    onDone: () => undefined,
  });
  return {
    subscriber,
    ...consumer,
    asked,
    publish: (now: Batch) => {
      newest = now;
      subscriber.wake();
    },
    lose: () => {
      lost = true;
      subscriber.wake();
    },
    pass: (ms: number) => {
      time += ms;
    },
  };
}
const hello = Buffer.from("hello");

describe("createSubscriber", () => {
  it("sends what comes while the consumer keeps up", async () => {
    const { subscriber, publish, takeAll, taken, asked } = start();
    subscriber.start(hello, { batch: batch(1, "first") });
    await takeAll();
    publish(batch(2, "two"));
    await takeAll();
    publish(batch(3, "three"));
    await takeAll();
    expect(taken).toEqual(["hello", "first", "two", "three"]);
    expect(asked).toEqual([1, 2]);
  });

  it("takes a consumer that is sent no batch for one that holds the newest state", async () => {
    const { subscriber, publish, takeAll, taken, asked } = start();
    subscriber.start(hello, { sequence: 1 });
    await takeAll();
    publish(batch(2, "two"));
    await takeAll();
    expect([taken, asked]).toEqual([["hello", "two"], [1]]);
  });

  it("sends a slow consumer the newest state, once, whatever number of batches there were", async () => {
    const { subscriber, publish, takeAll, taken, asked } = start();
    subscriber.start(hello, { batch: batch(1, large("snapshot")) });
    for (let sequence = 2; sequence <= 1_000; sequence++) publish(batch(sequence, `state ${sequence}`));
    expect(asked).toEqual([]);
    await takeAll();
    expect(taken).toEqual(["hello", large("snapshot"), "state 1000"]);
    expect(asked).toEqual([1]);
  });

  it("holds a long batch back piece by piece", async () => {
    const { subscriber, takeAll, taken, out } = start();
    subscriber.start(Buffer.alloc(0), { batch: batch(1, large("1"), large("2"), large("3"), large("4")) });
    expect(out.writableLength).toBe(20);
    await takeAll();
    expect(taken.map((chunk) => chunk[0] ?? "")).toEqual(["", "1", "2", "3", "4"]);
  });

  it("leaves heartbeats out while something waits, and those of a state that was not sent", async () => {
    const { subscriber, takeAll, taken } = start();
    subscriber.start(hello, { batch: batch(1, large("snapshot")) });
    subscriber.heartbeat(Buffer.from("beat"), 1);
    await takeAll();
    subscriber.heartbeat(Buffer.from("early"), 2);
    subscriber.heartbeat(Buffer.from("beat"), 1);
    await takeAll();
    expect(taken).toEqual(["hello", large("snapshot"), "beat"]);
  });

  it("tells for how long nothing was taken", async () => {
    const { subscriber, publish, takeAll, pass } = start();
    subscriber.start(Buffer.from("x"), { sequence: 1 });
    pass(5_000);
    expect(subscriber.stalledFor()).toBe(0);
    publish(batch(2, large("two")));
    pass(3_000);
    expect(subscriber.stalledFor()).toBe(3_000);
    await takeAll();
    expect(subscriber.stalledFor()).toBe(0);
  });

  it("cuts a consumer for whom there is no way to the newest state", async () => {
    const { subscriber, takeAll, lose, out } = start();
    subscriber.start(hello, { sequence: 1 });
    await takeAll();
    lose();
    expect(out.destroyed).toBe(true);
  });

  it("writes nothing to a consumer that has left or was told that this is the end", async () => {
    const { subscriber, publish, takeAll, taken } = start();
    subscriber.start(Buffer.from("x"), { sequence: 1 });
    await takeAll();
    subscriber.end();
    publish(batch(2, "late"));
    subscriber.heartbeat(Buffer.from("late"), 1);
    await takeAll();
    expect(taken).toEqual(["x"]);

    const cut = start();
    cut.subscriber.start(Buffer.from("x"), { sequence: 1 });
    cut.subscriber.cut();
    cut.publish(batch(2, "late"));
    expect([cut.out.destroyed, cut.out.errored]).toEqual([true, null]);
  });
});
