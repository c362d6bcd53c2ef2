import { describe, expect, test } from "vitest";
import { createCleanup } from "../cleanup.test-support.ts";
import {
  agentChange,
  answering,
  endpointAt,
  endpointsRow,
  json,
  keyChange,
  message,
  rpc,
  send,
  startAgent,
  startProxy,
  raw,
  TASK,
  TOKEN,
} from "../proxy.test-support.ts";

const use = createCleanup();
const BODY = rpc("message/send", message(), "raw-id");

async function gateway(...more: Parameters<typeof startProxy>[0]) {
  const agent = await use(startAgent(answering(TASK)));
  const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port)), ...more]));
  return { agent, ...proxy };
}

const error = (body: string): { id: unknown; code: number } => {
  const parsed = JSON.parse(body) as { id: unknown; error: { code: number } };
  return { id: parsed.id, code: parsed.error.code };
};

describe("where to", () => {
  test("an unknown agent is not found; the error is JSON-RPC", async () => {
    const { port } = await gateway();
    const reply = await send(port, { path: "/a2a/nobody", body: BODY });
    expect(reply.status).toBe(404);
    expect(error(reply.body)).toEqual({ id: null, code: -32051 });
  });

  test("an agent that the key does not grant is forbidden when its card is public, else not found", async () => {
    const { port } = await gateway(
      agentChange({ publicName: "open" }, "open"),
      agentChange({ publicName: "closed", card: { visibility: "Key" } }, "closed"),
    );
    expect((await send(port, { path: "/a2a/open", body: BODY })).status).toBe(403);
    expect((await send(port, { path: "/a2a/closed", body: BODY })).status).toBe(404);
  });

  test.each([
    ["/", 404],
    ["/metrics", 404],
    ["/a2a/travel/metrics", 404],
    ["/a2a/travel/tasks/a%2Fb", 400],
  ])("%s is answered with %i", async (path, status) => {
    const { port, agent } = await gateway();
    expect((await send(port, { method: "GET", path })).status).toBe(status);
    expect(agent.seen).toEqual([]);
  });

  test("JSON-RPC needs POST", async () => {
    const { port, record } = await gateway();
    const reply = await send(port, { method: "GET" });
    expect(reply.status).toBe(405);
    expect(reply.headers.allow).toBe("POST");
    expect(await record(0)).toMatchObject({ reason: "MethodNotAllowed", agent: "agents/travel", binding: "JSONRPC" });
  });

  test("nothing is served before the table is whole", async () => {
    const proxy = await use(startProxy([], { empty: true }));
    const reply = await send(proxy.port, { body: BODY });
    expect(reply.status).toBe(503);
    expect(reply.headers["retry-after"]).toBe("1");
  });
});

describe("what it says", () => {
  test.each([
    ["text/plain", {}],
    ["application/json; charset=utf-16", {}],
    ["application/json", { "content-encoding": "gzip" }],
  ])("%s with %o is no media type of ours", async (type, more) => {
    const { port } = await gateway();
    const reply = await send(port, { body: BODY, headers: { "content-type": type, ...more } });
    expect(reply.status).toBe(415);
    expect(error(reply.body)).toEqual({ id: null, code: -32005 });
    expect(reply.body).toContain("Send the header `Content-Type: application/json`");
  });

  test.each([
    ["not JSON", "{", 400, -32700, null],
    ["a batch", `[${BODY}]`, 400, -32600, null],
    ["a doubled member", '{"jsonrpc":"2.0","id":7,"method":"tasks/get","method":"x"}', 400, -32600, 7],
    ["nothing", "", 400, -32700, null],
  ])("%s is refused, with the id where it is known", async (_, body, status, code, id) => {
    const { port, agent, record } = await gateway();
    const reply = await send(port, { body, headers: { "content-type": "application/json" } });
    expect(reply.status).toBe(status);
    expect(error(reply.body)).toEqual({ id, code });
    expect(agent.seen).toEqual([]);
    expect((await record(0)).outcome).toBe("refused");
  });

  test("an operation that the key does not name is forbidden, and the id comes back as it was", async () => {
    const { port, agent } = await gateway(keyChange({ operations: ["GetTask"] }));
    const reply = await send(port, { body: BODY.replace('"raw-id"', "9007199254740993") });
    expect(reply.status).toBe(403);
    expect(reply.body).toContain('"id":9007199254740993');
    expect(agent.seen).toEqual([]);
    expect((await send(port, { body: rpc("tasks/get", { id: "task-1" }) })).status).toBe(200);
  });

  test("an unknown method needs its own permission", async () => {
    const { port, table, record } = await gateway();
    expect((await send(port, { body: rpc("urn:x/do") })).status).toBe(403);
    table.applyLocal([keyChange({ operations: ["Extension"] })], false);
    expect((await send(port, { body: rpc("urn:x/do") })).status).toBe(200);
    expect(await record(1)).toMatchObject({ operation: "Extension", method: "urn:x/do", outcome: "ok" });
  });

  test("the version in the query goes on as a header", async () => {
    const { port, agent, record } = await gateway();
    await send(port, { path: "/a2a/travel?A2A-Version=1.0", body: rpc("SendMessage", message()) });
    expect(agent.seen[0]?.req.headers["a2a-version"]).toBe("1.0");
    expect(agent.seen[0]?.req.url).toBe("/");
    expect((await record(0)).version).toBe("1.0");
    expect((await send(port, { path: "/a2a/travel?A2A-Version=1.0%0d%0ax", body: BODY })).status).toBe(400);
  });
});

