import { Registry } from "prom-client";
import { afterEach, describe, expect, test } from "vitest";
import { createLog } from "../process/log.ts";
import { createProxyAdmin } from "./admin.ts";
import { putAgent, putKey, tableOf } from "./request/table.test-support.ts";
import { credentialRowId } from "./table/contract.ts";
import { startState, type SubscribeState } from "./table/subscribe-state.ts";
import { createTable } from "./table/table.ts";

const admins: { close(): Promise<void> }[] = [];
function setUp(table: ReturnType<typeof createTable>, draining = false, stream: Partial<SubscribeState> = {}) {
  const admin = createProxyAdmin({
    listen: { host: "127.0.0.1", port: 0 },
    registry: new Registry(),
    log: createLog({ output: { write: () => undefined }, level: "silent", name: "test" }),
    table,
    stream: () => ({ ...startState, ...stream }),
    now: () => 100_000,
    draining: () => draining,
  });
  admins.push(admin);
  return (url: string) => admin.app.inject({ method: "GET", url });
}
afterEach(async () => {
  for (const admin of admins.splice(0)) await admin.close();
});

describe("readiness", () => {
  test.each([
    ["with a whole table", tableOf(), false, 200, []],
    ["without one", createTable(), false, 503, ["No complete table has come from an operator yet."]],
    ["while it drains", tableOf(), true, 503, ["The proxy is shutting down."]],
  ])("%s", async (_, table, draining, status, reasons) => {
    const response = await setUp(table, draining)("/readyz");
    expect([response.statusCode, response.json()]).toEqual([status, { ready: status === 200, reasons }]);
  });

  test.each<[Partial<SubscribeState>, string]>([
    [
      { source: "last-good", writtenAt: 58_400 },
      "Serving from the last good table, last written 42 seconds ago: no operator has sent one since the start.",
    ],
    [{ source: "stream" }, "No operator is heard: serving from the table as it was last sent."],
  ])("stays, with a note, while no operator is heard %#", async (stream, note) => {
    const response = await setUp(tableOf(), false, stream)("/readyz");
    expect([response.statusCode, response.json()]).toEqual([200, { ready: true, reasons: [], notes: [note] }]);
    const heard = await setUp(tableOf(), false, { source: "stream", connected: true })("/readyz");
    expect(heard.json()).toEqual({ ready: true, reasons: [] });
  });

  test("does not touch health", async () => {
    expect((await setUp(createTable(), true)("/healthz")).statusCode).toBe(200);
  });
});

describe("the table dump", () => {
  test("has a line of facts, then a line a row, and no secret", async () => {
    const secret = "upstream-secret-value";
    const table = tableOf(putAgent(), putKey("virtual-key-token"), {
      id: credentialRowId("agents", "upstream", "token"),
      row: { value: secret },
    });
    const response = await setUp(table)("/table");
    expect(response.headers["content-type"]).toBe("application/x-ndjson");
    const [facts, ...rows] = response.body
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(facts).toEqual({ version: table.version, rows: 4, refusedRows: 0, complete: true });
    expect(new Set(rows.map((row) => row["id"]))).toEqual(
      new Set(["agent/agents/travel", "credential/agents/upstream/token", "gateway", "key/agents/alice"]),
    );
    expect(response.body).not.toContain(secret);
    expect(response.body).not.toContain(table.keyById("agents/alice")?.row.sha256);
  });

  test("lets other work go on while a large table is written", async () => {
    const agents = Array.from({ length: 3000 }, (_, at) => putAgent({ publicName: `agent-${at}` }, `agent-${at}`));
    const get = setUp(tableOf(...agents));
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    const response = await get("/table");
    running = false;
    expect(response.body.trim().split("\n")).toHaveLength(3002);
    expect(turns).toBeGreaterThan(10);
  });
});
