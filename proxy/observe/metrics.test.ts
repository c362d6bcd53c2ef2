import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { KEY_FAULTS } from "../request/authenticate.ts";
import { FAILURE_REASONS } from "../request/failure.ts";
import { putAgent, putKey, tableOf } from "../request/table.test-support.ts";
import { agentRowId } from "../table/contract.ts";
import { createRequestMetrics } from "./metrics.ts";
import { METRICS_LABELS, type MetricsLabel } from "./metrics-labels.ts";
import { recordOf } from "./record.test-support.ts";
import { KEEP_GONE, MAX_GONE } from "./kept.ts";

function setUp() {
  const registry = new Registry();
  const table = tableOf(putAgent());
  let time = 0;
  const metrics = createRequestMetrics({ registry, table, now: () => time });
  return {
    table,
    metrics,
    pass: (milliseconds: number) => (time += milliseconds),
    /** The lines of one metric, without comments. */
    scrape: async (name: string) => {
      const text = await registry.metrics();
      return text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    },
    scrapeAll: () => registry.metrics(),
  };
}

describe("finished requests", () => {
  test("are counted by agent, operation and outcome", async () => {
    const { metrics, scrape } = setUp();
    metrics.finished(recordOf());
    metrics.finished(recordOf());
    metrics.finished(recordOf({ outcome: "agent_error" }));
    metrics.finished(recordOf({ operation: "GetTask", outcome: "client_closed" }));
    metrics.finished(recordOf({ agent: undefined, operation: undefined, backend: undefined, outcome: "refused" }));
    expect(await scrape("parley_requests_total")).toEqual([
      'parley_requests_total{agent="agents/travel",operation="SendMessage",outcome="ok"} 2',
      'parley_requests_total{agent="agents/travel",operation="SendMessage",outcome="agent_error"} 1',
      'parley_requests_total{agent="agents/travel",operation="GetTask",outcome="client_closed"} 1',
      'parley_requests_total{agent="",operation="",outcome="refused"} 1',
    ]);
  });

  test("are timed in seconds", async () => {
    const { metrics, scrape } = setUp();
    metrics.finished(recordOf({ latency: 250, firstByte: 30 }));
    metrics.finished(recordOf({ latency: 3000, firstByte: undefined }));
    const labels = 'agent="agents/travel",operation="SendMessage"';
    expect(await scrape("parley_request_duration_seconds_count")).toEqual([
      `parley_request_duration_seconds_count{${labels}} 2`,
    ]);
    expect(await scrape("parley_request_duration_seconds_sum")).toEqual([
      `parley_request_duration_seconds_sum{${labels}} 3.25`,
    ]);
    expect(await scrape("parley_request_duration_seconds_bucket")).toContain(
      `parley_request_duration_seconds_bucket{${labels},le="0.25"} 1`,
    );
    metrics.finished(recordOf({ firstByte: 1, outcome: "refused", reason: "AgentNotGranted" }));
    // A refusal of the gateway's own is none of the agent's answers.
    expect(await scrape("parley_first_byte_seconds_count")).toEqual([`parley_first_byte_seconds_count{${labels}} 1`]);
  });

  test("are counted by backend, with their events", async () => {
    const { metrics, scrape } = setUp();
    metrics.finished(recordOf({ events: 5 }));
    metrics.finished(recordOf({ backend: "canary", outcome: "upstream_error", reason: "ConnectFailed" }));
    metrics.finished(recordOf({ backend: undefined, outcome: "refused", reason: "OperationNotGranted" }));
    expect(await scrape("parley_backend_requests_total")).toEqual([
      'parley_backend_requests_total{agent="agents/travel",backend="main",outcome="ok"} 1',
      'parley_backend_requests_total{agent="agents/travel",backend="canary",outcome="upstream_error"} 1',
    ]);
    expect(await scrape("parley_stream_events_total")).toEqual(['parley_stream_events_total{agent="agents/travel"} 5']);
  });

  test("cannot make series without end, even with labels from nowhere", async () => {
    const { metrics, scrape } = setUp();
    for (let at = 0; at < 1000; at++) metrics.finished(recordOf({ operation: `Op${at}`, backend: `backend${at}` }));
    expect((await scrape("parley_requests_total")).length).toBeLessThanOrEqual(64);
    expect((await scrape("parley_backend_requests_total")).length).toBeLessThanOrEqual(64);
  });
});

