import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { createCleanup } from "../cleanup.test-support.ts";
import {
  agentChange,
  endpointAt,
  endpointsRow,
  json,
  keyChange,
  rpc,
  send,
  startAgent,
  startProxy,
} from "../proxy.test-support.ts";
import { gatewayRow } from "../request/table.test-support.ts";
import { GATEWAY_ROW_ID } from "../table/contract.ts";

const use = createCleanup();

const CARD = {
  name: "Travel",
  version: "1.0.0",
  protocolVersion: "0.3.0",
  url: "http://10.0.0.7:8080/",
  preferredTransport: "JSONRPC",
  additionalInterfaces: [{ url: "http://10.0.0.7:8080/", transport: "JSONRPC" }],
  capabilities: {},
  skills: [],
  unknown: { kept: true },
};

async function gateway(
  row: Parameters<typeof agentChange>[0] = {},
  serve: (path: string, res: ServerResponse) => void = (_path, res) => json(res, 200, CARD),
) {
  const agent = await use(startAgent((req, res) => serve(req.url ?? "", res)));
  const proxy = await use(startProxy([agentChange(row), endpointsRow(endpointAt(agent.port))]));
  return { ...proxy, agent };
}

const read = (port: number, more: Partial<Parameters<typeof send>[1]> = {}) =>
  send(port, { method: "GET", path: "/a2a/travel/.well-known/agent-card.json", token: null, ...more });

describe("the card", () => {
  test.each([
    ["/a2a/travel/.well-known/agent-card.json", "/a2a/travel"],
    ["/a2a/travel/.well-known/agent.json", "/a2a/travel"],
    ["/ns/agents/a2a/travel/.well-known/agent-card.json", "/ns/agents/a2a/travel"],
  ])("is public at %s, with the gateway's URL in it", async (path, base) => {
    const { port, record, agent } = await gateway();
    const reply = await read(port, { path, headers: { "a2a-version": "0.3" } });
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.body)).toMatchObject({
      name: "Travel",
      url: `http://127.0.0.1:${port}${base}`,
      unknown: { kept: true },
    });
    expect(reply.body).not.toContain("10.0.0.7");
    expect(reply.headers).toMatchObject({ "content-type": "application/json", "cache-control": "public, max-age=60" });
    expect(reply.headers.vary).toMatch(/^A2A-Version, Host/);
    expect(agent.seen[0]?.req.url).toBe("/.well-known/agent-card.json");
    expect(agent.seen[0]?.req.headers).toMatchObject({ "a2a-version": "0.3", accept: "application/json" });
    expect(await record(0)).toMatchObject({
      operation: "GetAgentCard",
      agent: "agents/travel",
      key: undefined,
      outcome: "ok",
      cost: undefined,
    });
  });

  test("names the configured URL, and then depends on the version alone", async () => {
    const { port, table } = await gateway();
    const row = { name: "default", publicUrl: "https://a2a.example.com/x", trustedProxies: [], allowedUpstreams: [] };
    table.applyLocal([{ id: GATEWAY_ROW_ID, row }], false);
    const reply = await read(port);
    expect(JSON.parse(reply.body)).toMatchObject({ url: "https://a2a.example.com/x/a2a/travel" });
    expect(reply.headers.vary).toBe("A2A-Version");
  });

  test("is not sent again to who has it", async () => {
    const { port, record } = await gateway();
    const { etag } = (await read(port)).headers;
    expect(etag).toMatch(/^"/);
    for (const condition of [etag ?? "", `W/${etag}`, `"x", ${etag}`, "*"]) {
      const again = await read(port, { headers: { "if-none-match": condition } });
      expect(again).toMatchObject({ status: 304, body: "" });
      expect(again.headers.etag).toBe(etag);
    }
    expect((await read(port, { headers: { "if-none-match": '"x"' } })).status).toBe(200);
    expect(await record(1)).toMatchObject({ status: 304, outcome: "ok" });
  });

  test("HEAD is GET without the body", async () => {
    const { port } = await gateway();
    const full = await read(port);
    const reply = await read(port, { method: "HEAD" });
    expect(reply.body).toBe("");
    expect(reply.headers["content-length"]).toBe(String(Buffer.byteLength(full.body)));
    expect(reply.headers.etag).toBe(full.headers.etag);
  });

  test("of an agent of 0.2 is found under the old name", async () => {
    const { port, agent } = await gateway({}, (path, res) =>
      path === "/.well-known/agent.json" ? json(res, 200, CARD) : json(res, 404, {}),
    );
    expect((await read(port)).status).toBe(200);
    expect(agent.seen.map(({ req }) => req.url)).toEqual(["/.well-known/agent-card.json", "/.well-known/agent.json"]);
  });

  test("is read where the agent's object says", async () => {
    const { port, agent } = await gateway({ card: { visibility: "Public", path: "/deep/card.json" } });
    expect((await read(port)).status).toBe(200);
    expect(agent.seen[0]?.req.url).toBe("/deep/card.json");
  });

  test.each([
    ["missing", (res: ServerResponse) => json(res, 404, {})],
    ["an error", (res: ServerResponse) => json(res, 500, {})],
    ["no card", (res: ServerResponse) => json(res, 200, [])],
    ["too large", (res: ServerResponse) => json(res, 200, { ...CARD, x: "x".repeat(1024 * 1024) })],
  ])("that is %s is said to be unavailable", async (_, serve) => {
    const { port, record } = await gateway({}, (_path, res) => serve(res));
    const reply = await read(port);
    expect(reply.status).toBe(502);
    expect(JSON.parse(reply.body)).toMatchObject({ error: { code: 502, status: "UNAVAILABLE" } });
    expect(await record(0)).toMatchObject({ reason: "CardUnavailable", outcome: "upstream_error" });
  });
});

