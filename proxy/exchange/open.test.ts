import { describe, expect, test } from "vitest";
import { createCleanup } from "../cleanup.test-support.ts";
import {
  agentChange,
  endpointAt,
  endpointsRow,
  keyChange,
  message,
  rpc,
  send,
  startAgent,
  startProxy,
} from "../proxy.test-support.ts";
import { createFakeClock } from "../table/clock.test-support.ts";
import { agentRowId, keyRowId } from "../table/contract.ts";
import { beginStream, event, openStream, working } from "../stream.test-support.ts";

const use = createCleanup();

/** Streams begin and stay; unary calls get no answer. */
async function holding(options: Parameters<typeof startProxy>[1] = {}, ...more: Parameters<typeof startProxy>[0]) {
  const closed: string[] = [];
  const agent = await use(
    startAgent((_req, res, body) => {
      res.on("close", () => closed.push(body));
      if (!body.includes("message/stream")) return;
      beginStream(res);
      res.write(event(working));
    }),
  );
  const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port)), ...more], options));
  return { ...proxy, agent, closed };
}

const STREAM = rpc("message/stream", message());
const SEND = rpc("message/send", message(), "pending");

describe("a key that is taken away", () => {
  test.each([
    ["deleted", [{ id: keyRowId("agents", "alice"), row: null }]],
    ["disabled", [keyChange({ disabled: true })]],
    ["given another token", [keyChange({ sha256: "0".repeat(64) })]],
    ["no longer granted the agent", [keyChange({ agents: [] })]],
    ["no longer granted the operation", [keyChange({ operations: ["GetTask"] })]],
    ["without its agent", [{ id: agentRowId("agents", "travel"), row: null }]],
  ])("%s: its streams end with an error event, its calls with 401, the agent is told", async (_, changes) => {
    const { port, table, closed, agent, until, records } = await holding();
    const client = await openStream(port, STREAM);
    await client.holds("working");
    const pending = send(port, { body: SEND });
    await until(() => agent.seen.length === 2);
    table.applyLocal(changes, false);
    expect(await client.ended).toBe("broken");
    expect(client.text()).toContain('event: error\ndata: {"jsonrpc":"2.0","id":1,"error":{"code":-32050');
    const reply = await pending;
    expect(reply.status).toBe(401);
    expect(reply.body).toContain('"id":"pending"');
    await until(() => closed.length === 2 && records.length === 2);
    for (const record of records) expect(record).toMatchObject({ outcome: "refused", reason: "KeyRevoked" });
  });

  test("by the clock ends within a tick", async () => {
    const clock = createFakeClock();
    const expiresAt = new Date(clock.now() + 60_000).toISOString();
    const { port, record } = await holding({ clock }, keyChange({ expiresAt }));
    const client = await openStream(port, STREAM);
    await client.holds("working");
    clock.advance(60_250);
    expect(await client.ended).toBe("broken");
    expect((await record(0)).reason).toBe("KeyRevoked");
  });

  const until = (at: number) => keyChange({ expiresAt: new Date(at).toISOString() });

  test("by a time that was set while a stream runs ends it then", async () => {
    const clock = createFakeClock();
    const { port, table, proxy, record } = await holding({ clock });
    const client = await openStream(port, STREAM);
    await client.holds("working");
    table.applyLocal([until(clock.now() + 60_000)], false);
    clock.advance(59_000);
    expect(proxy.open).toBe(1);
    clock.advance(1250);
    expect(await client.ended).toBe("broken");
    expect((await record(0)).reason).toBe("KeyRevoked");
  });

  test("is not taken away at a time that was put off while a stream runs", async () => {
    const clock = createFakeClock();
    const { port, table, closed, record, agent } = await holding({ clock }, until(clock.now() + 60_000));
    const client = await openStream(port, STREAM);
    await client.holds("working");
    table.applyLocal([until(clock.now() + 120_000)], false);
    clock.advance(61_000);
    const second = await openStream(port, STREAM);
    await second.holds("working");
    expect([client.text().includes("error"), closed.length, agent.seen.length]).toEqual([false, 0, 2]);
    clock.advance(60_000);
    expect(await client.ended).toBe("broken");
    expect(await second.ended).toBe("broken");
    expect((await record(0)).reason).toBe("KeyRevoked");
  });

  test("is not taken away by changes that concern others", async () => {
    const { port, table, agent } = await holding();
    const client = await openStream(port, STREAM);
    await client.holds("working");
    table.applyLocal(
      [
        endpointsRow(endpointAt(agent.port), endpointAt(agent.port + 1)),
        agentChange({ publicName: "other" }, "other"),
        keyChange({ owner: { user: "bob@example.com" } }),
      ],
      false,
    );
    const second = await openStream(port, STREAM);
    await second.holds("working");
    expect(client.text()).not.toContain("error");
    client.request.destroy();
    second.request.destroy();
  });
});
