// Secrets planted wherever one can stand: none is found in a log line, a metric, a span, a log record, the request log or a table dump; with
// `Full` only the text of a message shows it.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../harness/processes.ts";
import {
  type Collector,
  type Served,
  type SmallAgent,
  serveManifests,
  startCollector,
  startSmallAgent,
} from "../harness/telemetry.ts";

const TOKEN = "sk-planted-key-0123456789012345678901234567";
const UPSTREAM = "planted-upstream-credential-0123456789";
const TEXT = "planted-message-text";
/** Each place has a secret of its own, so that a failure says which it was. */
const PLACES = [
  "header",
  "cookie",
  "query",
  "metadata-token",
  "webhook-url",
  "webhook-token",
  "webhook-credentials",
  "file-url",
  "error-message",
  "error-data",
  "error-body",
  "answer-url",
  "bearer",
] as const;
const planted = (place: (typeof PLACES)[number]): string => `planted-${place}-0123456789`;

let folder: string;
let agent: SmallAgent;
let collector: Collector;
let served: Served;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "parley-planted-"));
  collector = await startCollector(folder);
  agent = await startSmallAgent((body, res, headers) => {
    const answer = (value: object): string => JSON.stringify({ jsonrpc: "2.0", id: "1", ...value });
    if (headers.authorization !== `Bearer ${UPSTREAM}`) {
      res.writeHead(401).end();
      return;
    }
    const parts = [{ kind: "text", text: `${TEXT} Bearer ${planted("bearer")}` }];
    const message = {
      kind: "message",
      role: "agent",
      messageId: "m",
      parts,
      metadata: { webhookUrl: `https://h/${planted("answer-url")}` },
    };
    if (body.includes("broken")) {
      res.writeHead(500, { "content-type": "text/html", "x-secret": planted("header") });
      res.end(`<html>${planted("error-body")}</html>`);
      return;
    }
    if (body.includes("message/stream")) {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.end(`data: ${answer({ result: message })}\n\n`);
      return;
    }
    res.writeHead(200, { "content-type": "application/json", "x-secret": planted("header") });
    const error = { code: -32603, message: planted("error-message"), data: { x: planted("error-data") } };
    res.end(body.includes("failing") ? answer({ error }) : answer({ result: message }));
  });
  const names = ["None", "Metadata", "Full"] as const;
  const manifests = [
    ...names.map((content) => ({
      apiVersion: "parley.dev/v1alpha1",
      kind: "A2AAgent",
      metadata: { name: content.toLowerCase() },
      spec: {
        backends: [{ name: "main", url: `http://127.0.0.1:${agent.port}/` }],
        credentials: [{ header: "authorization", scheme: "Bearer", secretRef: { name: "upstream", key: "token" } }],
        pricing: { usage: [{ unit: "inputTokens", price: "1" }] },
        logging: { content },
      },
    })),
    {
      apiVersion: "parley.dev/v1alpha1",
      kind: "VirtualKey",
      metadata: { name: "alice" },
      spec: { secretRef: { name: "s", key: "token" }, agents: names.map((name) => ({ name: name.toLowerCase() })) },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", labels: { "parley.dev/credential": "key" } },
      stringData: { token: TOKEN },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "upstream", labels: { "parley.dev/credential": "upstream" } },
      stringData: { token: UPSTREAM },
    },
  ];
  served = await serveManifests(folder, manifests.map((one) => `${JSON.stringify(one)}\n---\n`).join(""), {
    args: [`--request-log=${join(folder, "log/requests.db")}`, "--log-level=trace"],
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.http,
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_BLRP_SCHEDULE_DELAY: "50",
      OTEL_METRIC_EXPORT_INTERVAL: "100",
    },
  });
});
afterAll(async () => {
  await served?.stop();
  await Promise.all([collector?.stop(), agent?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

const CALLS = ["", "failing", "broken"];

async function call(name: string, method: string, what: string): Promise<void> {
  const message = {
    role: "user",
    kind: "message",
    messageId: "m",
    parts: [
      { kind: "text", text: `${TEXT} ${what} Bearer ${planted("bearer")}` },
      { kind: "file", file: { uri: `https://files.example.com/a?sig=${planted("file-url")}` } },
    ],
    metadata: { accessToken: planted("metadata-token") },
  };
  const configuration = {
    pushNotificationConfig: {
      url: `https://hooks.example.com/${planted("webhook-url")}`,
      token: planted("webhook-token"),
      authentication: { schemes: ["Bearer"], credentials: planted("webhook-credentials") },
    },
  };
  const answer = await fetch(`${served.url}/a2a/${name}?key=${planted("query")}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${TOKEN}`,
      "content-type": "application/json",
      "x-api-key": planted("header"),
      cookie: `session=${planted("cookie")}`,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: "1", method, params: { message, configuration } }),
  });
  await answer.text();
}

/** Everything that was told so far, by where it was told. */
async function everything(): Promise<Record<string, string>> {
  const files = readdirSync(join(folder, "log")).map((name) => readFileSync(join(folder, "log", name), "latin1"));
  return {
    log: served.output(),
    metrics: await (await fetch(`${served.admin}/metrics`)).text(),
    table: await (await fetch(`${served.admin}/table`)).text(),
    otlp: collector.output(),
    "request log": files.join(""),
  };
}

async function callAll(name: string): Promise<void> {
  const before = served.output().split('"msg":"request"').length;
  for (const what of CALLS) for (const method of ["message/send", "message/stream"]) await call(name, method, what);
  await eventually("all is logged, exported and kept", async () => {
    const lines = served.output().split('"msg":"request"').length;
    const sent = await served.metric("parley_otlp_sent_total", 'signal="logs"');
    const traces = await served.metric("parley_otlp_sent_total", 'signal="traces"');
    const all = await served.metric("parley_requests_total");
    return lines >= before + 6 && sent === all && traces === all ? true : undefined;
  });
}

test.each(["none", "metadata"])("with logging.content %s nothing is told", async (name) => {
  await callAll(name);
  for (const [where, told] of Object.entries(await everything())) {
    const found = [...PLACES.map(planted), TEXT, TOKEN, UPSTREAM].filter((secret) => told.includes(secret));
    expect({ where, found }).toEqual({ where, found: [] });
  }
});

test("with Full only the text of a message is told", async () => {
  await callAll("full");
  const told = await eventually("the request log has it", async () => {
    const all = await everything();
    return all["request log"]?.includes(TEXT) === true ? all : undefined;
  });
  for (const [where, text] of Object.entries(told)) {
    const found = [...PLACES.map(planted), TOKEN, UPSTREAM].filter((secret) => text.includes(secret));
    expect({ where, found }).toEqual({ where, found: [] });
  }
  expect(Object.keys(told).filter((where) => told[where]?.includes(TEXT))).toEqual(["log", "otlp", "request log"]);
});
