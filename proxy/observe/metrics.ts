// Request metrics. In: finished records, opened and closed streams. Out: Prometheus series, made only when they are scraped.
import type { Registry } from "prom-client";
import { FAILURE_REASONS, type FailureReason } from "../request/failure.ts";
import type { Table } from "../table/compiled.ts";
import type { FinishedRequest } from "./record.ts";
import { registerAgentMetrics } from "./agent-metrics.ts";
import { registerCallerMetrics } from "./caller-metrics.ts";
import { ALL_METRICS_LABELS, type MetricsLabel } from "./metrics-labels.ts";
import { registerScraped } from "./scraped.ts";
import { createSeriesStore } from "./series.ts";

export interface RequestMetrics {
  finished(record: FinishedRequest): void;
  /** A refusal that never became a request, as garbage in place of a request head: counted by reason alone. */
  refused(reason: FailureReason): void;
  /** `agent` is `{namespace}/{name}`. */
  streamOpened(agent: string): void;
  streamClosed(agent: string): void;
  /** Bytes of request bodies held now, in all. */
  setBuffered(bytes: number): void;
}

/**
 * Counting is a few additions; label values come from the table and from fixed lists only.
 *
 * @param deps.labels those that are shown; what differs only in others is counted together
 */
export function createRequestMetrics(deps: {
  registry: Registry;
  table: Pick<Table, "agentByName" | "keyById" | "onChange">;
  now: () => number;
  labels?: ReadonlySet<MetricsLabel>;
}): RequestMetrics {
  const { registry, table, now, labels = ALL_METRICS_LABELS } = deps;
  const store = createSeriesStore({ table, now, labels });
  const reasons = new Map<FailureReason, number>(FAILURE_REASONS.map((reason) => [reason, 0]));
  let buffered = 0;

  function refused(reason: FailureReason): void {
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }

  registerAgentMetrics(registry, store, labels);
  if (labels.has("key") || labels.has("team")) registerCallerMetrics(registry, store, labels);
  registerScraped(registry, {
    name: "parley_refusals_total",
    help: "Errors that the gateway itself answered with, by reason.",
    type: "counter",
    *samples() {
      for (const [reason, value] of reasons) yield { labels: { reason }, value };
    },
  });
  registerScraped(registry, {
    name: "parley_request_buffer_bytes",
    help: "Bytes of request bodies held now.",
    type: "gauge",
    *samples() {
      yield { labels: {}, value: buffered };
    },
  });
  const agentOf = (agent: string): string => (labels.has("agent") ? agent : "");

  return {
    finished(record) {
      store.finished(record);
      if (record.reason !== undefined) refused(record.reason);
    },
    refused,
    streamOpened(agent) {
      store.agents.of(agentOf(agent)).openStreams++;
    },
    streamClosed(agent) {
      store.agents.of(agentOf(agent)).openStreams--;
    },
    setBuffered(bytes) {
      buffered = bytes;
    },
  };
}
