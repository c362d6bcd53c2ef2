// Finished requests to an OpenTelemetry collector. In: settings, records, the registry. Out: traces, logs and metrics over OTLP.
// The transports are those of OpenTelemetry's own exporters; they are loaded only here, so that who exports nothing pays nothing.
import type { Metric, Registry } from "prom-client";
import type { FinishedRequest } from "../record.ts";
import { type Sample, type ScrapedMetric, registerScraped } from "../scraped.ts";
import { metricPieces } from "./metrics.ts";
import { createExportQueue, type ExportQueue } from "./queue.ts";
import { type Batch, createLogBatch, createSpanBatch } from "./records.ts";
import type { OtlpSettings, Protocol } from "./settings.ts";

export interface Otlp {
  finished(record: FinishedRequest): void;
  /** Sends what waits, and the metrics once more: for the end of the process. */
  close(): Promise<void>;
}

interface Clock {
  now(): number;
  setTimeout(run: () => void, milliseconds: number): { cancel(): void };
}

/** Resolves with whether the collector took the bytes; never rejects. */
type Send = (bytes: Buffer) => Promise<boolean>;

const SIGNALS = {
  traces: { signal: "TRACES", path: "v1/traces", service: "trace.v1.TraceService" },
  logs: { signal: "LOGS", path: "v1/logs", service: "logs.v1.LogsService" },
  metrics: { signal: "METRICS", path: "v1/metrics", service: "metrics.v1.MetricsService" },
} as const;

export async function createOtlp(deps: {
  settings: OtlpSettings;
  registry: Registry;
  version: string;
  clock: Clock;
  log: { warn(fields: object, message: string): void };
}): Promise<Otlp> {
  const { settings, registry, version, clock, log } = deps;
  const schedule = (run: () => void, milliseconds: number): void => void clock.setTimeout(run, milliseconds);
  const spans =
    settings.traces &&
    queueOf(
      settings.traces,
      await senderOf("traces", settings.traces.protocol),
      createSpanBatch(settings.resource, version),
    );
  const logs =
    settings.logs &&
    queueOf(settings.logs, await senderOf("logs", settings.logs.protocol), createLogBatch(settings.resource, version));
  const sendMetrics = settings.metrics && (await senderOf("metrics", settings.metrics.protocol));
  const lost = { metrics: 0 };

  function queueOf(
    { limits }: { readonly limits: Parameters<typeof createExportQueue>[0]["limits"] },
    send: Send,
    batch: Batch,
  ): ExportQueue {
    return createExportQueue({ limits, batch, schedule, send });
  }

  const started = clock.now();
  const counted: readonly (readonly [signal: string, queue: ExportQueue | undefined])[] = [
    ["traces", spans],
    ["logs", logs],
  ];
  for (const [name, help, read] of [
    ["parley_otlp_sent_total", "Finished requests whose spans or log records a collector took.", "sent"],
    [
      "parley_otlp_dropped_total",
      "Finished requests whose spans or log records were dropped, and pieces of metrics.",
      "dropped",
    ],
  ] as const) {
    registerScraped(registry, {
      name,
      help,
      type: "counter",
      *samples() {
        for (const [signal, queue] of counted)
          if (queue !== undefined) yield { labels: { signal }, value: queue[read] };
        if (read === "dropped" && sendMetrics !== undefined)
          yield { labels: { signal: "metrics" }, value: lost.metrics };
      },
    });
  }

  async function exportMetrics(send: Send): Promise<void> {
    const all = await Promise.all(
      (registry.getMetricsAsArray() as unknown as readonly (Metric | ScrapedMetric)[]).map(asScraped),
    );
    const known = all.filter((metric) => metric !== undefined);
    for await (const bytes of metricPieces(known, settings.resource, version, { from: started, to: clock.now() })) {
      if (!(await send(bytes))) lost.metrics++;
    }
  }

  let timer: { cancel(): void } | undefined;
  function exportAgain(send: Send, interval: number): void {
    timer = clock.setTimeout(() => {
      exportMetrics(send)
        .catch((error: unknown) => log.warn({ err: error }, "metrics not exported"))
        .finally(() => {
          if (timer !== undefined) exportAgain(send, interval);
        });
    }, interval);
  }
  if (sendMetrics !== undefined && settings.metrics !== undefined) exportAgain(sendMetrics, settings.metrics.interval);

  return {
    finished(record) {
      if (record.spans !== undefined) spans?.push(record);
      logs?.push(record);
    },
    async close() {
      timer?.cancel();
      timer = undefined;
      await Promise.all([spans?.flush(), logs?.flush()]);
      if (sendMetrics !== undefined) await exportMetrics(sendMetrics);
    },
  };
}

/** What prom-client counts itself, of the process; it gives the samples of a histogram in the order that ours have. */
async function asScraped(metric: Metric | ScrapedMetric): Promise<ScrapedMetric | undefined> {
  if ("samples" in metric) return metric;
  const { name, help, type, values } = await metric.get();
  // Their types say that types are numbers; they are these words.
  const kind = String(type);
  if (kind !== "counter" && kind !== "gauge" && kind !== "histogram") return undefined;
  return { name, help, type: kind, samples: () => values as readonly Sample[] };
}

/** Retries, timeouts, headers and certificates are the exporter's, by its variables. */
async function senderOf(kind: keyof typeof SIGNALS, protocol: Protocol): Promise<Send> {
  const { signal, path, service } = SIGNALS[kind];
  const serializer = {
    serializeRequest: (bytes: Buffer): Uint8Array => bytes,
    deserializeResponse: (): object => ({}),
  };
  const counter = { name: "log", countItems: () => 0 } as const;
  const create = protocol === "grpc" ? await grpc(signal, service) : await http(signal, path);
  let delegate = create();
  return (bytes) =>
    new Promise((resolve) => {
      const used = delegate;
      used.export(bytes, ({ error }) => {
        // A channel of gRPC that cannot connect waits for up to two minutes until it tries again; a new one tries at once.
        if (error !== undefined && protocol === "grpc" && used === delegate) {
          used.shutdown().catch(() => undefined);
          delegate = create();
        }
        resolve(error === undefined);
      });
    });

  async function grpc(name: string, of: string) {
    const { convertLegacyOtlpGrpcOptions, createOtlpGrpcExportDelegate } =
      await import("@opentelemetry/otlp-grpc-exporter-base");
    const proto = `opentelemetry.proto.collector.${of}`;
    const options = convertLegacyOtlpGrpcOptions({}, name);
    const last = of.split(".").at(-1) ?? "";
    return () =>
      createOtlpGrpcExportDelegate(options, serializer, "parley", counter, undefined, last, `/${proto}/Export`);
  }

  async function http(name: string, at: string) {
    const { convertLegacyHttpOptions, createOtlpHttpExportDelegate } =
      await import("@opentelemetry/otlp-exporter-base/node-http");
    const options = convertLegacyHttpOptions({}, name, at, { "Content-Type": "application/x-protobuf" });
    return () => createOtlpHttpExportDelegate(options, serializer, "parley", counter, undefined);
  }
}
