// What may come in and must not hurt: each is refused with a binding-correct body, logged and counted, and the proxy serves on.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { post, sendBody } from "../harness/calls.ts";
import { startAgent, type AgentCopy } from "../harness/example-agents.ts";
import { key, NAMESPACE, urlAgent } from "../harness/objects.ts";
import { raw } from "../harness/raw.ts";
import { eventually } from "../harness/processes.ts";

const TOKEN = "sk-bad-input-0123456789-0123456789-0123456789";
const NARROW = "sk-narrow-0123456789-0123456789-0123456789-01";
let cluster: Cluster;
let copy: AgentCopy;
let base = "";
let port = 0;
let recorder: Server;
/** Requests that reached the agent through the gateway, which alone gives them a trace. */
const seen: string[] = [];

beforeAll(async () => {
  [cluster, copy] = await Promise.all([startCluster({ proxies: 1 }), startAgent("hello", "a")]);
  recorder = createServer((req, res) => {
    if (req.headers["traceparent"] !== undefined) seen.push(`${req.method} ${req.url}`);
    res.writeHead(200, { "content-type": "application/json" });
    res.end('{"jsonrpc":"2.0","id":5,"result":{}}');
  });
  await once(recorder.listen(0, "127.0.0.1"), "listening");
  base = cluster.proxies[0]?.url ?? "";
  port = Number(new URL(base).port);
  await cluster.apply(
    urlAgent("hello", [copy.url], { limits: { maxRequestBytes: "4Ki" } }),
    urlAgent("recorder", [`http://127.0.0.1:${(recorder.address() as AddressInfo).port}`]),
    urlAgent("private", [copy.url], { card: { visibility: "Key" } }),
    urlAgent("dead", ["http://127.0.0.1:9"]),
    urlAgent("metadata", ["http://169.254.169.254/latest"]),
    urlAgent("api-server", [cluster.api.url.replace("127.0.0.1", "10.0.0.1")]),
    urlAgent("mapped", ["http://[::ffff:a9fe:a9fe]/"]),
    ...key("wide", TOKEN, ["hello", "recorder", "dead", "metadata", "api-server", "mapped"]),
    ...key("narrow", NARROW, ["dead"], { operations: ["GetTask"] }),
  );
  for (const name of ["wide", "narrow"])
    await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name }, "Programmed", "True");
});

afterAll(async () => {
  await Promise.all([cluster?.stop(), copy?.child.stop()]);
  recorder?.close();
  recorder?.closeAllConnections();
});

const rpc = (more: string): string =>
  `{"jsonrpc":"2.0","id":5,"method":"message/send","params":{"message":{"messageId":"m","role":"user","kind":"message","parts":[{"kind":"text","text":"hello"}]${more}}}}`;

