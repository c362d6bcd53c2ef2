// Metrics as OTLP. In: the registry's scraped metrics. Out: bytes of ExportMetricsServiceRequest (opentelemetry-proto, collector/metrics/v1), in
// pieces: a collector takes 4 MiB at once.
import { setImmediate as turn } from "node:timers/promises";
import type { Sample, ScrapedMetric } from "../scraped.ts";
import { type Attribute, ProtobufWriter } from "./protobuf.ts";
import { writeResource, writeScope } from "./records.ts";

/** Bytes of one piece, a little more at most. */
const PIECE = 1024 * 1024;
/** Bytes that are made in one turn of the event loop. */
const TURN = 64 * 1024;
const CUMULATIVE = 2;

/** `parley_request_duration_seconds` is `parley.request.duration` in `s`: Prometheus makes the same name of it again. */
function otelName(metric: Pick<ScrapedMetric, "name" | "type">): {
  readonly name: string;
  readonly unit: string;
} {
  const plain = metric.type === "counter" ? metric.name.replace(/_total$/, "") : metric.name;
  const [, stem = plain, unit] = /^(.*)_(seconds|bytes)$/.exec(plain) ?? [];
  return { name: stem.replaceAll("_", "."), unit: unit === "seconds" ? "s" : unit === "bytes" ? "By" : "1" };
}

/** @param from start of the counts, milliseconds since the epoch; `to`: now */
export async function* metricPieces(
  metrics: readonly ScrapedMetric[],
  resource: readonly Attribute[],
  version: string,
  { from, to }: { readonly from: number; readonly to: number },
): AsyncGenerator<Buffer> {
  const writer = new ProtobufWriter();
  for (const metric of metrics) {
    const samples = points(metric);
    let more = true;
    while (more) {
      const whole = writer.open(1);
      writeResource(writer, resource);
      const scope = writer.open(2);
      writeScope(writer, version);
      const written = await writePiece(writer, metric, samples, from, to);
      writer.close(scope);
      writer.close(whole);
      const bytes = writer.take();
      if (written.points > 0) yield bytes;
      ({ more } = written);
    }
  }
}

/** One Metric with as many points as a piece takes. */
async function writePiece(
  writer: ProtobufWriter,
  metric: ScrapedMetric,
  samples: Iterator<readonly Sample[]>,
  from: number,
  to: number,
): Promise<{ readonly points: number; readonly more: boolean }> {
  const { name, unit } = otelName(metric);
  const at = writer.open(2);
  writer.text(1, name);
  writer.text(2, metric.help);
  writer.text(3, unit);
  const data = writer.open(metric.type === "gauge" ? 5 : metric.type === "counter" ? 7 : 9);
  if (metric.type !== "gauge") writer.uint(2, CUMULATIVE);
  if (metric.type === "counter") writer.uint(3, 1);
  let points = 0;
  let more = true;
  let turned = writer.length;
  while (writer.length < PIECE) {
    const next = samples.next();
    if (next.done === true) {
      more = false;
      break;
    }
    writePoint(writer, metric, next.value, from, to);
    points++;
    if (writer.length - turned < TURN) continue;
    await turn();
    turned = writer.length;
  }
  writer.close(data);
  writer.close(at);
  return { points, more };
}

/** Samples by point: one each, and of a histogram all with the same labels. */
function* points(metric: ScrapedMetric): Iterator<readonly Sample[]> {
  let group: Sample[] = [];
  for (const sample of metric.samples()) {
    group.push(sample);
    if (metric.type === "histogram" && !(sample.metricName ?? "").endsWith("_count")) continue;
    yield group;
    group = [];
  }
}

function writePoint(
  writer: ProtobufWriter,
  { type }: ScrapedMetric,
  samples: readonly Sample[],
  from: number,
  to: number,
): void {
  const last = samples.at(-1);
  if (last === undefined) return;
  const at = writer.open(1);
  if (type !== "gauge") writer.time(2, from);
  writer.time(3, to);
  for (const label in last.labels) {
    writer.known(type === "histogram" ? 9 : 7, label, String(last.labels[label] ?? ""));
  }
  if (type === "histogram") writeBuckets(writer, samples, Number(last.value));
  else writer.double(4, Number(last.value));
  writer.close(at);
}

function writeBuckets(writer: ProtobufWriter, samples: readonly Sample[], count: number): void {
  const buckets = samples.filter(({ metricName = "" }) => metricName.endsWith("_bucket"));
  const sum = samples.find(({ metricName = "" }) => metricName.endsWith("_sum"));
  writer.fixed64(4, BigInt(count));
  writer.double(5, Number(sum?.value ?? 0));
  const cumulative = buckets.map(({ value }) => Number(value));
  writer.packed(
    6,
    cumulative.map((value, index) => value - (cumulative[index - 1] ?? 0)),
    "fixed64",
  );
  writer.packed(
    7,
    buckets.slice(0, -1).map(({ labels }) => Number(labels["le"])),
    "double",
  );
}
