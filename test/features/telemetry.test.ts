// OTLP to a real collector: one trace from client to agent, log records, metrics; and a collector that is gone costs nobody anything.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../harness/processes.ts";
import {
  type Collector,
  type Served,
  type SmallAgent,
  serveManifests,
  startCollector,
  startSmallAgent,
} from "../harness/telemetry.ts";

const TOKEN = "sk-0123456789012345678901234567890123456789";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

const manifests = (port: number): string => `
apiVersion: parley.dev/v1alpha1
kind: A2AAgent
metadata: { name: travel }
spec:
  backends: [{ name: main, url: "http://127.0.0.1:${port}/" }]
  pricing: { perRequest: "0.002", usage: [{ unit: inputTokens, price: "0.001" }] }
---
apiVersion: parley.dev/v1alpha1
kind: VirtualKey
metadata: { name: alice }
spec: { secretRef: { name: s, key: token }, owner: { user: alice, team: red }, agents: [{ name: travel }] }
---
apiVersion: v1
kind: Secret
metadata: { name: s, labels: { parley.dev/credential: key } }
stringData: { token: ${TOKEN} }
`;

let folder: string;
let agent: SmallAgent;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "parley-telemetry-"));
  agent = await startSmallAgent((_body, res) => {
    res.writeHead(200, { "content-type": "application/json" });
    const usage = { input_tokens: 5, output_tokens: 7 };
    const task = { kind: "task", id: "t-1", contextId: "c-1", status: { state: "completed" }, metadata: { usage } };
    res.end(JSON.stringify({ jsonrpc: "2.0", id: 1, result: task }));
  });
});
afterAll(async () => {
  await agent.close();
  rmSync(folder, { recursive: true, force: true });
});

