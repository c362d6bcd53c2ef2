// Metrics that exist as plain numbers and become series only when they are scraped: prom-client's own cost too much per request.
import type { Metric, Registry } from "prom-client";

export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  /** A text is a number that a binary fraction would not hold. */
  readonly value: number | string;
  readonly exemplar?: Exemplar | undefined;
  /** For the parts of a histogram: name with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string;
}

/** One observation of many, and the trace that it is of. */
export interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export interface ScrapedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** Called at each scrape. */
  readonly samples: () => Iterable<Sample>;
}

/** Adds a metric to the registry, which asks nothing of it but `get`; exposition.ts asks for `samples`. */
export function registerScraped(registry: Registry, { name, help, type, samples }: ScrapedMetric): void {
  const metric = {
    name,
    help,
    type,
    samples,
    aggregator: "sum",
    get: () =>
      Promise.resolve({
        name,
        help,
        type,
        aggregator: "sum",
        values: Array.from(samples(), numeric),
      }),
    reset: () => undefined,
  };
  registry.registerMetric(metric as unknown as Metric);
}

/** prom-client knows numbers only. */
const numeric = ({ labels, value, metricName }: Sample): object =>
  metricName === undefined ? { labels, value: Number(value) } : { labels, value: Number(value), metricName };

/** Counts of observations in fixed buckets. */
export interface Histogram {
  /** One count a bucket, and one for what is above the last. Not cumulative: adding is one increment. */
  readonly counts: number[];
  sum: number;
  /** The last one of each bucket that was sampled; made with the first. */
  exemplars: (Exemplar | undefined)[] | undefined;
}

export function createHistogram(bounds: readonly number[]): Histogram {
  return { counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0, exemplars: undefined };
}

/** @param traced where the observation comes from, if its trace is kept somewhere */
export function observe(
  histogram: Histogram,
  bounds: readonly number[],
  value: number,
  traced?: { readonly traceId: string; readonly time: number },
): void {
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] ?? Infinity)) bucket++;
  histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
  histogram.sum += value;
  if (traced === undefined) return;
  histogram.exemplars ??= [];
  histogram.exemplars[bucket] = { traceId: traced.traceId, value, time: traced.time };
}

/** The cumulative series of one histogram, as Prometheus wants them: of one moment, however slowly they are taken. */
export function* histogramSamples(
  name: string,
  labels: Readonly<Record<string, string | number>>,
  histogram: Histogram,
  bounds: readonly number[],
): Iterable<Sample> {
  let total = 0;
  const { sum, exemplars } = histogram;
  for (const [bucket, count] of [...histogram.counts].entries()) {
    total += count;
    yield {
      metricName: `${name}_bucket`,
      labels: { ...labels, le: bounds[bucket] ?? "+Inf" },
      value: total,
      exemplar: exemplars?.[bucket],
    };
  }
  yield { metricName: `${name}_sum`, labels, value: sum };
  yield { metricName: `${name}_count`, labels, value: total };
}