describe("HTTP+JSON", () => {
  test("goes to a path that is built, with the ids in the record", async () => {
    const agent = await use(startAgent((_req, res) => json(res, 200, { id: "t 1", contextId: "c" })));
    const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))]));
    const path = "/a2a/travel/tasks/t%201?historyLength=2";
    const reply = await send(proxy.port, { method: "GET", path, headers: { "a2a-version": "1.0" } });
    expect(reply.status).toBe(200);
    expect(agent.seen[0]?.req.url).toBe("/tasks/t%201?historyLength=2");
    expect(await proxy.record(0)).toMatchObject({
      operation: "GetTask",
      binding: "HTTP+JSON",
      version: "1.0",
      taskId: "t 1",
      outcome: "ok",
    });
  });

  test("an error of the agent passes as it is", async () => {
    const agent = await use(startAgent((_req, res) => json(res, 404, { error: { code: 404, status: "NOT_FOUND" } })));
    const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))]));
    const reply = await send(proxy.port, {
      method: "GET",
      path: "/a2a/travel/tasks/t1",
      headers: { "a2a-version": "1.0" },
    });
    expect(reply.status).toBe(404);
    expect(reply.body).toBe('{"error":{"code":404,"status":"NOT_FOUND"}}');
    expect(await proxy.record(0)).toMatchObject({ outcome: "agent_error", reason: undefined, status: 404 });
  });

  test("a body where there is none is refused", async () => {
    const { port, agent } = await gateway();
    const reply = await send(port, {
      method: "DELETE",
      path: "/a2a/travel/tasks/t/pushNotificationConfigs/c",
      body: "{}",
      headers: { "content-length": "2" },
    });
    expect(reply.status).toBe(400);
    expect(reply.headers.connection).toBe("close");
    expect(agent.seen).toEqual([]);
  });
});

test.each([
  ["PUT", "/a2a/travel/tasks/1", "GET"],
  ["GET", "/a2a/travel/message:send", "POST"],
  ["PUT", "/a2a/travel", "POST"],
])("%s %s: what is allowed instead is said", async (method, path, allow) => {
  const { port } = await gateway();
  const reply = await send(port, { method, path });
  expect([reply.status, reply.headers.allow]).toEqual([405, allow]);
});