describe("what A2A says", () => {
  test("task states, JSON-RPC errors by code, streams with their first event", async () => {
    const { metrics, scrape } = setUp();
    metrics.finished(recordOf({ streaming: true, latency: 2000, firstEvent: 40, events: 3 }));
    metrics.finished(recordOf({ state: "failed", rpcCode: -32001, outcome: "agent_error" }));
    metrics.finished(recordOf({ state: undefined, rpcCode: 4711, outcome: "agent_error" }));
    expect(await scrape("parley_task_states_total")).toEqual([
      'parley_task_states_total{agent="agents/travel",state="completed"} 1',
      'parley_task_states_total{agent="agents/travel",state="failed"} 1',
    ]);
    expect(await scrape("parley_rpc_errors_total")).toEqual([
      'parley_rpc_errors_total{agent="agents/travel",code="-32001"} 1',
      'parley_rpc_errors_total{agent="agents/travel",code="other"} 1',
    ]);
    expect(await scrape("parley_first_event_seconds_sum")).toEqual([
      'parley_first_event_seconds_sum{agent="agents/travel"} 0.04',
    ]);
    expect(await scrape("parley_stream_duration_seconds_sum")).toEqual([
      'parley_stream_duration_seconds_sum{agent="agents/travel"} 2',
    ]);
  });

  test("cost is exact, by agent and team, and by key", async () => {
    const { metrics, scrape } = setUp();
    for (let at = 0; at < 1000; at++) metrics.finished(recordOf({ cost: "0.001", team: at % 2 === 0 ? "a" : "b" }));
    metrics.finished(recordOf({ cost: undefined, team: "b", outcome: "refused", reason: "ParseError" }));
    expect(await scrape("parley_cost_total")).toEqual([
      'parley_cost_total{agent="agents/travel",team="a"} 0.5',
      'parley_cost_total{agent="agents/travel",team="b"} 0.5',
    ]);
    expect(await scrape("parley_key_cost_total")).toEqual([
      'parley_key_cost_total{key="agents/alice",team="a"} 0.5',
      'parley_key_cost_total{key="agents/alice",team="b"} 0.5',
    ]);
    expect(await scrape("parley_key_requests_total")).toContain(
      'parley_key_requests_total{key="agents/alice",team="b",outcome="refused"} 1',
    );
  });
});

describe("how many series there are", () => {
  /** 5,000 agents that 500 keys of 50 teams call, each with two operations and a stream. */
  async function seriesOf(labels: readonly MetricsLabel[]): Promise<number> {
    const registry = new Registry();
    const agents = Array.from({ length: 5000 }, (_, at) => putAgent({ publicName: `a-${at}` }, `a-${at}`));
    const keys = Array.from({ length: 500 }, (_, at) => putKey(`token-${at}`, {}, `k-${at}`));
    const metrics = createRequestMetrics({
      registry,
      table: tableOf(...agents, ...keys),
      now: () => 0,
      labels: new Set(labels),
    });
    for (let at = 0; at < 5000; at++) {
      const caller = { key: `agents/k-${at % 500}`, team: `t-${at % 50}` };
      metrics.finished(recordOf({ agent: `agents/a-${at}`, ...caller }));
      metrics.finished(
        recordOf({
          agent: `agents/a-${at}`,
          ...caller,
          operation: "SendStreamingMessage",
          streaming: true,
          firstEvent: 1,
        }),
      );
    }
    const text = await registry.metrics();
    return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
  }

  test.each([
    [METRICS_LABELS, 487_000],
    [["agent", "backend", "key", "team"], 332_000],
    [["agent"], 331_000],
    [["operation", "team"], 300],
    [[], 110],
  ] as const)("at 5,000 agents, with the labels %j: at most %d", async (labels, bound) => {
    const series = await seriesOf(labels);
    expect(series).toBeLessThanOrEqual(bound);
    expect(series).toBeGreaterThan(bound / 2);
  });
});

