// The registry as Prometheus text. In: a registry. Out: pieces of text, with turns of the event loop between them, since some
// thousand agents have a hundred thousand series, and requests must not wait for them.
import { setImmediate as turn } from "node:timers/promises";
import type { Registry } from "prom-client";
import type { Sample, ScrapedMetric } from "./scraped.ts";

/** Characters made in one turn: well under a millisecond. */
const PIECE = 32 * 1024;

export const OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** Whether a scraper asks for OpenMetrics, as Prometheus does. */
export const asksForOpenMetrics = (accept: string | undefined): boolean =>
  accept !== undefined && /application\/openmetrics-text/i.test(accept);

/**
 * The text exposition format 0.0.4, or OpenMetrics 1.0, which alone has exemplars. Metrics of scraped.ts are written sample by sample, all
 * others by prom-client.
 */
export async function* exposition(registry: Registry, openMetrics = false): AsyncGenerator<string> {
  let piece = "";
  for (const metric of registry.getMetricsAsArray() as readonly (ScrapedMetric | { readonly name: string })[]) {
    if (!("samples" in metric)) {
      const text = await registry.getSingleMetricAsString(metric.name);
      piece += `${openMetrics ? familyOf(text) : text}\n`;
      continue;
    }
    const head = `# HELP ${metric.name} ${metric.help}\n# TYPE ${metric.name} ${metric.type}\n`;
    piece += openMetrics ? familyOf(head) : head;
    for (const sample of metric.samples()) {
      piece += sampleLine(metric.name, sample, openMetrics);
      if (piece.length < PIECE) continue;
      yield piece;
      piece = "";
      await turn();
    }
  }
  yield openMetrics ? `${piece}# EOF\n` : piece;
}

/** In OpenMetrics a counter's family has no `_total`, and there are no empty lines. */
function familyOf(text: string): string {
  const isCounter = / counter$/m.test(text);
  return isCounter ? text.replaceAll(/^(# (?:HELP|TYPE) \S+)_total /gm, "$1 ") : text;
}

function sampleLine(
  name: string,
  { labels, value, metricName = name, exemplar }: Sample,
  openMetrics: boolean,
): string {
  let text = "";
  for (const label in labels) text += `${text === "" ? "" : ","}${label}="${escapeLabel(labels[label] ?? "")}"`;
  const line = `${text === "" ? metricName : `${metricName}{${text}}`} ${typeof value === "string" ? value : numeral(value)}`;
  return openMetrics && exemplar !== undefined
    ? `${line} # {trace_id="${exemplar.traceId}"} ${numeral(exemplar.value)} ${exemplar.time / 1000}\n`
    : `${line}\n`;
}

function escapeLabel(value: string | number): string {
  if (typeof value === "number" || /^[^\\"\n]*$/.test(value)) return String(value);
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function numeral(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
