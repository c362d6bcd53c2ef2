// Metrics by key and team. In: their numbers. Out: series, made only when they are scraped.
import type { Registry } from "prom-client";
import { byOutcome, shown } from "./agent-metrics.ts";
import type { MetricsLabel } from "./metrics-labels.ts";
import { type Sample, registerScraped } from "./scraped.ts";
import type { CallerSeries, SeriesStore } from "./series.ts";

export function registerCallerMetrics(registry: Registry, store: SeriesStore, labels: ReadonlySet<MetricsLabel>): void {
  const each = (
    name: string,
    help: string,
    samples: (series: CallerSeries, caller: Readonly<Record<string, string>>) => Iterable<Sample>,
  ): void =>
    registerScraped(registry, {
      name,
      help,
      type: "counter",
      *samples() {
        for (const [key, teams] of store.keys.all()) {
          for (const [team, series] of teams) {
            yield* samples(series, { ...shown(labels, "key", key), ...shown(labels, "team", team) });
          }
        }
      },
    });

  each("parley_key_requests_total", "Finished requests by key, team and outcome.", ({ outcomes }, caller) =>
    byOutcome(outcomes, caller),
  );
  each(
    "parley_key_cost_total",
    "What requests cost, in the gateway's currency, by key and team.",
    function* ({ cost }, caller) {
      const value = cost.text();
      if (value !== "0") yield { labels: caller, value };
    },
  );
}