const call = (served: Served, traceparent?: string): Promise<Response> =>
  fetch(`${served.url}/a2a/travel`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${TOKEN}`,
      "content-type": "application/json",
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "message/send",
      params: { message: { role: "user", kind: "message", messageId: "m", parts: [{ kind: "text", text: "hi" }] } },
    }),
  });

/** Blocks of the collector's text that begin with this heading, each up to the next heading. */
const blocks = (text: string, heading: string): string[] =>
  text
    .split(/^(?=Span #|LogRecord #|Metric #|Resource(?:Spans|Logs|Metrics)? #|\d{4}-)/m)
    .filter((block) => block.startsWith(heading));
const field = (block: string, name: string): string | undefined =>
  new RegExp(`^\\s*${name}\\s*: (.*)$`, "m").exec(block)?.[1]?.trim();

describe.each(["http/protobuf", "grpc"] as const)("over %s", (protocol) => {
  let collector: Collector;
  let served: Served;
  beforeAll(async () => {
    collector = await startCollector(folder);
    served = await serveManifests(folder, manifests(agent.port), {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: protocol === "grpc" ? collector.grpc : collector.http,
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_TIMEOUT: "1000",
        OTEL_BSP_SCHEDULE_DELAY: "50",
        OTEL_BLRP_SCHEDULE_DELAY: "50",
        OTEL_BLRP_MAX_QUEUE_SIZE: "20",
        OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: "10",
        OTEL_METRIC_EXPORT_INTERVAL: "200",
        OTEL_TRACES_SAMPLER: "parentbased_always_off",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=the%20test",
      },
    });
  });
  afterAll(async () => {
    await served.stop();
    await collector.stop();
  });

  test("one trace goes from the client through Parley to the agent, with the right parents", async () => {
    expect((await call(served, `00-${TRACE}-${PARENT}-01`)).status).toBe(200);
    const spans = await eventually("two spans", () => {
      const found = blocks(collector.output(), "Span #").filter((block) => field(block, "Trace ID") === TRACE);
      return found.length >= 2 ? found : undefined;
    });
    const server = spans.find((span) => field(span, "Kind") === "Server") ?? "";
    const client = spans.find((span) => field(span, "Kind") === "Client") ?? "";
    expect(spans).toHaveLength(2);
    expect(field(server, "Parent ID")).toBe(PARENT);
    expect(field(client, "Parent ID")).toBe(field(server, "ID"));
    expect(agent.seen.at(-1)?.["traceparent"]).toBe(`00-${TRACE}-${field(client, "ID")}-01`);
    expect(field(server, "Name")).toBe("SendMessage");
    for (const attribute of [
      "gen_ai.agent.name: Str(default/travel)",
      "a2a.method.name: Str(SendMessage)",
      "a2a.task.id: Str(t-1)",
      "a2a.task.state: Str(completed)",
      "gen_ai.conversation.id: Str(c-1)",
      "gen_ai.usage.input_tokens: Int(5)",
      "parley.key: Str(default/alice)",
      "parley.cost: Str(0.007)",
      "parley.cost.source: Str(request+usage)",
      "http.response.status_code: Int(200)",
    ]) {
      expect(server).toContain(attribute);
    }
    const [start, end] = [field(server, "Start time"), field(server, "End time")].map((time) =>
      Date.parse(
        time
          ?.replace(/(\.\d{3})\d*/, "$1")
          .replace(" +0000 UTC", "Z")
          .replace(" ", "T") ?? "",
      ),
    );
    expect(end).toBeGreaterThanOrEqual(start ?? Infinity);
  });

  test("a trace that nobody samples makes no span, but a log record", async () => {
    const trace = "ab".repeat(16);
    await call(served, `00-${trace}-${PARENT}-00`);
    const record = await eventually("a log record", () =>
      blocks(collector.output(), "LogRecord #").find((block) => field(block, "Trace ID") === trace),
    );
    expect(record).toContain("parley.outcome: Str(ok)");
    expect(field(record, "Body")).toBe("Str(request)");
    expect(field(record, "SeverityText")).toBe("info");
    expect(blocks(collector.output(), "Span #").filter((block) => field(block, "Trace ID") === trace)).toEqual([]);
    expect(collector.output()).toContain("deployment.environment.name: Str(the test)");
  });

  test("metrics come with their names, units and sums", async () => {
    const counted = await eventually("a count of requests", () => {
      const found = blocks(collector.output(), "Metric #").filter(
        (block) => field(block, "-> Name") === "parley.requests",
      );
      return found.at(-1)?.includes("Value: 2.0") ? found.at(-1) : undefined;
    });
    expect(counted).toContain("IsMonotonic: true");
    expect(counted).toContain("operation: Str(SendMessage)");
    // What the collector prints may have come in part only.
    const durations = await eventually("durations of both requests", () =>
      blocks(collector.output(), "Metric #").findLast(
        (block) => field(block, "-> Name") === "parley.request.duration" && block.includes("Count: 2"),
      ),
    );
    expect(field(durations, "-> Unit")).toBe("s");
  });

  test("a collector that is gone costs no request anything; what is lost is counted; it is used again when it is back", async () => {
    const ports = { grpc: Number(new URL(collector.grpc).port), http: Number(new URL(collector.http).port) };
    await collector.stop();
    const before = await served.metric("parley_requests_total");
    const statuses = await Promise.all(Array.from({ length: 100 }, async () => (await call(served)).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(
      await eventually("all are counted", async () =>
        (await served.metric("parley_requests_total")) === before + 100 ? true : undefined,
      ),
    ).toBe(true);
    await eventually("drops are counted", async () =>
      (await served.metric("parley_otlp_dropped_total", 'signal="logs"')) +
        (await served.metric("parley_otlp_sent_total", 'signal="logs"')) ===
      before + 100
        ? true
        : undefined,
    );
    expect(await served.metric("parley_otlp_dropped_total", 'signal="logs"')).toBe(100);
    collector = await startCollector(folder, ports);
    const trace = "cd".repeat(16);
    await eventually("it is told again", async () => {
      await call(served, `00-${trace}-${PARENT}-01`);
      return collector.output().includes(trace) ? true : undefined;
    });
  });
});
