import { fastify } from "fastify";
import { describe, expect, it } from "vitest";
import { createFakeClock } from "../proxy/table/clock.test-support.ts";
import type { RowChange } from "../proxy/table/contract.ts";
import { adminRoutes } from "./admin.ts";
import { createPublisher } from "./publish/publisher.ts";

const silent = (): void => undefined;
const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
const SHA = "3f9a1c02".padEnd(64, "0");

describe("adminRoutes", () => {
  const clock = createFakeClock();
  const publisher = createPublisher({
    gateway: "default",
    replica: "r1",
    clock,
    log,
    metrics: { batch: silent, acked: silent, cut: silent },
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
    publisher.close();
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
});
