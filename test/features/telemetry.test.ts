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
const PROTOCOLS = ["http/protobuf", "grpc"] as const;
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

/** Milliseconds that a collector is gone. */
const OUTAGE = 60_000;

let folder: string;
let agent: SmallAgent;
let outages: readonly Outage[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "parley-telemetry-"));
  agent = await startSmallAgent((_body, res) => {
    res.writeHead(200, { "content-type": "application/json" });
    const usage = { input_tokens: 5, output_tokens: 7 };
    const task = { kind: "task", id: "t-1", contextId: "c-1", status: { state: "completed" }, metadata: { usage } };
    res.end(JSON.stringify({ jsonrpc: "2.0", id: 1, result: task }));
  });
  // They last a minute, in which the other tests run.
  outages = await Promise.all(PROTOCOLS.map(startOutage));
});
afterAll(async () => {
  await Promise.all((outages ?? []).map((outage) => outage.stop()));
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

/** A gateway whose collector is gone for a minute, while requests go on. */
interface Outage {
  readonly over: Promise<readonly number[]>;
  readonly served: Served;
  /** Log records and spans that came before. */
  readonly arrived: { readonly logs: number; readonly spans: number };
  /** Brings the collector back where it was. */
  restart(): Promise<Collector>;
  stop(): Promise<void>;
}

const arrivedAt = (collector: Collector): { readonly logs: number; readonly spans: number } => ({
  logs: collector.output().match(/^LogRecord #/gm)?.length ?? 0,
  spans: collector.output().match(/^Span #/gm)?.length ?? 0,
});

async function startOutage(protocol: (typeof PROTOCOLS)[number]): Promise<Outage> {
  const own = mkdtempSync(join(folder, "outage-"));
  const collector = await startCollector(own);
  const { grpc, http } = collector;
  const served = await serveManifests(own, manifests(agent.port), {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: protocol === "grpc" ? grpc : http,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_TIMEOUT: "1000",
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_BLRP_SCHEDULE_DELAY: "50",
      OTEL_BLRP_MAX_QUEUE_SIZE: "20",
      OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: "10",
    },
  });
  await call(served);
  const arrived = await eventually("the first request's records", () =>
    arrivedAt(collector).logs === 1 && arrivedAt(collector).spans === 2 ? arrivedAt(collector) : undefined,
  );
  await eventually("they count as sent", async () => (await served.metric("parley_otlp_sent_total")) === 2);
  await collector.stop();
  const stopped = new AbortController();
  let again: Collector | undefined;

  async function goOn(): Promise<readonly number[]> {
    const statuses: number[] = [];
    const end = performance.now() + OUTAGE;
    while (performance.now() < end && !stopped.signal.aborted) {
      statuses.push(...(await Promise.all([call(served), call(served)])).map(({ status }) => status));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return statuses;
  }

  return {
    over: goOn(),
    served,
    arrived,
    async restart() {
      again = await startCollector(own, { grpc: Number(new URL(grpc).port), http: Number(new URL(http).port) });
      return again;
    },
    async stop() {
      stopped.abort();
      await served.stop();
      await again?.stop();
    },
  };
}

describe.each(PROTOCOLS)("over %s", (protocol) => {
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
    expect(agent.seen.map((headers) => headers["traceparent"])).toContain(`00-${TRACE}-${field(client, "ID")}-01`);
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
    const memory = await eventually("the process's memory", () =>
      blocks(collector.output(), "Metric #").find(
        (block) => field(block, "-> Name") === "process.resident.memory" && field(block, "Value") !== undefined,
      ),
    );
    expect(field(memory, "-> Unit")).toBe("By");
    expect(Number(field(memory, "Value"))).toBeGreaterThan(10_000_000);
    await eventually("the process's own histogram", () =>
      blocks(collector.output(), "Metric #").find(
        (block) => field(block, "-> Name") === "nodejs.gc.duration" && block.includes("kind: Str(minor)"),
      ),
    );
  });
});

test.each(PROTOCOLS.map((protocol, index) => ({ protocol, index })))(
  "a collector that is gone for a minute ($protocol) costs no request anything; what is lost is counted, and it is used again",
  async ({ index }) => {
    const outage = outages[index];
    if (outage === undefined) throw new Error("no outage");
    const { served, arrived } = outage;
    const statuses = await outage.over;
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(statuses.length).toBeGreaterThan(100);
    const count = (what: "sent" | "dropped", signal: string): Promise<number> =>
      served.metric(`parley_otlp_${what}_total`, `signal="${signal}"`);

    // None is under way when the collector comes back: each was taken or was not.
    await eventually("every record is sent or dropped", async () => {
      const ended = await Promise.all(
        ["logs", "traces"].map(async (signal) => (await count("sent", signal)) + (await count("dropped", signal))),
      );
      return ended.every((records) => records === statuses.length + 1);
    });
    const collector = await outage.restart();
    let produced = statuses.length + 1;
    const back = await eventually(
      "it is told again",
      async () => {
        produced++;
        expect((await call(served)).status).toBe(200);
        const found = arrivedAt(collector);
        return found.logs > 0 && found.spans > 0;
      },
      30_000,
      200,
    ).then(() =>
      eventually("all that is sent has arrived", async () => {
        const found = arrivedAt(collector);
        const [logs, traces] = [await count("dropped", "logs"), await count("dropped", "traces")];
        const whole =
          logs + arrived.logs + found.logs === produced && traces * 2 + arrived.spans + found.spans === produced * 2;
        return whole ? { logs, traces } : undefined;
      }),
    );
    expect(await served.metric("parley_requests_total")).toBe(produced);
    expect(back.logs).toBeGreaterThanOrEqual(statuses.length);
    expect(back.traces).toBeGreaterThanOrEqual(statuses.length);
  },
  OUTAGE + 120_000,
);
