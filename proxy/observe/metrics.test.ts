import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { FAILURE_REASONS } from "../request/failure.ts";
import { putAgent, tableOf } from "../request/table.test-support.ts";
import { agentRowId } from "../table/contract.ts";
import { createRequestMetrics } from "./metrics.ts";
import { recordOf } from "./record.test-support.ts";
import { KEEP_GONE, MAX_GONE } from "./series.ts";

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
