// A request through the gateway gives what the same request gives directly: status, media type and the bytes of the body.
// The agent answers with what it was sent, so that a byte lost, added or changed on the way in shows on the way out.
import { createServer, type IncomingMessage, type Server } from "node:http";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { key, NAMESPACE, urlAgent } from "../harness/objects.ts";

const TOKEN = "sk-equality-0123456789-0123456789-0123456789";
let cluster: Cluster;
let agent: Server;
let direct = "";
let through = "";
let seen:
  | {
      readonly method: string;
      readonly url: string;
      readonly headers: IncomingMessage["headers"];
      readonly body: string;
    }
  | undefined;

/** Answers are picked by a word in the body; each holds white space, member order and unknown members that must survive. */
const answers: Readonly<Record<string, readonly [number, string, string]>> = {
  plain: [
    200,
    "application/json",
    '{ "jsonrpc" : "2.0",\n "id":"1", "result":{"kind":"task","id":"T-1","contextId":"C-1","status":{"state":"completed"},"x-unknown":[1.0e2, 12345678901234567890]}}',
  ],
  failed: [
    200,
    "application/json",
    '{"jsonrpc":"2.0","id":"1","error":{"code":-32001,"message":"Task not found","data":[{"@type":"x"}]}}',
  ],
  v1: [200, "application/a2a+json", '{"task":{"id":"T-2","contextId":"C-2","status":{"state":"TASK_STATE_WORKING"}}}'],
  created: [201, "application/json", '{"name":"tasks/T-1/pushNotificationConfigs/1"}'],
  missing: [404, "application/json", '{"error":{"code":404,"status":"NOT_FOUND","message":"no such task"}}'],
  crlf: [
    200,
    "text/event-stream",
    'data: {"jsonrpc":"2.0","id":"1","result":{"kind":"status-update","taskId":"T-3","contextId":"C-3","status":{"state":"working"},"final":false}}\r\n\r\n: ping\r\n\r\nid: 7\r\nevent: message\r\ndata: {"jsonrpc":"2.0","id":"1",\r\ndata: "result":{"kind":"message","messageId":"m","contextId":"C-3","role":"agent","parts":[]}}\r\n\r\n',
  ],
  lf: [
    200,
    "text/event-stream",
    'data: {"statusUpdate":{"taskId":"T-4","contextId":"C-4","status":{"state":"TASK_STATE_COMPLETED"}}}\n\n',
  ],
};

beforeAll(async () => {
  agent = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      seen = { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body };
      const name = Object.keys(answers).find((word) => body.includes(`say ${word}`)) ?? "plain";
      const [status, type, text] = answers[name] ?? [500, "text/plain", ""];
      response.writeHead(status, {
        "content-type": type,
        "set-cookie": "a=b",
        location: "http://internal/",
        "x-internal": "1",
        "a2a-version": "1.0",
      });
      response.end(text);
    });
  });
  agent.listen(0, "127.0.0.1");
  await once(agent, "listening");
  const address = agent.address();
  direct = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  cluster = await startCluster({ proxies: 1 });
  await cluster.apply(urlAgent("echo", [direct]), ...key("caller", TOKEN, ["echo"]));
  await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name: "caller" }, "Programmed", "True");
  through = `${cluster.proxies[0]?.url}/a2a/echo`;
});

afterAll(async () => {
  agent.close();
  await cluster.stop();
});

const rpc = (method: string, say: string): string =>
  `{ "id" : "1",\n\t"jsonrpc":"2.0", "method":"${method}" , "params":{"message":{"role":"user","messageId":"m","parts":[{"kind":"text","text":"say ${say} \\u00e9 é \\ud83d\\ude00"}],"x-unknown":{"deep":[[1.50]]}},"unknown":null}}`;
const rest = (say: string): string =>
  `{"message":{"role":"ROLE_USER","messageId":"m","parts":[{"text":"say ${say}"}]},  "x":1.0}`;

const calls: readonly (readonly [string, string, string, string, Record<string, string>])[] = [
  ["0.3 send", "/", "POST", rpc("message/send", "plain"), {}],
  ["1.0 send", "/", "POST", rpc("SendMessage", "plain"), { "a2a-version": "1.0" }],
  ["an error of the agent", "/", "POST", rpc("message/send", "failed"), {}],
  [
    "a method of an extension of the protocol's own names",
    "/",
    "POST",
    '{"jsonrpc":"2.0","id":"1","method":"tasks/get","params":{"id":"T","metadata":{"a":[ ]}}}',
    {},
  ],
  [
    "a stream with \\r\\n, comments and ids",
    "/",
    "POST",
    rpc("message/stream", "crlf"),
    { accept: "text/event-stream" },
  ],
  [
    "a stream of 1.0 over HTTP+JSON",
    "/message:stream",
    "POST",
    rest("lf"),
    { "a2a-version": "1.0", accept: "text/event-stream" },
  ],
  [
    "1.0 send over HTTP+JSON",
    "/message:send",
    "POST",
    rest("v1"),
    { "a2a-version": "1.0", "content-type": "application/a2a+json" },
  ],
  ["0.3 send over HTTP+JSON", "/v1/message:send", "POST", rest("v1"), {}],
  [
    "201 of a push configuration",
    "/tasks/T-1/pushNotificationConfigs",
    "POST",
    '{"url":"https://hooks.example.com/x","note":"say created"}',
    { "a2a-version": "1.0" },
  ],
  ["404 of the agent", "/tasks/T-9:cancel", "POST", '{"note":"say missing"}', { "a2a-version": "1.0" }],
];

describe.each(calls)("%s", (_name, path, method, body, headers) => {
  test("is the same directly and through the gateway", async () => {
    const call = async (
      base: string,
    ): Promise<{ readonly answer: Response; readonly text: string; readonly sent: typeof seen }> => {
      const url = path === "/" ? base : `${base}${path}`;
      const answer = await fetch(url, {
        method,
        body,
        redirect: "manual",
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${TOKEN}`,
          "x-secret": "s",
          cookie: "c=d",
          ...headers,
        },
      });
      return { answer, text: await answer.text(), sent: seen };
    };
    const [one, two] = [await call(direct), await call(through)];
    expect(two.text).toBe(one.text);
    expect([two.answer.status, two.answer.headers.get("content-type")]).toEqual([
      one.answer.status,
      one.answer.headers.get("content-type"),
    ]);
    expect(two.sent?.body).toBe(body);
    expect([two.sent?.method, two.sent?.url]).toEqual([one.sent?.method, one.sent?.url]);
    expect(two.sent?.headers["a2a-version"]).toBe(headers["a2a-version"]);
    expect(two.answer.headers.get("a2a-version")).toBe("1.0");
    for (const name of ["set-cookie", "location", "x-internal"])
      expect([name, two.answer.headers.get(name)]).toEqual([name, null]);
    for (const name of ["authorization", "cookie", "x-secret"])
      expect([name, two.sent?.headers[name]]).toEqual([name, undefined]);
    expect(two.sent?.headers["traceparent"]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]$/);
  });
});
