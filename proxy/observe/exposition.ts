// The registry as Prometheus text. In: a registry. Out: pieces of text, with turns of the event loop between them, since some
// thousand agents have a hundred thousand series, and requests must not wait for them.
import { setImmediate as turn } from "node:timers/promises";
import type { Registry } from "prom-client";
import type { Sample, ScrapedMetric } from "./scraped.ts";

/** Characters made in one turn: well under a millisecond. */
const PIECE = 32 * 1024;

/** The text exposition format 0.0.4. Metrics of scraped.ts are written sample by sample, all others by prom-client. */
export async function* exposition(registry: Registry): AsyncGenerator<string> {
  let piece = "";
  for (const metric of registry.getMetricsAsArray() as readonly (ScrapedMetric | { readonly name: string })[]) {
    if (!("samples" in metric)) {
      piece += `${await registry.getSingleMetricAsString(metric.name)}\n`;
      continue;
    }
    piece += `# HELP ${metric.name} ${metric.help}\n# TYPE ${metric.name} ${metric.type}\n`;
    for (const sample of metric.samples()) {
      piece += sampleLine(metric.name, sample);
      if (piece.length < PIECE) continue;
      yield piece;
      piece = "";
      await turn();
    }
  }
  yield piece;
}

function sampleLine(name: string, { labels, value, metricName = name }: Sample): string {
  let text = "";
  for (const label in labels) text += `${text === "" ? "" : ","}${label}="${escapeLabel(labels[label] ?? "")}"`;
  return text === "" ? `${metricName} ${numeral(value)}\n` : `${metricName}{${text}} ${numeral(value)}\n`;
}

function escapeLabel(value: string | number): string {
  if (typeof value === "number" || /^[^\\"\n]*$/.test(value)) return String(value);
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function numeral(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