describe("a card that needs a key", () => {
  const row = { card: { visibility: "Key" } } as const;

  test("is kept from who has none, and from shared caches", async () => {
    const { port, agent } = await gateway(row, (_path, res) => {
      res.setHeader("cache-control", "public, max-age=300");
      json(res, 200, CARD);
    });
    expect((await read(port)).status).toBe(401);
    expect(agent.seen).toEqual([]);
    const { token: _, ...withKey } = { token: null };
    const reply = await send(port, { method: "GET", path: "/a2a/travel/.well-known/agent.json", ...withKey });
    expect(reply.status).toBe(200);
    expect(reply.headers["cache-control"]).toBe("private, max-age=300");
    expect(reply.headers.vary).toContain("Authorization");
  });

  test("does not exist for a key that is not granted the agent", async () => {
    const { port, table } = await gateway(row);
    table.applyLocal([keyChange({ agents: [] })], false);
    const reply = await send(port, { method: "GET", path: "/a2a/travel/.well-known/agent.json" });
    expect(reply.status).toBe(404);
  });

  test("cannot be written", async () => {
    const { port } = await gateway(row);
    const reply = await send(port, { path: "/a2a/travel/.well-known/agent.json", body: "{}" });
    expect(reply.status).toBe(405);
    expect(reply.headers.allow).toBe("GET, HEAD");
  });
});

describe("the extended card", () => {
  const EXTENDED = rpc("agent/getAuthenticatedExtendedCard");
  const extended = (status: number, value: unknown) =>
    gateway({}, (_path, res) => {
      const body = JSON.stringify(value);
      res.writeHead(status, { "content-type": "application/json", "cache-control": "public, max-age=600" });
      res.end(body);
    });

  test("is for its caller alone, whatever the agent says of caches", async () => {
    const { port } = await extended(200, { jsonrpc: "2.0", id: 1, result: CARD });
    const reply = await send(port, { body: EXTENDED });
    expect([reply.status, reply.headers["cache-control"]]).toEqual([200, "private, no-store"]);
  });

  test("tells no address of the agent under an error's status either; what is no card passes as it is", async () => {
    const card = await extended(400, { jsonrpc: "2.0", id: 1, result: CARD });
    const reply = await send(card.port, { body: EXTENDED });
    expect(reply.status).toBe(400);
    expect(reply.body).not.toContain("10.0.0.7");
    const other = await extended(503, { detail: "busy" });
    expect(await send(other.port, { body: EXTENDED })).toMatchObject({ status: 503, body: '{"detail":"busy"}' });
  });

  test("that cannot be had for the agent's own error says that error, not that a URL is missing", async () => {
    const { port, table } = await extended(503, { detail: "busy" });
    table.applyLocal([{ id: GATEWAY_ROW_ID, row: gatewayRow({ trustedProxies: ["127.0.0.1"] }) }], false);
    const headers = { "x-forwarded-proto": "gopher" };
    expect((await send(port, { body: EXTENDED, headers })).status).toBe(503);
  });

  test.each([
    ["extended", { body: EXTENDED }],
    ["public", { method: "GET", path: "/a2a/travel/.well-known/agent-card.json", token: null }],
  ])("of more than 256 KiB is none: %s", async (_, request) => {
    const large = { ...CARD, description: "x".repeat(256 * 1024) };
    const { port } = await gateway({}, (path, res) =>
      json(res, 200, path.includes("well-known") ? large : { jsonrpc: "2.0", id: 1, result: large }),
    );
    expect((await send(port, request)).status).toBe(502);
  });

  test("is rewritten in the answer; an error passes as it is", async () => {
    let fails = false;
    const { port, record } = await gateway({}, (_path, res) =>
      json(
        res,
        200,
        fails
          ? { jsonrpc: "2.0", id: 1, error: { code: -32007, message: "no" } }
          : { jsonrpc: "2.0", id: 1, result: CARD },
      ),
    );
    const reply = await send(port, { body: rpc("agent/getAuthenticatedExtendedCard") });
    expect(JSON.parse(reply.body)).toMatchObject({ id: 1, result: { url: `http://127.0.0.1:${port}/a2a/travel` } });
    expect(reply.body).not.toContain("10.0.0.7");
    expect(reply.headers["content-length"]).toBe(String(Buffer.byteLength(reply.body)));
    fails = true;
    const error = await send(port, { body: rpc("GetExtendedAgentCard") });
    expect(JSON.parse(error.body)).toMatchObject({ error: { code: -32007 } });
    expect(await record(1)).toMatchObject({
      operation: "GetExtendedAgentCard",
      outcome: "agent_error",
      rpcCode: -32007,
    });
  });
});
