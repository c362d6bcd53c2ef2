// Metrics by agent. In: their numbers. Out: series, made only when they are scraped.
import type { Registry } from "prom-client";
import type { MetricsLabel } from "./metrics-labels.ts";
import { type Sample, type ScrapedMetric, histogramSamples, registerScraped } from "./scraped.ts";
import { type AgentSeries, OUTCOMES, SECONDS, type SeriesStore } from "./series.ts";

type Labels = Readonly<Record<string, string>>;

/** Leaves out what is not shown. */
export const shown = (labels: ReadonlySet<MetricsLabel>, name: MetricsLabel, value: string): Labels =>
  labels.has(name) ? { [name]: value } : {};

export function registerAgentMetrics(registry: Registry, store: SeriesStore, labels: ReadonlySet<MetricsLabel>): void {
  const each = (
    name: string,
    type: ScrapedMetric["type"],
    help: string,
    samples: (series: AgentSeries, agent: Labels) => Iterable<Sample>,
  ): void =>
    registerScraped(registry, {
      name,
      help,
      type,
      *samples() {
        for (const [agent, series] of store.agents.all()) yield* samples(series, shown(labels, "agent", agent));
      },
    });

  each(
    "parley_requests_total",
    "counter",
    "Finished requests by agent, operation and outcome.",
    function* ({ operations }, agent) {
      for (const [operation, { outcomes }] of operations) {
        yield* byOutcome(outcomes, { ...agent, ...shown(labels, "operation", operation) });
      }
    },
  );
  for (const [name, part, help] of [
    ["parley_request_duration_seconds", "duration", "From the request's head to the last byte of its answer."],
    ["parley_first_byte_seconds", "firstByte", "From the request's head to the first byte of its answer's body."],
  ] as const) {
    each(name, "histogram", help, function* ({ operations }, agent) {
      for (const [operation, series] of operations) {
        yield* histogramSamples(name, { ...agent, ...shown(labels, "operation", operation) }, series[part], SECONDS);
      }
    });
  }
  for (const [name, part, help] of [
    ["parley_first_event_seconds", "firstEvent", "From the request's head to the end of its stream's first event."],
    ["parley_stream_duration_seconds", "duration", "From a streaming request's head to the end of its stream."],
  ] as const) {
    each(name, "histogram", help, function* ({ streams }, agent) {
      if (streams !== undefined) yield* histogramSamples(name, agent, streams[part], SECONDS);
    });
  }
  each("parley_open_streams", "gauge", "Event streams open now.", function* ({ openStreams }, agent) {
    yield { labels: agent, value: openStreams };
  });
  each("parley_stream_events_total", "counter", "Events relayed on finished streams.", function* ({ events }, agent) {
    yield { labels: agent, value: events };
  });
  each(
    "parley_task_states_total",
    "counter",
    "Finished requests by the last task state that they showed.",
    function* ({ states }, agent) {
      for (const [state, value] of states) yield { labels: { ...agent, state }, value };
    },
  );
  each("parley_rpc_errors_total", "counter", "JSON-RPC errors answered, by code.", function* ({ rpcErrors }, agent) {
    for (const [code, value] of rpcErrors) yield { labels: { ...agent, code }, value };
  });
  each(
    "parley_cost_total",
    "counter",
    "What requests cost, in the gateway's currency, by agent and team.",
    function* ({ costByTeam }, agent) {
      for (const [team, cost] of costByTeam) {
        yield { labels: { ...agent, ...shown(labels, "team", team) }, value: cost.text() };
      }
    },
  );
  each(
    "parley_backend_requests_total",
    "counter",
    "Finished requests by the backend that was tried last, by outcome.",
    function* ({ backends }, agent) {
      for (const [backend, outcomes] of backends) {
        yield* byOutcome(outcomes, { ...agent, ...shown(labels, "backend", backend) });
      }
    },
  );
}

export function* byOutcome(outcomes: readonly number[], labels: Labels): Iterable<Sample> {
  for (const [index, outcome] of OUTCOMES.entries()) {
    const value = outcomes[index] ?? 0;
    if (value > 0) yield { labels: { ...labels, outcome }, value };
  }
}