describe("refusals", () => {
  test("show every reason from the start, and count records and what never became one", async () => {
    const { metrics, scrape } = setUp();
    expect(await scrape("parley_refusals_total")).toHaveLength(FAILURE_REASONS.length);
    metrics.finished(recordOf({ outcome: "refused", reason: "RequestTooLarge" }));
    metrics.refused("RequestTooLarge");
    metrics.refused("InvalidRequest");
    const lines = await scrape("parley_refusals_total");
    expect(lines).toContain('parley_refusals_total{reason="RequestTooLarge"} 2');
    expect(lines).toContain('parley_refusals_total{reason="InvalidRequest"} 1');
    expect(lines).toContain('parley_refusals_total{reason="Unauthenticated"} 0');
  });

  test("for a key are counted by why, every one from the start", async () => {
    const { metrics, scrape } = setUp();
    const zeros = await scrape("parley_key_refusals_total");
    expect(zeros).toHaveLength(KEY_FAULTS.length + 3);
    expect(zeros.every((line) => line.endsWith(" 0"))).toBe(true);
    metrics.finished(recordOf({ outcome: "refused", reason: "Unauthenticated", keyFault: "Expired" }));
    metrics.finished(recordOf({ outcome: "refused", reason: "AgentNotGranted" }));
    metrics.finished(recordOf({ outcome: "refused", reason: "RequestTooLarge" }));
    metrics.finished(recordOf());
    const counted = (await scrape("parley_key_refusals_total")).filter((line) => !line.endsWith(" 0"));
    expect(counted.toSorted()).toEqual([
      'parley_key_refusals_total{reason="AgentNotGranted"} 1',
      'parley_key_refusals_total{reason="Expired"} 1',
    ]);
  });
});

describe("gauges", () => {
  test("tell open streams and held bytes", async () => {
    const { metrics, scrape } = setUp();
    metrics.streamOpened("agents/travel");
    metrics.streamOpened("agents/travel");
    metrics.streamClosed("agents/travel");
    metrics.setBuffered(4096);
    expect(await scrape("parley_open_streams")).toEqual(['parley_open_streams{agent="agents/travel"} 1']);
    expect(await scrape("parley_request_buffer_bytes")).toEqual(["parley_request_buffer_bytes 4096"]);
  });
});

test("numbers of many keys leave those that requests use as they are when the whole table is replaced", () => {
  const { metrics, table } = setUp();
  const names = Array.from({ length: 10_000 }, (_, n) => `key-${n}`);
  const rows = [putAgent(), ...names.map((name) => putKey(name, {}, name))];
  table.applyLocal(rows, true);
  for (const name of names) metrics.finished(recordOf({ key: `agents/${name}` }));
  const used = table.keyById("agents/key-0");
  table.applyLocal(rows, true);
  expect(table.keyById("agents/key-0")).toBe(used);
});

describe("an agent that left the table", () => {
  const gone = (name: string) => ({ id: agentRowId("agents", name), row: null });

  test("is shown a while longer, then no more", async () => {
    const { metrics, table, pass, scrapeAll } = setUp();
    metrics.finished(recordOf());
    table.applyLocal([gone("travel")], false);
    pass(KEEP_GONE - 1);
    expect(await scrapeAll()).toContain("agents/travel");
    pass(1);
    expect(await scrapeAll()).not.toContain("agents/travel");
  });

  test("goes on counting when it comes back in time", async () => {
    const { metrics, table, pass, scrape } = setUp();
    metrics.finished(recordOf());
    table.applyLocal([gone("travel")], false);
    table.applyLocal([putAgent()], false);
    pass(KEEP_GONE * 2);
    metrics.finished(recordOf());
    expect(await scrape("parley_requests_total")).toEqual([
      'parley_requests_total{agent="agents/travel",operation="SendMessage",outcome="ok"} 2',
    ]);
  });

  test("stays as long as a stream of it is open", async () => {
    const { metrics, table, pass, scrape } = setUp();
    metrics.streamOpened("agents/travel");
    table.applyLocal([gone("travel")], false);
    pass(KEEP_GONE);
    expect(await scrape("parley_open_streams")).toHaveLength(1);
    metrics.streamClosed("agents/travel");
    expect(await scrape("parley_open_streams")).toEqual([]);
  });

  test("is noticed when the whole table is replaced", async () => {
    const { metrics, table, pass, scrapeAll } = setUp();
    metrics.finished(recordOf());
    table.applyLocal([], true);
    pass(KEEP_GONE);
    expect(await scrapeAll()).not.toContain("agents/travel");
  });

  test("of too many the oldest go first", async () => {
    const { metrics, scrape } = setUp();
    metrics.finished(recordOf());
    for (let at = 0; at <= MAX_GONE; at++) metrics.finished(recordOf({ agent: `agents/never-${at}` }));
    const lines = await scrape("parley_requests_total");
    expect(lines).toHaveLength(MAX_GONE + 1);
    expect(lines.join("\n")).toContain("agents/travel");
    expect(lines.join("\n")).not.toContain('agents/never-0"');
    expect(lines.join("\n")).toContain(`agents/never-${MAX_GONE}"`);
  });
});