describe("keys", () => {
  test.each([
    ["none", undefined],
    ["unknown", "Bearer sk-unknown-0123456789-0123456789-0123456789"],
    ["of another scheme", "Basic c2s6c2s="],
    ["with a blank too many", `Bearer  ${TOKEN} x`],
    ["empty", "Bearer "],
    ["very long", `Bearer ${"a".repeat(9_000)}`],
  ])("%s: 401, one message, id null, whatever the path, before the body", async (_name, authorization) => {
    const bodies = new Set<string>();
    for (const path of ["/a2a/hello", "/a2a/unknown", `/ns/${NAMESPACE}/a2a/private`]) {
      const answer = await fetch(`${base}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) },
        body: "{ not json",
      });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
      bodies.add(await answer.text());
    }
    expect(bodies.size).toBe(1);
    expect(JSON.parse([...bodies][0] ?? "")).toMatchObject({
      jsonrpc: "2.0",
      id: null,
      error: { message: expect.stringContaining("key") },
    });
  });
});

describe("bodies", () => {
  test.each([
    ["malformed", '{"jsonrpc":', 400, -32700, null],
    ["trailing text", `${rpc("")} x`, 400, -32700, null],
    ["a batch", `[${rpc("")}]`, 400, -32600, null],
    ["a string", '"hello"', 400, -32600, null],
    ["another version", rpc("").replace('"2.0"', '"1.0"'), 400, -32600, 5],
    ["a doubled member", rpc("").replace('"id":5', '"id":5,"id":6'), 400, -32600, null],
    ["a case variant", rpc("").replace('"id":5', '"id":5,"Method":"tasks/get"'), 400, -32600, 5],
    ["an escaped double", rpc("").replace('"id":5', '"id":5,"meth\\u006fd":"tasks/get"'), 400, -32600, 5],
    ["a doubled task id", rpc(',"taskId":"a","taskId":"b"'), 400, -32602, 5],
    ["two spellings of a task id", rpc(',"taskId":"a","task_id":"b"'), 400, -32602, 5],
    ["a task id that is a list", rpc(',"taskId":["a"]'), 400, -32602, 5],
    ["depth 101", rpc(`,"metadata":${"[".repeat(101)}${"]".repeat(101)}`), 400, -32700, null],
  ])("%s", async (_name, body, status, code, id) => {
    const answer = await post(`${base}/a2a/hello`, TOKEN, body);
    expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([status, code]);
    expect(JSON.parse(answer.text).id).toBe(id);
  });

  test("over maxRequestBytes: 413, declared or not", async () => {
    const big = rpc(`,"metadata":{"x":"${"y".repeat(5_000)}"}`);
    const answer = await post(`${base}/a2a/hello`, TOKEN, big);
    expect(answer.status).toBe(413);
    const head = `POST /a2a/hello HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
    const chunked = await raw(
      port,
      `${head}Transfer-Encoding: chunked\r\n\r\n${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`,
    );
    expect(chunked.status).toBe(413);
  });

  test.each([
    ["a content coding", { "content-encoding": "gzip" }, rpc("")],
    ["another charset", { "content-type": "application/json; charset=utf-16" }, rpc("")],
    ["text", { "content-type": "text/plain" }, rpc("")],
    ["a byte order mark", {}, `\uFEFF${rpc("")}`],
  ])("%s: 415", async (_name, headers, body) => {
    expect((await post(`${base}/a2a/hello`, TOKEN, body, headers)).status).toBe(415);
  });

  test("invalid UTF-8: refused", async () => {
    const body = Buffer.from(rpc(',"contextId":"\u00e9"'), "latin1");
    const head = `POST /a2a/hello HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    expect((await raw(port, Buffer.concat([Buffer.from(head), body]))).status).toBeGreaterThanOrEqual(400);
  });

  test("the id comes back with its type", async () => {
    for (const id of ['"5"', "5", '"a\\u0041"', "null"]) {
      const answer = await post(`${base}/a2a/dead`, TOKEN, rpc("").replace('"id":5', `"id":${id}`));
      expect(answer.text).toContain(`"id":${id}`);
    }
  });
});

describe("agents", () => {
  test.each([
    ["unknown", "/a2a/unknown", TOKEN, 404],
    ["ungranted, its card public", "/a2a/hello", NARROW, 403],
    ["ungranted, its card for keys only", "/a2a/private", TOKEN, 404],
  ])("%s", async (_name, path, token, status) => {
    const answer = await post(`${base}${path}`, token, sendBody("hello"));
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error.code).toBeLessThan(0);
  });

  test("an operation that is not granted: 403 that echoes the id", async () => {
    const answer = await post(`${base}/a2a/dead`, NARROW, sendBody("hello", "x-1"));
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.text).id).toBe("x-1");
  });

  test("a dead endpoint: 502 with a reason, in both bindings", async () => {
    const rpcAnswer = await post(`${base}/a2a/dead`, TOKEN, sendBody("hello", 3));
    expect(rpcAnswer.status).toBe(502);
    expect(JSON.parse(rpcAnswer.text)).toMatchObject({
      id: 3,
      error: { message: expect.stringContaining("could not be reached") },
    });
    const rest = await post(
      `${base}/a2a/dead/message:send`,
      TOKEN,
      '{"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":"x"}]}}',
      {
        "a2a-version": "1.0",
      },
    );
    expect(rest.status).toBe(502);
    expect(JSON.parse(rest.text).error).toMatchObject({ code: 502, status: "UNAVAILABLE" });
  });

  test.each(["metadata", "api-server", "mapped"])(
    "a url backend aimed at %s is refused on connecting",
    async (name) => {
      const answer = await post(`${base}/a2a/${name}`, TOKEN, sendBody("hello"));
      expect(answer.status).toBe(502);
      expect(answer.text).toContain("may not be reached");
    },
  );
});

describe("bytes that are not HTTP as it should be", () => {
  const head = (line: string, more = ""): string =>
    `${line}\r\nHost: gateway\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n${more}`;
  const body = rpc("");
  test.each<readonly [string, number, string]>([
    ["garbage", 400, "\u0000\u0001\u0002\u0003garbage\r\n\r\n"],
    ["a TLS hello", 400, "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n"],
    [
      "two lengths",
      400,
      head("POST /a2a/recorder HTTP/1.1", `Content-Length: ${body.length}\r\nContent-Length: 3\r\n\r\n${body}`),
    ],
    [
      "length and chunks",
      400,
      head("POST /a2a/recorder HTTP/1.1", `Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
    ],
    [
      "two Hosts",
      400,
      head("POST /a2a/recorder HTTP/1.1", `Host: other\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    ],
    ["no Host", 400, `GET /a2a/recorder/.well-known/agent-card.json HTTP/1.1\r\n\r\n`],
    [
      "an absolute target",
      400,
      head("POST http://gateway/a2a/recorder HTTP/1.1", `Content-Length: ${body.length}\r\n\r\n${body}`),
    ],
    ["CONNECT", 405, "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n"],
    ["Upgrade", 400, head("GET /a2a/recorder/tasks HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")],
    ["a body on GET", 400, head("GET /a2a/recorder/tasks HTTP/1.1", `Content-Length: ${body.length}\r\n\r\n${body}`)],
    ["huge headers", 431, head("POST /a2a/recorder HTTP/1.1", `X-Big: ${"a".repeat(70_000)}\r\n\r\n`)],
    [
      "an encoded slash in the name",
      400,
      head("POST /a2a/recorder%2Fx HTTP/1.1", `Content-Length: ${body.length}\r\n\r\n${body}`),
    ],
    ["dot segments", 400, head("POST /a2a/../a2a/recorder HTTP/1.1", `Content-Length: ${body.length}\r\n\r\n${body}`)],
    ["the agent's own paths", 404, head("GET /a2a/recorder/metrics HTTP/1.1", "\r\n")],
    ["PUT", 405, head("PUT /a2a/recorder HTTP/1.1", `Content-Length: ${body.length}\r\n\r\n${body}`)],
  ])("%s: %i", async (_name, status, bytes) => {
    seen.length = 0;
    const answer = await raw(port, Buffer.from(bytes, "latin1"));
    expect(answer.status).toBe(status);
    expect(answer.head).not.toMatch(/location:/i);
    // A request as it should be, after it: whatever was to reach the agent before, has.
    expect((await post(`${base}/a2a/recorder`, TOKEN, rpc(""))).status).toBe(200);
    expect(seen).toEqual(["POST /"]);
  });

  test("half a request and silence: the connection is closed, the proxy serves on", async () => {
    const half = await raw(port, head("POST /a2a/hello HTTP/1.1", `Content-Length: 100\r\n\r\n{"json`), { end: true });
    expect(half.status === undefined || half.status >= 400).toBe(true);
    expect((await post(`${base}/a2a/hello`, TOKEN, sendBody("hello"))).status).toBe(200);
  });
});

test("every refusal is in the log and counted, and the log holds no key", async () => {
  const output = await eventually("the log has what was refused", () => {
    const text = cluster.proxies[0]?.child.output() ?? "";
    return text.includes("Unauthenticated") && text.includes("UpstreamRefused") && text.includes("ParseError")
      ? text
      : undefined;
  });
  expect(output).not.toContain(TOKEN);
  expect(output).not.toContain(NARROW);
  const metrics = await (await fetch(`${cluster.proxies[0]?.adminUrl}/metrics`)).text();
  for (const reason of [
    "Unauthenticated",
    "AgentNotFound",
    "ParseError",
    "InvalidRequest",
    "RequestTooLarge",
    "UpstreamRefused",
    "ConnectFailed",
  ])
    expect(
      Number(new RegExp(`^parley_refusals_total\\{reason="${reason}"\\} (\\d+)$`, "m").exec(metrics)?.[1]),
    ).toBeGreaterThan(0);
  const dump = await (await fetch(`${cluster.proxies[0]?.adminUrl}/table`)).text();
  expect(dump).toContain("agent/default/hello");
  expect(dump).not.toContain(TOKEN);
});
