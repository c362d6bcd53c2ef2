import { PassThrough } from "node:stream";
import { fastify } from "fastify";
import { describe, expect, it } from "vitest";
import { createFakeClock } from "../proxy/table/clock.test-support.ts";
import type { RowChange } from "../proxy/table/contract.ts";
import { adminRoutes } from "./admin.ts";
import { createPublisher } from "./publish/publisher.ts";
import { quietLog, quietMetrics } from "./publish/quiet.test-support.ts";

const SHA = "3f9a1c02".padEnd(64, "0");

describe("adminRoutes", () => {
  const clock = createFakeClock();
  const publisher = createPublisher({
    gateway: "default",
    replica: "r1",
    holder: () => undefined,
    clock,
    log: quietLog,
    metrics: quietMetrics,
  });
  const app = fastify();
  adminRoutes({ publisher, replica: "r1", holder: () => undefined, now: () => clock.now() })(app);
  const rows: readonly RowChange[] = [
    { id: "key/agents/alice", row: { uid: "u", generation: 1, sha256: SHA, owner: {}, agents: [] } },
    { id: "credential/agents/upstream/token", row: { value: "geheim" } },
    { id: "namespace/agents", row: { labels: { team: "booking" } } },
  ];

  it("shows every row in order, and no secret", async () => {
    publisher.apply(rows);
    publisher.open();
    const answer = await app.inject("/table");
    expect(answer.json()).toEqual({
      replica: "r1",
      sequence: 1,
      version: publisher.state.version,
      rows: 3,
      table: [
        { id: "credential/agents/upstream/token", row: { value: "[redacted]" } },
        { id: "key/agents/alice", row: { uid: "u", generation: 1, sha256: "3f9a1c02…", owner: {}, agents: [] } },
        { id: "namespace/agents", row: { labels: { team: "booking" } } },
      ],
    });
    expect(answer.body).not.toMatch(new RegExp(`geheim|${SHA}`));
  });

  it("shows who is connected and who leads", async () => {
    expect((await app.inject("/proxies")).json()).toEqual({
      replica: "r1",
      holder: null,
      sequence: 1,
      version: publisher.state.version,
      proxies: [],
    });
  });

  it("shows of each proxy whether it applies this stream, and how far behind it is", async () => {
    const { version } = publisher.state;
    publisher.subscribe(new PassThrough(), { gateway: "default", proxy: "p1" }, "10.0.0.1:1");
    publisher.subscribe(new PassThrough(), { gateway: "default", proxy: "p2", standby: true }, "10.0.0.2:1");
    publisher.ack({ proxy: "p2", replica: "r1", sequence: 1, version, refused: [], refusedRows: 0 });
    clock.advance(1_000);
    publisher.apply([{ id: "namespace/agents", row: null }]);
    expect((await app.inject("/proxies")).json()).toMatchObject({
      sequence: 2,
      proxies: [
        { proxy: "p1", stream: "applied", sequence: null, lag: null, age: 1 },
        { proxy: "p2", stream: "standby", sequence: 1, lag: 1, age: 1 },
      ],
    });
    publisher.close();
  });
});
