// Request metrics. In: finished records, opened and closed streams. Out: Prometheus series, made only when they are scraped.
import type { Registry } from "prom-client";
import { KEY_FAULTS, type KeyFault } from "../request/authenticate.ts";
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

/** Reasons that lie with a key that was in force. */
const KEY_REASONS = ["KeyRevoked", "AgentNotGranted", "OperationNotGranted"] as const satisfies FailureReason[];
type KeyRefusal = KeyFault | (typeof KEY_REASONS)[number];

/**
 * Counting is a few additions; label values come from the table and from fixed lists only.
 *
 * @param deps.labels those that are shown; what differs only in others is counted together
 */
export function createRequestMetrics(deps: {
  registry: Registry;
  table: Pick<Table, "agentByName" | "servesKey" | "onChange">;
  now: () => number;
  labels?: ReadonlySet<MetricsLabel>;
}): RequestMetrics {
  const { registry, table, now, labels = ALL_METRICS_LABELS } = deps;
  const store = createSeriesStore({ table, now, labels });
  const reasons = new Map<FailureReason, number>(FAILURE_REASONS.map((reason) => [reason, 0]));
  const keyRefusals = new Map<KeyRefusal, number>([...KEY_FAULTS, ...KEY_REASONS].map((reason) => [reason, 0]));
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
    name: "parley_key_refusals_total",
    help: "Requests refused for their key or its grants, by why.",
    type: "counter",
    *samples() {
      for (const [reason, value] of keyRefusals) yield { labels: { reason }, value };
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
      if (record.reason === undefined) return;
      refused(record.reason);
      const refusal = record.keyFault ?? KEY_REASONS.find((reason) => reason === record.reason);
      if (refusal !== undefined) keyRefusals.set(refusal, (keyRefusals.get(refusal) ?? 0) + 1);
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
