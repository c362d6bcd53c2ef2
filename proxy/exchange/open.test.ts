import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { createCleanup } from "../cleanup.test-support.ts";
import {
  agentChange,
  answering,
  endpointAt,
  endpointsRow,
  keyChange,
  message,
  rpc,
  send,
  startAgent,
  startProxy,
  TASK,
  TOKEN,
} from "../proxy.test-support.ts";
import { createFakeClock } from "../table/clock.test-support.ts";
import { agentRowId, endpointsRowId, keyRowId, namespaceRowId } from "../table/contract.ts";
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
    ["deleted", [{ id: keyRowId("agents", "alice"), row: null }], 401, -32050, "KeyRevoked"],
    ["disabled", [keyChange({ disabled: true })], 401, -32050, "KeyRevoked"],
    ["given another token", [keyChange({ sha256: "0".repeat(64) })], 401, -32050, "KeyRevoked"],
    ["no longer granted the agent", [keyChange({ agents: [] })], 403, -32052, "AgentNotGranted"],
    ["no longer granted the operation", [keyChange({ operations: ["GetTask"] })], 403, -32052, "OperationNotGranted"],
    ["without its agent", [{ id: agentRowId("agents", "travel"), row: null }], 404, -32051, "AgentNotFound"],
  ])("%s: streams end with an error event, calls with %i, the agent is told", async (...row) => {
    const [, changes, status, code, reason] = row;
    const { port, table, closed, agent, until, records } = await holding();
    const client = await openStream(port, STREAM);
    await client.holds("working");
    const pending = send(port, { body: SEND });
    await until(() => agent.seen.length === 2);
    table.applyLocal(changes, false);
    expect(await client.ended).toBe("broken");
    expect(client.text()).toContain('event: error\ndata: {"jsonrpc":"2.0","id":1,"error":{"code":' + code);
    const reply = await pending;
    expect(reply.status).toBe(status);
    expect(reply.body).toContain('"id":"pending"');
    await until(() => closed.length === 2 && records.length === 2);
    for (const record of records) expect(record).toMatchObject({ outcome: "refused", reason });
  });

  test.each([
    ["an operation", keyChange({ operations: ["GetTask"] }), 403],
    ["the agent", keyChange({ agents: [] }), 403],
    ["its time", keyChange({ expiresAt: "2020-01-01T00:00:00Z" }), 401],
  ])("in part, %s, while a body comes in, is judged by what is left", async (_, change, status) => {
    const { port, table, agent, proxy, until } = await holding();
    const client = request({ port, method: "POST", path: "/a2a/travel", agent: false });
    client.setHeader("authorization", `Bearer ${TOKEN}`);
    client.setHeader("content-type", "application/json");
    client.write(SEND.slice(0, 10));
    await until(() => proxy.open === 1);
    table.applyLocal([change], false);
    const answered = new Promise<number | undefined>((resolve) =>
      client.on("response", (res) => resolve(res.statusCode)),
    );
    client.on("error", () => {});
    client.end(SEND.slice(10));
    expect(await answered).toBe(status);
    expect(agent.seen).toEqual([]);
  });

  test("agents that moved while a body came in get it at their new place, with the credential of now", async () => {
    const { port, table, agent, proxy, until } = await holding();
    const moved = await use(startAgent(answering(TASK)));
    const client = request({ port, method: "POST", path: "/a2a/travel", agent: false });
    client.setHeader("authorization", `Bearer ${TOKEN}`);
    client.setHeader("content-type", "application/json");
    client.write(SEND.slice(0, 10));
    await until(() => proxy.open === 1);
    const credential = "credential/agents/travel/token";
    const backend = { name: "main", weight: 1, scheme: "http", path: "/", host: "h", interfaces: [] } as const;
    const endpoints = endpointsRowId("agents", "moved", "http");
    table.applyLocal(
      [
        agentChange({ backends: [{ ...backend, endpoints }], credentials: [{ header: "x-token", credential }] }),
        { id: endpoints, row: { endpoints: [endpointAt(moved.port)] } },
        { id: credential, row: { value: "of-now" } },
      ],
      false,
    );
    const answered = new Promise<number | undefined>((resolve) =>
      client.on("response", (res) => resolve(res.statusCode)),
    );
    client.end(SEND.slice(10));
    expect(await answered).toBe(200);
    expect(moved.seen[0]?.req.headers["x-token"]).toBe("of-now");
    expect(agent.seen).toEqual([]);
    client.destroy();
  });

  test("by its Namespace's labels ends streams", async () => {
    const labels = { team: "booking" };
    const selected = agentChange({ allowedKeys: { from: "Selector", selector: { matchLabels: labels } } });
    const namespace = { id: namespaceRowId("clients"), row: { labels } };
    const theirs = { ...keyChange(), id: keyRowId("clients", "alice") };
    const none = { id: keyRowId("agents", "alice"), row: null };
    const { port, table, record } = await holding();
    table.applyLocal([selected, namespace, none, theirs], false);
    const client = await openStream(port, STREAM);
    await client.holds("working");
    table.applyLocal([{ ...namespace, row: { labels: { team: "other" } } }], false);
    expect(await client.ended).toBe("broken");
    expect((await record(0)).reason).toBe("AgentNotGranted");
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

  test("is looked up when rows change, and not at each tick of each stream", async () => {
    const clock = createFakeClock();
    const { port, table } = await holding({ clock });
    const client = await openStream(port, STREAM);
    await client.holds("working");
    const keyById = table.keyById.bind(table);
    let asked = 0;
    table.keyById = (id) => {
      asked += 1;
      return keyById(id);
    };
    clock.advance(2500);
    expect(asked).toBe(0);
    table.applyLocal([keyChange({ owner: { user: "bob@example.com" } })], false);
    expect(asked).toBe(1);
    // Rows that this stream has nothing to do with.
    const theirs = { id: namespaceRowId("others"), row: { labels: {} } };
    table.applyLocal([agentChange({ publicName: "other" }, "other"), theirs], false);
    expect(asked).toBe(1);
    table.applyLocal([{ id: namespaceRowId("agents"), row: { labels: {} } }], false);
    expect(asked).toBe(2);
    table.applyLocal([agentChange({ loadBalancing: "Random" })], false);
    expect(asked).toBe(3);
    client.request.destroy();
  });

  test("is taken away although judging another stream fails, which ends", async () => {
    const { port, table, record, records, until } = await holding();
    const [first, second] = [await openStream(port, STREAM), await openStream(port, STREAM)];
    await first.holds("working");
    await second.holds("working");
    const keyById = table.keyById.bind(table);
    let asked = 0;
    table.keyById = (id) => {
      asked += 1;
      if (asked === 1) throw new Error("a bug");
      return keyById(id);
    };
    table.applyLocal([{ id: keyRowId("agents", "alice"), row: null }], false);
    await until(() => records.length === 2);
    expect(new Set([(await record(0)).reason, (await record(1)).reason])).toEqual(new Set(["Internal", "KeyRevoked"]));
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
