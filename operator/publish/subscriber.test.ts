import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
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

function start(rows: Readonly<Record<string, string>> = {}) {
  const consumer = createConsumer();
  let time = 0;
  const asked: string[][] = [];
  const subscriber = createSubscriber({
    out: consumer.out,
    now: () => time,
    newest: (ids) => {
      asked.push([...ids]);
      return [Buffer.from([...ids].map((id) => rows[id] ?? `-${id}`).join(" "))];
    },
  });
  return {
    subscriber,
    ...consumer,
    asked,
    pass: (ms: number) => {
      time += ms;
    },
  };
}

const large = (text: string): Buffer => Buffer.from(text.padEnd(20, "."));

describe("createSubscriber", () => {
  it("sends what comes as it is while the consumer keeps up", async () => {
    const { subscriber, takeAll, taken, asked } = start();
    subscriber.start([Buffer.from("hello")]);
    await takeAll();
    subscriber.offer(["a"], [Buffer.from("one")]);
    await takeAll();
    subscriber.offer(["b"], [Buffer.from("two")]);
    await takeAll();
    expect(taken).toEqual(["hello", "one", "two"]);
    expect(asked).toEqual([]);
  });

  it("sends a slow consumer the newest state of what changed meanwhile, once, whatever number of batches there were", async () => {
    const { subscriber, takeAll, taken, asked } = start({ a: "a9", b: "b3" });
    subscriber.start([large("snapshot")]);
    for (let batch = 0; batch < 1_000; batch++)
      subscriber.offer(["a", batch % 2 === 0 ? "b" : "gone"], [large("batch")]);
    expect(asked).toEqual([]);
    await takeAll();
    expect(taken).toEqual([large("snapshot").toString(), "a9 b3 -gone"]);
    expect(asked).toEqual([["a", "b", "gone"]]);
  });

  it("holds a long snapshot back chunk by chunk", async () => {
    const { subscriber, takeAll, taken, out } = start();
    subscriber.start([large("1"), large("2"), large("3"), large("4")]);
    expect(out.writableLength).toBe(20);
    await takeAll();
    expect(taken.map((chunk) => chunk[0])).toEqual(["1", "2", "3", "4"]);
  });

  it("leaves heartbeats out while something waits", async () => {
    const { subscriber, takeAll, taken } = start();
    subscriber.start([large("snapshot")]);
    subscriber.heartbeat(Buffer.from("beat"));
    await takeAll();
    subscriber.heartbeat(Buffer.from("beat"));
    await takeAll();
    expect(taken).toEqual([large("snapshot").toString(), "beat"]);
  });

  it("tells for how long nothing was taken", async () => {
    const { subscriber, takeAll, pass } = start();
    subscriber.start([Buffer.from("x")]);
    pass(5_000);
    expect(subscriber.stalledFor()).toBe(0);
    subscriber.offer(["a"], [large("one")]);
    pass(3_000);
    expect(subscriber.stalledFor()).toBe(3_000);
    await takeAll();
    expect(subscriber.stalledFor()).toBe(0);
  });

  it("writes nothing to a consumer that has left or was told that this is the end", async () => {
    const { subscriber, out, takeAll, taken } = start();
    subscriber.start([Buffer.from("x")]);
    await takeAll();
    subscriber.end();
    subscriber.offer(["a"], [Buffer.from("late")]);
    subscriber.heartbeat(Buffer.from("late"));
    await takeAll();
    expect(taken).toEqual(["x"]);

    const cut = start();
    cut.subscriber.start([Buffer.from("x")]);
    cut.subscriber.cut();
    cut.subscriber.offer(["a"], [Buffer.from("late")]);
    expect([cut.out.destroyed, out.errored]).toEqual([true, null]);
  });
});
