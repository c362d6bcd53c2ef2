import { Registry } from "prom-client";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHistogram, histogramSamples, observe, registerScraped } from "./scraped.ts";

describe("a scraped metric", () => {
  test("is read at each scrape, with labels escaped", async () => {
    const registry = new Registry();
    let value = 0;
    registerScraped(registry, {
      name: "things_total",
      help: "Things.",
      type: "counter",
      samples: () => [{ labels: { kind: 'a"b\nc\\' }, value: ++value }],
    });
    const text = (count: number) =>
      `# HELP things_total Things.\n# TYPE things_total counter\nthings_total{kind="a\\"b\\nc\\\\"} ${count}\n`;
    expect(await registry.metrics()).toBe(text(1));
    expect(await registry.metrics()).toBe(text(2));
    await expect(registry.getMetricsAsJSON()).resolves.toMatchObject([{ name: "things_total", type: "counter" }]);
  });

  test("cannot be registered twice under one name", () => {
    const registry = new Registry();
    const metric = { name: "a", help: "A.", type: "gauge", samples: () => [] } as const;
    registerScraped(registry, metric);
    expect(() => registerScraped(registry, metric)).toThrow("already been registered");
  });
});

describe("a histogram", () => {
  const bounds = [0.1, 1, 10];

  test("counts up to and including each bound", () => {
    const histogram = createHistogram(bounds);
    for (const value of [0, 0.1, 0.11, 1, 10, 11]) observe(histogram, bounds, value);
    expect([...histogramSamples("t", { a: "x" }, histogram, bounds)]).toEqual([
      { metricName: "t_bucket", labels: { a: "x", le: 0.1 }, value: 2 },
      { metricName: "t_bucket", labels: { a: "x", le: 1 }, value: 4 },
      { metricName: "t_bucket", labels: { a: "x", le: 10 }, value: 5 },
      { metricName: "t_bucket", labels: { a: "x", le: "+Inf" }, value: 6 },
      { metricName: "t_sum", labels: { a: "x" }, value: 22.21 },
      { metricName: "t_count", labels: { a: "x" }, value: 6 },
    ]);
  });

  test("agrees with counting one by one", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 20, noNaN: true })), (values) => {
        const histogram = createHistogram(bounds);
        for (const value of values) observe(histogram, bounds, value);
        const samples = [...histogramSamples("t", {}, histogram, bounds)];
        for (const [at, bound] of bounds.entries()) {
          expect(samples[at]?.value).toBe(values.filter((value) => value <= bound).length);
        }
        expect(samples.at(-1)?.value).toBe(values.length);
      }),
    );
  });
});
