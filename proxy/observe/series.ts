// Per-agent numbers behind the request metrics. In: finished records. Out: plain counters, kept while the agent is in the table
// and a while longer, so that their number is bounded by the table and not by what clients send.
import type { Table } from "../table/compiled.ts";
import type { FinishedRequest, Outcome } from "./record.ts";
import { type Histogram, createHistogram, observe } from "./scraped.ts";

/** Seconds. Wide, since agents answer in anything from milliseconds to minutes; few, since each is a series. */
export const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600] as const;
export const OUTCOMES = [
  "ok",
  "agent_error",
  "refused",
  "upstream_error",
  "client_closed",
] as const satisfies Outcome[];
const outcomeIndex: Readonly<Record<Outcome, number>> = {
  ok: 0,
  agent_error: 1,
  refused: 2,
  upstream_error: 3,
  client_closed: 4,
};

/** How long the series of an agent that left the table are shown, so that its last scrape is not lost. Milliseconds. */
export const KEEP_GONE = 10 * 60_000;
/** No more agents than this that left the table are kept; the oldest go first. */
export const MAX_GONE = 1000;
/** Operations and backends come from fixed lists and from the row; a caller's mistake ends here. */
const MAX_LABELS = 64;

export interface OperationSeries {
  /** By index in OUTCOMES. */
  readonly outcomes: number[];
  readonly duration: Histogram;
  readonly firstByte: Histogram;
}

export interface AgentSeries {
  readonly operations: Map<string, OperationSeries>;
  /** By backend name, then by index in OUTCOMES. */
  readonly backends: Map<string, number[]>;
  openStreams: number;
  events: number;
  /** When it was first seen not to be in the table. */
  goneSince: number | undefined;
}

export interface SeriesStore {
  finished(record: FinishedRequest): void;
  /** The agent's numbers, made if need be. "" stands for requests that named no agent of the table. */
  of(agent: string): AgentSeries;
  /** All agents' numbers, after old ones were dropped. */
  all(): Iterable<readonly [agent: string, series: AgentSeries]>;
}

const zeros = (): number[] => OUTCOMES.map(() => 0);

export function createSeriesStore(table: Pick<Table, "agentByName" | "onChange">, now: () => number): SeriesStore {
  const agents = new Map<string, AgentSeries>();

  const inTable = (agent: string): boolean => {
    if (agent === "") return true;
    const slash = agent.indexOf("/");
    return table.agentByName(agent.slice(0, slash), agent.slice(slash + 1)) !== undefined;
  };

  function of(agent: string): AgentSeries {
    let series = agents.get(agent);
    if (series === undefined) {
      const goneSince = inTable(agent) ? undefined : now();
      series = { operations: new Map(), backends: new Map(), openStreams: 0, events: 0, goneSince };
      agents.set(agent, series);
    }
    return series;
  }

  function prune(): void {
    let gone = 0;
    for (const series of agents.values()) if (series.goneSince !== undefined) gone++;
    for (const [agent, series] of agents) {
      if (series.goneSince === undefined || series.openStreams > 0) continue;
      if (gone <= MAX_GONE && now() - series.goneSince < KEEP_GONE) continue;
      agents.delete(agent);
      gone--;
    }
  }

  function review(agent: string, series: AgentSeries): void {
    series.goneSince = inTable(agent) ? undefined : (series.goneSince ?? now());
  }

  table.onChange(({ ids, reset }) => {
    if (reset) for (const [agent, series] of agents) review(agent, series);
    else {
      let touched = false;
      for (const id of ids) {
        if (!id.startsWith("agent/")) continue;
        const agent = id.slice("agent/".length);
        const series = agents.get(agent);
        if (series === undefined) continue;
        review(agent, series);
        touched = true;
      }
      if (!touched) return;
    }
    prune();
  });

  return {
    finished(record) {
      const series = of(record.agent ?? "");
      const outcome = outcomeIndex[record.outcome];
      let operation = series.operations.get(record.operation ?? "");
      if (operation === undefined) {
        if (series.operations.size >= MAX_LABELS) return;
        operation = { outcomes: zeros(), duration: createHistogram(SECONDS), firstByte: createHistogram(SECONDS) };
        series.operations.set(record.operation ?? "", operation);
      }
      operation.outcomes[outcome] = (operation.outcomes[outcome] ?? 0) + 1;
      observe(operation.duration, SECONDS, record.latency / 1000);
      // The gateway's own errors say nothing of how fast an agent answers.
      if (record.firstByte !== undefined && record.reason === undefined)
        observe(operation.firstByte, SECONDS, record.firstByte / 1000);
      series.events += record.events;
      if (record.backend === undefined) return;
      let backend = series.backends.get(record.backend);
      if (backend === undefined) {
        if (series.backends.size >= MAX_LABELS) return;
        backend = zeros();
        series.backends.set(record.backend, backend);
      }
      backend[outcome] = (backend[outcome] ?? 0) + 1;
    },
    of,
    all() {
      prune();
      return agents;
    },
  };
}
