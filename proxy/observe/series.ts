// The numbers behind the request metrics. In: finished records. Out: plain counters by agent and by key.
import type { Table } from "../table/compiled.ts";
import { type DecimalSum, createDecimalSum } from "./cost.ts";
import { type Kept, createKept } from "./kept.ts";
import type { MetricsLabel } from "./metrics-labels.ts";
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
/** Codes of JSON-RPC 2.0 and of A2A that have a label of their own; agents may answer with any. */
const RPC_CODES: ReadonlySet<number> = new Set([
  -32700, -32600, -32601, -32602, -32603, -32001, -32002, -32003, -32004, -32005, -32006, -32007, -32008, -32009,
]);
/** Operations, backends and teams come from fixed lists and from rows; whatever is more than this is counted together. */
const MAX_LABELS = 64;
const OTHER = "other";

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
  readonly states: Map<string, number>;
  /** By JSON-RPC code, or `other`. */
  readonly rpcErrors: Map<string, number>;
  readonly costByTeam: Map<string, DecimalSum>;
  /** Made with the first stream. */
  streams: { readonly firstEvent: Histogram; readonly duration: Histogram } | undefined;
  openStreams: number;
  events: number;
}

export interface CallerSeries {
  /** By index in OUTCOMES. */
  readonly outcomes: number[];
  readonly cost: DecimalSum;
}

export interface SeriesStore {
  finished(record: FinishedRequest): void;
  /** "" stands for requests that named no agent of the table. */
  readonly agents: Kept<AgentSeries>;
  /** By key, then by team. */
  readonly keys: Kept<Map<string, CallerSeries>>;
}

const zeros = (): number[] => OUTCOMES.map(() => 0);

export function createSeriesStore(deps: {
  table: Pick<Table, "agentByName" | "servesKey" | "onChange">;
  now: () => number;
  labels: ReadonlySet<MetricsLabel>;
}): SeriesStore {
  const { table, now, labels } = deps;
  const byOperation = labels.has("operation");
  const byBackend = labels.has("backend");
  const byTeam = labels.has("team");
  const byKey = labels.has("key");
  const agents = createKept<AgentSeries>({
    table,
    kind: "agent",
    now,
    inTable(agent) {
      const slash = agent.indexOf("/");
      return table.agentByName(agent.slice(0, slash), agent.slice(slash + 1)) !== undefined;
    },
    isBusy: ({ openStreams }) => openStreams > 0,
    make: () => ({
      operations: new Map(),
      backends: new Map(),
      states: new Map(),
      rpcErrors: new Map(),
      costByTeam: new Map(),
      streams: undefined,
      openStreams: 0,
      events: 0,
    }),
  });
  const keys = createKept<Map<string, CallerSeries>>({
    table,
    kind: "key",
    now,
    inTable: (key) => table.servesKey(`key/${key}`),
    isBusy: () => false,
    make: () => new Map(),
  });

  function countAgent(record: FinishedRequest, outcome: number): void {
    const series = agents.of(labels.has("agent") ? (record.agent ?? "") : "");
    const operation = member(series.operations, byOperation ? (record.operation ?? "") : "", () => ({
      outcomes: zeros(),
      duration: createHistogram(SECONDS),
      firstByte: createHistogram(SECONDS),
    }));
    const exemplar = record.sampled ? record : undefined;
    add(operation.outcomes, outcome);
    observe(operation.duration, SECONDS, record.latency / 1000, exemplar);
    // The gateway's own errors say nothing of how fast an agent answers.
    if (record.firstByte !== undefined && record.reason === undefined)
      observe(operation.firstByte, SECONDS, record.firstByte / 1000, exemplar);
    series.events += record.events;
    if (record.streaming) {
      series.streams ??= { firstEvent: createHistogram(SECONDS), duration: createHistogram(SECONDS) };
      observe(series.streams.duration, SECONDS, record.latency / 1000, exemplar);
      if (record.firstEvent !== undefined)
        observe(series.streams.firstEvent, SECONDS, record.firstEvent / 1000, exemplar);
    }
    if (record.backend !== undefined) add(member(series.backends, byBackend ? record.backend : "", zeros), outcome);
    if (record.state !== undefined) series.states.set(record.state, (series.states.get(record.state) ?? 0) + 1);
    if (record.rpcCode !== undefined) {
      const code = RPC_CODES.has(record.rpcCode) ? String(record.rpcCode) : OTHER;
      series.rpcErrors.set(code, (series.rpcErrors.get(code) ?? 0) + 1);
    }
    if (record.cost !== undefined)
      member(series.costByTeam, byTeam ? (record.team ?? "") : "", createDecimalSum).add(record.cost);
  }

  function countCaller(record: FinishedRequest, outcome: number): void {
    if (!byKey && !byTeam) return;
    const teams = keys.of(byKey ? (record.key ?? "") : "");
    const series = member(teams, byTeam ? (record.team ?? "") : "", () => ({
      outcomes: zeros(),
      cost: createDecimalSum(),
    }));
    add(series.outcomes, outcome);
    if (record.cost !== undefined) series.cost.add(record.cost);
  }

  return {
    finished(record) {
      const outcome = outcomeIndex[record.outcome];
      countAgent(record, outcome);
      countCaller(record, outcome);
    },
    agents,
    keys,
  };
}

function add(counts: number[], index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}

function member<T>(members: Map<string, T>, name: string, make: () => T): T {
  const known = members.get(name);
  if (known !== undefined) return known;
  const used = members.size < MAX_LABELS - 1 ? name : OTHER;
  const made = members.get(used) ?? make();
  members.set(used, made);
  return made;
}
