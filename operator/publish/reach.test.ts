// How far an operator says it has read. In: changes, and what it has read. Out: what its batches and heartbeats say.
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { Reach, RowChange } from "../../proxy/table/contract.ts";
import { createPublisher } from "./publisher.ts";
import { quietLog, quietMetrics } from "./quiet.test-support.ts";

const put = (id: string, value: string): RowChange => ({ id: `credential/${id}`, row: { value } });

it("says how far was read what it has sent, and never of what waits for its batch", async () => {
  const clock = createFakeClock();
  let reach: Reach | undefined = { VirtualKey: 4 };
  const publisher = createPublisher({
    gateway: "default",
    replica: "r1",
    holder: () => undefined,
    reach: () => reach,
    clock,
    log: quietLog,
    metrics: quietMetrics,
  });
  const out = new PassThrough();
  const lines = createInterface({ input: out })[Symbol.asyncIterator]();
  const until = async (type: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const line = JSON.parse(String((await lines.next()).value)) as Record<string, unknown>;
      if (line["type"] === type) return line;
    }
  };
  publisher.apply([put("a", "1")]);
  // The table is not whole yet.
  publisher.beat();
  expect(publisher.state.sequence).toBe(0);
  publisher.open();
  publisher.subscribe(out, { gateway: "default", proxy: "p1" }, "here");
  expect(await until("COMMIT")).toMatchObject({ sequence: 1, reach });
  reach = { VirtualKey: 5 };
  clock.advance(100);
  publisher.apply([put("a", "2")]);
  expect(await until("COMMIT")).toMatchObject({ sequence: 2, reach });
  publisher.apply([put("a", "3")]);
  reach = { VirtualKey: 6 };
  expect(publisher.state).toMatchObject({ sequence: 2, reach: { VirtualKey: 5 } });
  // More was read than was translated.
  reach = undefined;
  clock.advance(30);
  const third = await until("COMMIT");
  expect([third["sequence"], third["reach"]]).toEqual([3, undefined]);
  reach = { VirtualKey: 7 };
  publisher.beat();
  expect(await until("HEARTBEAT")).toMatchObject({ sequence: 3, reach });
  publisher.close();
});
