import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { createCleanup } from "./cleanup.test-support.ts";
import {
  agentChange,
  answering,
  endpointAt,
  endpointsRow,
  message,
  raw,
  rpc,
  startAgent,
  startProxy,
  TASK,
  TOKEN,
} from "./proxy.test-support.ts";

const use = createCleanup();
const BODY = rpc("message/send", message());
const KEY = `Authorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
const LENGTH = `Content-Length: ${BODY.length}\r\n`;

async function gateway(config: NonNullable<Parameters<typeof startProxy>[1]>["config"] = {}) {
  const agent = await use(startAgent(answering(TASK)));
  const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))], { config }));
  return { ...proxy, agent };
}

/** Attacks that never become a request: refused in plain text, counted by reason. */
describe("what is no request", () => {
  test.each([
    ["garbage", "\u0016\u0003\u0001 hello\r\n\r\n", 400, "InvalidRequest"],
    [
      "two lengths",
      `POST /a2a/travel HTTP/1.1\r\nHost: x\r\n${KEY}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
      400,
      "InvalidRequest",
    ],
    [
      "length and chunks",
      `POST /a2a/travel HTTP/1.1\r\nHost: x\r\n${KEY}${LENGTH}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      "InvalidRequest",
    ],
    [
      "an unknown transfer coding",
      `POST /a2a/travel HTTP/1.1\r\nHost: x\r\n${KEY}Transfer-Encoding: x, identity\r\n\r\n`,
      400,
      "InvalidRequest",
    ],
    [
      "a length that is no number",
      `POST /a2a/travel HTTP/1.1\r\nHost: x\r\n${KEY}Content-Length: +5\r\n\r\nhello`,
      400,
      "InvalidRequest",
    ],
    ["a folded header", `POST /a2a/travel HTTP/1.1\r\nHost: x\r\n${KEY}X: a\r\n b\r\n\r\n`, 400, "InvalidRequest"],
    ["a blank before the colon", `POST /a2a/travel HTTP/1.1\r\nHost : x\r\n${KEY}\r\n`, 400, "InvalidRequest"],
    [
      "huge headers",
      `POST /a2a/travel HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(17_000)}\r\n\r\n`,
      431,
      "RequestTooLarge",
    ],
    ["CONNECT", "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n", 405, "MethodNotAllowed"],
    [
      "an upgrade",
      `GET /a2a/travel HTTP/1.1\r\nHost: x\r\n${KEY}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      400,
      "InvalidRequest",
    ],
    [
      "another expectation",
      `POST /a2a/travel HTTP/1.1\r\nHost: x\r\n${KEY}${LENGTH}Expect: tea\r\n\r\n`,
      417,
      "InvalidRequest",
    ],
  ])("%s", async (_, bytes, status, reason) => {
    const { port, refused, agent } = await gateway();
    const answer = await raw(port, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(refused).toEqual([reason]);
    expect(agent.seen).toEqual([]);
  });

  test("a head that does not come is waited for no longer than it may take", async () => {
    const { port, refused } = await gateway({ headersTimeout: 200 });
    const answer = await raw(port, "POST /a2a/travel HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(refused).toEqual(["RequestTimeout"]);
  });

  test("a client that breaks the connection is nobody's refusal", async () => {
    const { port, refused, proxy, until } = await gateway();
    const socket = connect(port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.write("POST /a2a/travel HT", () => resolve()));
    socket.resetAndDestroy();
    expect((await raw(port, `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).slice(0, 12)).toBe(
      "HTTP/1.1 401",
    );
    await until(() => proxy.open === 0);
    expect(refused).toEqual([]);
  });
});

/** Attacks in a whole head: refused by the handler, with a record. */
describe("what is a request, but no proper one", () => {
  test.each([
    ["no Host", `POST /a2a/travel HTTP/1.1\r\n${KEY}${LENGTH}\r\n${BODY}`, 400],
    ["two Hosts", `POST /a2a/travel HTTP/1.1\r\nHost: x\r\nhOST: y\r\n${KEY}${LENGTH}\r\n${BODY}`, 400],
    [
      "the absolute form",
      `POST http://x/a2a/travel HTTP/1.1\r\nHost: x\r\n${KEY}${LENGTH}Connection: close\r\n\r\n${BODY}`,
      400,
    ],
    ["the asterisk form", `OPTIONS * HTTP/1.1\r\nHost: x\r\n${KEY}Connection: close\r\n\r\n`, 400],
    ["a body on GET", `GET /a2a/travel/tasks/1 HTTP/1.1\r\nHost: x\r\n${KEY}${LENGTH}\r\n${BODY}`, 400],
    [
      "chunks on HEAD",
      `HEAD /a2a/travel/.well-known/agent.json HTTP/1.1\r\nHost: x\r\n${KEY}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
  ])("%s", async (_, bytes, status) => {
    const { port, record, agent } = await gateway();
    const answer = await raw(port, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(await record(0)).toMatchObject({ status, outcome: "refused" });
    expect(agent.seen).toEqual([]);
  });

  test("HTTP/2 offered in passing is declined, and the request served", async () => {
    const { port } = await gateway();
    const offer = "Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    const answer = await raw(port, `POST /a2a/travel HTTP/1.1\r\nHost: x\r\n${KEY}${LENGTH}${offer}\r\n${BODY}`);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  test("a second request that was hidden in a body is never served", async () => {
    const { port, agent, records } = await gateway();
    const hidden = `POST /a2a/travel HTTP/1.1\r\nHost: x\r\n${KEY}${LENGTH}\r\n${BODY}`;
    const answer = await raw(
      port,
      `GET /a2a/travel HTTP/1.1\r\nHost: x\r\n${KEY}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
    );
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(records).toHaveLength(1);
    expect(agent.seen).toEqual([]);
  });

  test("requests behind one another on one connection are answered in order", async () => {
    const { port, records } = await gateway();
    const one = `POST /a2a/travel HTTP/1.1\r\nHost: x\r\n${KEY}${LENGTH}\r\n${BODY}`;
    const last = `GET /nothing HTTP/1.1\r\nHost: x\r\n${KEY}Connection: close\r\n\r\n`;
    const answer = await raw(port, `${one}${one}${last}`);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 404"]);
    expect(records).toHaveLength(3);
  });
});