test("a key for loopback only is not taken from a web page, which has a name of its own", async () => {
  const { port } = await gateway(keyChange({ loopbackOnly: true }));
  expect((await send(port, { body: BODY, headers: { host: `rebound.example:${port}` } })).status).toBe(401);
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`]) {
    expect((await send(port, { body: BODY, headers: { host } })).status).toBe(200);
  }
});

test("the gateway's own errors have their code in the record; a card costs nothing", async () => {
  const card = { name: "x", url: "http://x/", protocolVersion: "0.3.0" };
  const agent = await use(startAgent((_req, res) => json(res, 200, card)));
  const row = agentChange({ card: { visibility: "Key" }, pricePerRequest: "1" });
  const { port, record } = await use(startProxy([row, endpointsRow(endpointAt(agent.port))]));
  await send(port, { body: "{", token: TOKEN });
  expect(await record(0)).toMatchObject({ reason: "ParseError", rpcCode: -32700 });
  const reply = await send(port, { method: "GET", path: "/a2a/travel/.well-known/agent.json" });
  expect(reply.status).toBe(200);
  expect(await record(1)).toMatchObject({ operation: "GetAgentCard", cost: undefined });
});

test.each([
  ["application/json", "text/event-stream"],
  ["text/event-stream", "application/json"],
])("an answer of two kinds is none: %s and %s", async (...types) => {
  const agent = await use(
    startAgent((_req, res) => {
      res.writeHead(200, ["content-type", types[0], "content-type", types[1]]);
      res.end("{}");
    }),
  );
  const { port } = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))]));
  expect((await send(port, { body: BODY })).status).toBe(502);
});

test.each([
  ["HTTP/1.0 with chunks", "1.0", "chunked"],
  ["a coding that is not undone", "1.1", "gzip, chunked"],
])("%s is refused, and the connection closed", async (_, version, coding) => {
  const { port, agent } = await gateway();
  const head = `POST /a2a/travel HTTP/${version}\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
  const answer = await raw(
    port,
    `${head}Transfer-Encoding: ${coding}\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(agent.seen).toEqual([]);
});

describe("a fault of our own", () => {
  test("after the body is answered, too, and the proxy serves on", async () => {
    const agent = await use(startAgent(answering(TASK)));
    let broken = true;
    const random = (): number => {
      if (broken) throw new Error("a fault of ours");
      return 0;
    };
    const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))], { random }));
    const reply = await send(proxy.port, { body: BODY });
    expect(reply.status).toBe(500);
    expect(error(reply.body)).toEqual({ id: "raw-id", code: -32603 });
    expect(await proxy.record(0)).toMatchObject({ reason: "Internal", outcome: "refused" });
    broken = false;
    expect((await send(proxy.port, { body: BODY })).status).toBe(200);
  });
});

describe("what the agent answers", () => {
  test("a JSON-RPC error is an answer, at status 200", async () => {
    const agent = await use(
      startAgent((_req, res) => json(res, 200, { jsonrpc: "2.0", id: 1, error: { code: -32001, message: "no" } })),
    );
    const proxy = await use(
      startProxy([agentChange({ pricePerRequest: "0.5" }), endpointsRow(endpointAt(agent.port))]),
    );
    expect((await send(proxy.port, { body: rpc("tasks/get", { id: "x" }) })).status).toBe(200);
    expect(await proxy.record(0)).toMatchObject({ outcome: "agent_error", rpcCode: -32001, cost: undefined });
  });

  test("a redirect is not followed", async () => {
    const agent = await use(
      startAgent((_req, res) => {
        res.writeHead(307, { location: "http://169.254.169.254/" });
        res.end();
      }),
    );
    const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))]));
    const reply = await send(proxy.port, { body: BODY });
    expect(reply.status).toBe(502);
    expect(reply.headers).not.toHaveProperty("location");
    expect(error(reply.body)).toEqual({ id: "raw-id", code: -32054 });
    expect(agent.seen).toHaveLength(1);
  });

  test("an answer that breaks off before its head is a clean error; after it, a broken connection", async () => {
    const agent = await use(
      startAgent((_req, res, body) => {
        if (body.includes("half")) {
          res.writeHead(200, { "content-type": "application/json", "content-length": 1000 });
          res.write("{", () => res.destroy());
        } else res.destroy();
      }),
    );
    const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))]));
    expect((await send(proxy.port, { body: BODY })).status).toBe(502);
    await expect(send(proxy.port, { body: rpc("message/send", message({ metadata: "half" })) })).rejects.toThrow(
      "aborted",
    );
    expect(await proxy.record(1)).toMatchObject({ outcome: "upstream_error", reason: "UpstreamReset", status: 200 });
  });

  test("garbage is named so", async () => {
    const agent = await use(startAgent((_req, res) => void res.socket?.end("no HTTP at all\r\n\r\n")));
    const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))]));
    expect((await send(proxy.port, { body: BODY })).status).toBe(502);
    expect((await proxy.record(0)).reason).toBe("InvalidAgentResponse");
  });

  test("a late head is a timeout of the agent", async () => {
    const agent = await use(startAgent(() => {}));
    const proxy = await use(
      startProxy([
        agentChange({ timeouts: { connect: 1000, firstByte: 50, streamIdle: 0 } }),
        endpointsRow(endpointAt(agent.port)),
      ]),
    );
    const reply = await send(proxy.port, { body: BODY });
    expect(reply.status).toBe(504);
    expect((await proxy.record(0)).reason).toBe("FirstByteTimeout");
  });

  test("a large answer passes whole, with or without its length", async () => {
    const large = JSON.stringify({ jsonrpc: "2.0", id: 1, result: { ...TASK, metadata: "x".repeat(3_000_000) } });
    const agent = await use(
      startAgent((_req, res, body) => {
        res.writeHead(200, {
          "content-type": "application/json",
          ...(body.includes("chunked") ? {} : { "content-length": large.length }),
        });
        res.end(large);
      }),
    );
    const proxy = await use(
      startProxy([agentChange({ pricePerRequest: "0.0020" }), endpointsRow(endpointAt(agent.port))]),
    );
    for (const [index, kind] of ["sized", "chunked"].entries()) {
      const reply = await send(proxy.port, { body: rpc("message/send", message({ metadata: kind })) });
      expect(reply.body === large).toBe(true);
      expect(await proxy.record(index)).toMatchObject({ taskId: "task-1", responseBytes: large.length, cost: "0.002" });
    }
  });

  test("content is kept for the log when the agent says so, and no longer than it says", async () => {
    const { port, record } = await gateway(agentChange({ logging: { content: "Full", maxBytes: 20 } }));
    await send(port, { body: BODY });
    const start = '{"jsonrpc":"2.0",…';
    expect(await record(0)).toMatchObject({ requestContent: start, responseContent: start });
  });

  test("credentials of the agent are put on; a missing one is said, and nothing is sent", async () => {
    const credentials = [{ header: "authorization", scheme: "Bearer", credential: "credential/agents/up/token" }];
    const { port, agent, table, record } = await gateway(agentChange({ credentials }));
    const missing = await send(port, { body: BODY });
    expect(missing.status).toBe(503);
    expect((await record(0)).reason).toBe("CredentialMissing");
    expect(agent.seen).toEqual([]);
    table.applyLocal([{ id: "credential/agents/up/token", row: { value: "upstream-secret" } }], false);
    expect((await send(port, { body: BODY })).status).toBe(200);
    expect(agent.seen[0]?.req.headers.authorization).toBe("Bearer upstream-secret");
  });
});
