// Request metrics. In: finished records, opened and closed streams. Out: Prometheus series, made only when they are scraped.
import type { Registry } from "prom-client";
import { FAILURE_REASONS, type FailureReason } from "../request/failure.ts";
import type { Table } from "../table/compiled.ts";
import type { FinishedRequest } from "./record.ts";
import { type Sample, histogramSamples, registerScraped } from "./scraped.ts";
import { OUTCOMES, SECONDS, createSeriesStore } from "./series.ts";

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

/** Counting is a few additions; label values come from the table and from fixed lists only. */
export function createRequestMetrics(deps: {
  registry: Registry;
  table: Pick<Table, "agentByName" | "onChange">;
  now: () => number;
}): RequestMetrics {
  const { registry, table, now } = deps;
  const store = createSeriesStore(table, now);
  const reasons = new Map<FailureReason, number>(FAILURE_REASONS.map((reason) => [reason, 0]));
  let buffered = 0;

  function refused(reason: FailureReason): void {
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }

  registerScraped(registry, {
    name: "parley_requests_total",
    help: "Finished requests by agent, operation and outcome.",
    type: "counter",
    *samples() {
      for (const [agent, { operations }] of store.all()) {
        for (const [operation, { outcomes }] of operations) {
          for (const [index, outcome] of OUTCOMES.entries()) {
            const value = outcomes[index] ?? 0;
            if (value > 0) yield { labels: { agent, operation, outcome }, value };
          }
        }
      }
    },
  });
  registerScraped(registry, {
    name: "parley_refusals_total",
    help: "Errors that the gateway itself answered with, by reason.",
    type: "counter",
    *samples() {
      for (const [reason, value] of reasons) yield { labels: { reason }, value };
    },
  });
  for (const [name, part, help] of [
    ["parley_request_duration_seconds", "duration", "From the request's head to the last byte of its answer."],
    ["parley_first_byte_seconds", "firstByte", "From the request's head to the first byte of its answer's body."],
  ] as const) {
    registerScraped(registry, {
      name,
      help,
      type: "histogram",
      *samples(): Iterable<Sample> {
        for (const [agent, { operations }] of store.all()) {
          for (const [operation, series] of operations) {
            yield* histogramSamples(name, { agent, operation }, series[part], SECONDS);
          }
        }
      },
    });
  }
  registerScraped(registry, {
    name: "parley_open_streams",
    help: "Event streams open now.",
    type: "gauge",
    *samples() {
      for (const [agent, { openStreams }] of store.all()) yield { labels: { agent }, value: openStreams };
    },
  });
  registerScraped(registry, {
    name: "parley_stream_events_total",
    help: "Events relayed on finished streams.",
    type: "counter",
    *samples() {
      for (const [agent, { events }] of store.all()) yield { labels: { agent }, value: events };
    },
  });
  registerScraped(registry, {
    name: "parley_backend_requests_total",
    help: "Finished requests by the backend that was tried last, by outcome.",
    type: "counter",
    *samples() {
      for (const [agent, { backends }] of store.all()) {
        for (const [backend, outcomes] of backends) {
          for (const [index, outcome] of OUTCOMES.entries()) {
            const value = outcomes[index] ?? 0;
            if (value > 0) yield { labels: { agent, backend, outcome }, value };
          }
        }
      }
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

  return {
    finished(record) {
      store.finished(record);
      if (record.reason !== undefined) refused(record.reason);
    },
    refused,
    streamOpened(agent) {
      store.of(agent).openStreams++;
    },
    streamClosed(agent) {
      store.of(agent).openStreams--;
    },
    setBuffered(bytes) {
      buffered = bytes;
    },
  };
}
