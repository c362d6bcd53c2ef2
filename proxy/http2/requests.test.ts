// Requests over HTTP/2: the same stages, the same answers, and what only this protocol can get wrong.
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { createCleanup } from "../cleanup.test-support.ts";
import { agentChange, answering, json, message, rpc, TASK } from "../proxy.test-support.ts";
import { ask, begin, CALL, openSession, reply, resetOf, secured } from "./http2.test-support.ts";

const use = createCleanup();
const CARD = { name: "x", url: "http://x/", protocolVersion: "0.3.0", description: "y" };
const CARD_PATH = "/a2a/travel/.well-known/agent-card.json";
const gateway = (options: Parameters<typeof secured>[2] = {}) => secured(use, answering(TASK), options);

describe("a request", () => {
  test("is served, and its answer has no field of connections", async () => {
    const { port, agent, record } = await gateway();
    const session = await openSession(port);
    const { status, headers, body, code } = await reply(ask(session, CALL));
    expect([status, code]).toEqual([200, 0]);
    expect(JSON.parse(body)).toMatchObject({ id: 1, result: { id: "task-1" } });
    expect(headers).not.toHaveProperty("connection");
    expect(headers).not.toHaveProperty("transfer-encoding");
    expect(headers).toMatchObject({ "content-type": "application/json" });
    expect(agent.seen[0]?.req.headers).toMatchObject({ host: "travel.agents.svc" });
    expect(JSON.stringify(agent.seen[0]?.req.rawHeaders)).not.toContain('":');
    expect(await record(0)).toMatchObject({ status: 200, outcome: "ok", operation: "SendMessage" });
    session.destroy();
  });

  test("beside many others on one session is answered as if it were alone", async () => {
    const { port, records } = await gateway();
    const session = await openSession(port);
    const replies = await Promise.all(
      Array.from({ length: 250 }, (_, id) => reply(ask(session, rpc("message/send", message(), id)))),
    );
    expect(replies.map(({ body }) => (JSON.parse(body) as { id: number }).id)).toEqual(replies.map((_, id) => id));
    expect(records).toHaveLength(250);
    session.destroy();
  });

  test("that waits for 100 gets it before its body", async () => {
    const { port } = await gateway();
    const session = await openSession(port);
    const stream = begin(session, { expect: "100-continue" });
    await once(stream, "continue");
    stream.end(CALL);
    expect((await reply(stream)).status).toBe(200);
    session.destroy();
  });

  test("for a card names the authority that it was sent to, and HEAD has no body", async () => {
    const { port, record } = await secured(use, (_req, res) => json(res, 200, CARD), {
      rows: [agentChange({ card: { visibility: "Public" } })],
    });
    const session = await openSession(port);
    const got = await reply(ask(session, undefined, { ":method": "GET", ":path": CARD_PATH }));
    expect((JSON.parse(got.body) as { url: string }).url).toBe("http://gateway.example.com/a2a/travel");
    const head = await reply(ask(session, undefined, { ":method": "HEAD", ":path": CARD_PATH }));
    expect(head).toMatchObject({ status: 200, body: "", code: 0 });
    expect(head.headers["content-length"]).toBe(got.headers["content-length"]);
    expect(await record(1)).toMatchObject({ status: 200, outcome: "ok" });
    session.destroy();
  });

  test("that is refused before its body ends is over at once, and the session goes on", async () => {
    const { port, proxy, record, until } = await secured(use, answering(TASK), {
      rows: [agentChange({ maxRequestBytes: 1000 })],
    });
    const session = await openSession(port);
    const endless = begin(session);
    endless.write("x".repeat(1500));
    expect(await reply(endless)).toMatchObject({ status: 413 });
    await until(() => proxy.open === 0);
    expect(await record(0)).toMatchObject({ reason: "RequestTooLarge" });
    expect((await reply(ask(session, CALL))).status).toBe(200);
    session.destroy();
  });

  test("that its client resets in the middle of the body is nobody's message", async () => {
    const { port, proxy, agent, record, until } = await gateway();
    const session = await openSession(port);
    const half = begin(session);
    half.write(CALL);
    await until(() => proxy.open === 1);
    half.close(0);
    await until(() => proxy.open === 0);
    expect(await record(0)).toMatchObject({ outcome: "client_closed" });
    expect(agent.seen).toEqual([]);
    session.destroy();
  });
});

describe("a head that is refused by the stages", () => {
  test.each([
    ["another Host beside the authority", { host: "elsewhere.example.com" }, 400],
    ["a body on GET", { ":method": "GET", ":path": "/a2a/travel/tasks/1" }, 400],
    ["no key", { authorization: "" }, 401],
    ["CONNECT", { ":method": "CONNECT", ":authority": "169.254.169.254:80" }, 405],
    ["another expectation", { expect: "tea" }, 417],
    ["a dot segment", { ":path": "/a2a/travel/../x" }, 400],
  ])("%s", async (what, headers, status) => {
    const { port, agent } = await gateway();
    const session = await openSession(port);
    const stream =
      what === "CONNECT" ? session.request(headers).on("error", () => {}) : ask(session, CALL, { ...headers });
    const answer = await reply(stream);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain("HTTP/1.1");
    expect((await reply(ask(session, CALL))).status).toBe(200);
    expect(agent.seen).toHaveLength(1);
    session.destroy();
  });
});

describe("a head that is no request of HTTP/2 resets its stream", () => {
  const proper: readonly (readonly [string, string])[] = [
    [":method", "GET"],
    [":scheme", "https"],
    [":path", CARD_PATH],
    [":authority", "gateway.example.com"],
  ];
  test.each([
    ["connection", [...proper, ["connection", "close"]]],
    ["transfer-encoding", [...proper, ["transfer-encoding", "chunked"]]],
    ["upgrade", [...proper, ["upgrade", "websocket"]]],
    ["te that is not trailers", [...proper, ["te", "gzip"]]],
    ["two paths", [...proper, [":path", "/"]]],
    ["a pseudo header after a field", [["accept", "*/*"], ...proper]],
    ["upper case", [...proper, ["Accept", "*/*"]]],
    ["the absolute form", proper.map(([name, value]) => [name, name === ":path" ? `https://x${value}` : value])],
    ["neither authority nor Host", proper.slice(0, 3)],
  ] as readonly (readonly [string, readonly (readonly [string, string])[]])[])("%s", async (_, headers) => {
    const { port, agent, records } = await gateway();
    expect(await resetOf(port, headers)).toBe(1);
    expect(agent.seen).toEqual([]);
    expect(records).toEqual([]);
  });

  test("but one with a line break in a field goes on without the field", async () => {
    const { port, agent } = await secured(use, (_req, res) => json(res, 200, CARD));
    expect(await resetOf(port, [...proper, ["accept-language", "a\r\nb: c"], ["user-agent", "x"]])).toBe(-1);
    expect(agent.seen[0]?.req.headers).not.toHaveProperty("accept-language");
    expect(agent.seen[0]?.req.headers).toMatchObject({ "user-agent": "x" });
  });

  test("but a proper one is answered, and two credentials are refused by the stages", async () => {
    const { port, record } = await gateway({ rows: [agentChange({ card: { visibility: "Key" } })] });
    expect(await resetOf(port, proper)).toBe(-1);
    expect(await record(0)).toMatchObject({ reason: "Unauthenticated" });
    const credentials = ["a", "b"].map((key) => ["authorization", `Bearer ${key}`] as const);
    expect(await resetOf(port, [...proper, ...credentials])).toBe(-1);
    expect(await record(1)).toMatchObject({ reason: "MalformedRequest" });
  });
});
