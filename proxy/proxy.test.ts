import { describe, expect, test } from "vitest";
import { createCleanup } from "./cleanup.test-support.ts";
import {
  agentChange,
  answering,
  endpointAt,
  endpointsRow,
  json,
  message,
  rpc,
  send,
  startAgent,
  startProxy,
  TASK,
} from "./proxy.test-support.ts";

const use = createCleanup();
const agent = (...args: Parameters<typeof startAgent>) => use(startAgent(...args));
const proxy = (...args: Parameters<typeof startProxy>) => use(startProxy(...args));

describe("a call", () => {
  test("passes byte for byte, both ways, and is recorded", async () => {
    const echo = await agent(answering(TASK));
    const gateway = await proxy([agentChange(), endpointsRow(endpointAt(echo.port))]);
    const body = rpc("message/send", message({ metadata: { ünïcode: "🐦", unknown: [1.0, 1e3] } }), "id-ü");
    const reply = await send(gateway.port, { body });
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.body)).toEqual({ jsonrpc: "2.0", id: "id-ü", result: TASK });
    expect(reply.headers["content-length"]).toBe(String(Buffer.byteLength(reply.body)));
    expect(echo.seen[0]?.body).toBe(body);
    const record = await gateway.record(0);
    expect(record).toMatchObject({
      agent: "agents/travel",
      key: "agents/alice",
      user: "alice@example.com",
      operation: "SendMessage",
      binding: "JSONRPC",
      streaming: false,
      version: "0.3",
      taskId: "task-1",
      contextId: "context-1",
      state: "completed",
      status: 200,
      outcome: "ok",
      reason: undefined,
      endpoint: `127.0.0.1:${echo.port}`,
      backend: "main",
      requestBytes: Buffer.byteLength(body),
      responseBytes: Buffer.byteLength(reply.body),
    });
    expect(record.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(record.firstByte).toBeLessThanOrEqual(record.latency);
  });

  test.each([
    "/a2a/travel",
    "/a2a/travel/",
    "/ns/agents/a2a/travel",
    "/ns/agents/a2a/travel/",
    "/a2a/travel/message/send",
    "/v1/a2a/travel/message/send",
  ])("is served at %s", async (path) => {
    const echo = await agent(answering(TASK));
    const gateway = await proxy([agentChange(), endpointsRow(endpointAt(echo.port))]);
    const reply = await send(gateway.port, { path, body: rpc("message/send", message()) });
    expect(reply.status).toBe(200);
    expect(echo.seen[0]?.req.url).toBe("/");
    expect(echo.seen[0]?.req.method).toBe("POST");
  });

  test("sends headers by allow list, and none of the client's credentials", async () => {
    const echo = await agent((req, res) => {
      res.setHeader("set-cookie", "a=b");
      res.setHeader("a2a-extensions", "urn:x");
      res.setHeader("x-powered-by", "secret");
      res.setHeader("connection", "keep-alive, a2a-hop");
      res.setHeader("a2a-hop", "1");
      json(res, 200, { jsonrpc: "2.0", id: 1, result: req.headers });
    });
    const gateway = await proxy([agentChange(), endpointsRow(endpointAt(echo.port))]);
    const reply = await send(gateway.port, {
      body: rpc("message/send", message()),
      headers: {
        cookie: "c=d",
        "x-forwarded-for": "1.2.3.4",
        "a2a-version": "0.3",
        "a2a-extensions": "urn:y",
        "x-custom": "1",
        connection: "keep-alive, accept-language",
        "accept-language": "de",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        tracestate: "a=1",
      },
    });
    const sent = echo.seen[0]?.req.headers ?? {};
    expect(Object.keys(sent).sort()).toEqual([
      "a2a-extensions",
      "a2a-version",
      "accept-encoding",
      "connection",
      "content-length",
      "content-type",
      "host",
      "traceparent",
      "tracestate",
    ]);
    expect(sent.host).toBe("travel.agents.svc");
    expect(sent["traceparent"]).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    expect(sent["traceparent"]).not.toContain("b7ad6b7169203331");
    expect(reply.headers["a2a-extensions"]).toBe("urn:x");
    for (const name of ["set-cookie", "x-powered-by", "a2a-hop"]) expect(reply.headers).not.toHaveProperty(name);
    expect((await gateway.record(0)).traceId).toBe("0af7651916cd43dd8448eb211c80319c");
  });
});
