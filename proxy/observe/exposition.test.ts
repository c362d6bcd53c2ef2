import { Counter, Gauge, Registry } from "prom-client";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { putAgent, tableOf } from "../request/table.test-support.ts";
import { asksForOpenMetrics, exposition } from "./exposition.ts";
import { createRequestMetrics } from "./metrics.ts";
import { recordOf } from "./record.test-support.ts";
import { registerScraped } from "./scraped.ts";

async function piecesOf(registry: Registry): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of exposition(registry)) pieces.push(piece);
  return pieces;
}
/** prom-client leaves an empty line between metrics. */
const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

describe("the exposition", () => {
  test("says what prom-client says of the same registry", async () => {
    const registry = new Registry();
    new Counter({ name: "a_total", help: "A.", labelNames: ["x"], registers: [registry] }).inc({ x: "1" }, 2);
    const metrics = createRequestMetrics({ registry, table: tableOf(putAgent()), now: () => 0 });
    metrics.finished(recordOf({ latency: 70 }));
    metrics.finished(recordOf({ agent: undefined, operation: undefined, outcome: "refused", reason: "ParseError" }));
    new Gauge({ name: "z", help: "Z.", registers: [registry] }).set(0.5);
    expect(lines((await piecesOf(registry)).join(""))).toEqual(lines(await registry.metrics()));
  });

  test("writes label values and numbers as prom-client does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.double(), async (label, value) => {
        const registry = new Registry();
        registerScraped(registry, {
          name: "a",
          help: "A.",
          type: "gauge",
          samples: () => [{ labels: { label }, value: value || 0 }],
        });
        // prom-client writes "Nan", which the format does not know.
        expect((await piecesOf(registry)).join("")).toBe((await registry.metrics()).replace(/ Nan$/m, " NaN"));
      }),
    );
  });

  test("in OpenMetrics has counters without their suffix, an end, and exemplars of what was sampled", async () => {
    const registry = new Registry();
    new Counter({ name: "a_total", help: "A.", registers: [registry] }).inc(2);
    const metrics = createRequestMetrics({ registry, table: tableOf(putAgent()), now: () => 0 });
    metrics.finished(recordOf({ latency: 70, sampled: true, time: 1_700_000_000_500 }));
    metrics.finished(recordOf({ latency: 80, traceId: "f".repeat(32) }));
    let text = "";
    for await (const piece of exposition(registry, true)) text += piece;
    expect(text).toMatch(/^# HELP a A\.\n# TYPE a counter\na_total 2\n/);
    expect(text).toMatch(/# TYPE parley_requests counter\nparley_requests_total\{/);
    expect(text.endsWith("\n# EOF\n")).toBe(true);
    expect(lines(text).filter((line) => line.startsWith("parley_request_duration") && line.includes(" # "))).toEqual([
      'parley_request_duration_seconds_bucket{agent="agents/travel",operation="SendMessage",le="0.1"} 2 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.07 1700000000.5',
    ]);
    expect(asksForOpenMetrics("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")).toBe(true);
    expect(asksForOpenMetrics("text/plain")).toBe(false);
  });

  test("comes in pieces, between which other work goes on", async () => {
    const registry = new Registry();
    const samples = Array.from({ length: 10_000 }, (_, at) => ({ labels: { agent: `agents/agent-${at}` }, value: at }));
    registerScraped(registry, { name: "a", help: "A.", type: "gauge", samples: () => samples });
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    const pieces = await piecesOf(registry);
    running = false;
    expect(lines(pieces.join(""))).toHaveLength(10_002);
    expect(pieces.length).toBeGreaterThan(5);
    expect(turns).toBeGreaterThanOrEqual(pieces.length - 1);
    for (const piece of pieces) expect(piece.length).toBeLessThan(33 * 1024);
  });

  test("shows a histogram of one moment, though it counts on between the pieces", async () => {
    const registry = new Registry();
    const agents = Array.from({ length: 200 }, (_, at) => putAgent({ publicName: `a-${at}` }, `a-${at}`));
    const metrics = createRequestMetrics({ registry, table: tableOf(...agents), now: () => 0 });
    const all = () => {
      for (let at = 0; at < 200; at++) metrics.finished(recordOf({ agent: `agents/a-${at}`, latency: 1 }));
    };
    all();
    let text = "";
    for await (const piece of exposition(registry)) {
      text += piece;
      all();
    }
    const name = "parley_request_duration_seconds";
    for (let at = 0; at < 200; at++) {
      const of = (suffix: string): string[] =>
        lines(text)
          .filter((line) => line.startsWith(`${name}${suffix}{agent="agents/a-${at}"`))
          .map((line) => line.split(" ")[1] ?? "");
      expect(new Set([...of("_bucket"), ...of("_count")]).size).toBe(1);
    }
  });
});
