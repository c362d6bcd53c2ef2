// What one proxy can make an operator hold while nothing changes.
import { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import { createDigest } from "../../proxy/table/digest.ts";
import { encodePut, rowHash } from "../../proxy/table/encode.ts";
import { createPublisher } from "./publisher.ts";
import { quietLog, quietMetrics } from "./quiet.test-support.ts";

test("subscriptions that each lack other buckets leave nothing behind that grows with their number", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const held = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const publisher = createPublisher({
    gateway: "default",
    replica: "r1",
    holder: () => "r1",
    clock: createFakeClock(),
    log: quietLog,
    metrics: quietMetrics,
  });
  const digest = createDigest();
  const changes = Array.from(
    { length: 5000 },
    (_, at) => ({ id: `credential/ns/${at}`, row: { value: "x".repeat(300) } }) as const,
  );
  publisher.apply(changes);
  publisher.open();
  for (const { id, row } of changes) digest.set(id, rowHash(id, encodePut(id, row)));
  const prefixes = Buffer.from(digest.prefixes(), "base64");

  const subscribe = async (): Promise<void> => {
    // About half of the table.
    for (let at = 0; at < prefixes.length / 2; at += 4)
      prefixes.writeUInt32BE((prefixes.readUInt32BE(at) + 1) >>> 0, at);
    const arrived = { bytes: 0 };
    const out = new Writable({
      write(chunk: Buffer, _encoding, taken) {
        arrived.bytes += chunk.length;
        taken();
      },
    });
    const who = { gateway: "default", proxy: "p", version: "0".repeat(64), buckets: prefixes.toString("base64") };
    publisher.subscribe(out, who, "127.0.0.1:1");
    while (arrived.bytes < 800_000) await turn();
  };
  for (let n = 0; n < 40; n++) await subscribe();
  const before = held();
  for (let n = 0; n < 60; n++) await subscribe();
  expect(held() - before).toBeLessThan(10_000_000);
  publisher.close();
});
