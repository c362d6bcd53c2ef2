// The dashboards. In: nothing. Out: overview, agent, cost, control plane.
import type { Dashboard } from "./panels.ts";

const AGENT = 'agent=~"$agent"';
const rate = (metric: string, by: string, filter = ""): string =>
  `sum by (${by}) (rate(${metric}{${filter}}[$__rate_interval]))`;
const quantile = (q: number, metric: string, filter = ""): string =>
  `histogram_quantile(${q}, ${rate(`${metric}_bucket`, "le", filter)})`;
const quantiles = (metric: string, filter = ""): { expr: string; legend: string }[] =>
  [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, metric, filter), legend: `p${q * 100}` }));
const spent = (metric: string, by: string): string => `sum by (${by}) (increase(${metric}[$__range]))`;

const overview: Dashboard = {
  uid: "parley-overview",
  title: "Parley / Overview",
  variables: [],
  rows: [
    [
      {
        title: "Requests",
        kind: "stat",
        unit: "reqps",
        queries: [{ expr: "sum(rate(parley_requests_total[$__rate_interval]))" }],
      },
      {
        title: "Failed",
        kind: "stat",
        unit: "percentunit",
        queries: [
          {
            expr: 'sum(rate(parley_requests_total{outcome=~"agent_error|upstream_error"}[$__rate_interval])) / sum(rate(parley_requests_total[$__rate_interval]))',
          },
        ],
      },
      { title: "Open streams", kind: "stat", queries: [{ expr: "sum(parley_open_streams)" }] },
      { title: "Proxies ready", kind: "stat", queries: [{ expr: "sum(parley_table_complete)" }] },
    ],
    [
      {
        title: "Requests by outcome",
        unit: "reqps",
        queries: [{ expr: rate("parley_requests_total", "outcome"), legend: "{{outcome}}" }],
      },
      {
        title: "Refusals by reason",
        unit: "reqps",
        queries: [{ expr: `${rate("parley_refusals_total", "reason")} > 0`, legend: "{{reason}}" }],
      },
      {
        title: "Keys refused, by why",
        unit: "reqps",
        queries: [{ expr: `${rate("parley_key_refusals_total", "reason")} > 0`, legend: "{{reason}}" }],
      },
    ],
    [
      { title: "Time to first byte", unit: "s", queries: quantiles("parley_first_byte_seconds") },
      { title: "Time to first event of a stream", unit: "s", queries: quantiles("parley_first_event_seconds") },
    ],
    [
      {
        title: "Busiest agents",
        unit: "reqps",
        queries: [{ expr: `topk(10, ${rate("parley_requests_total", "agent")})`, legend: "{{agent}}" }],
      },
      {
        title: "Buffered request bodies",
        unit: "bytes",
        queries: [{ expr: "sum by (instance) (parley_request_buffer_bytes)", legend: "{{instance}}" }],
      },
    ],
    [
      {
        title: "CPU",
        queries: [{ expr: "rate(process_cpu_seconds_total[$__rate_interval])", legend: "{{instance}}" }],
      },
      {
        title: "Memory",
        unit: "bytes",
        queries: [{ expr: "process_resident_memory_bytes", legend: "{{instance}}" }],
      },
      {
        title: "Lines dropped",
        queries: [
          { expr: "sum by (instance) (increase(parley_log_dropped_total[$__rate_interval]))", legend: "{{instance}}" },
        ],
      },
    ],
  ],
};

const agent: Dashboard = {
  uid: "parley-agent",
  title: "Parley / Agent",
  variables: [{ name: "agent", metric: "parley_requests_total" }],
  rows: [
    [
      {
        title: "Requests by operation",
        unit: "reqps",
        queries: [{ expr: rate("parley_requests_total", "operation", AGENT), legend: "{{operation}}" }],
      },
      {
        title: "Requests by outcome",
        unit: "reqps",
        queries: [{ expr: rate("parley_requests_total", "outcome", AGENT), legend: "{{outcome}}" }],
      },
    ],
    [
      { title: "Duration", unit: "s", queries: quantiles("parley_request_duration_seconds", AGENT) },
      { title: "Time to first byte", unit: "s", queries: quantiles("parley_first_byte_seconds", AGENT) },
    ],
    [
      {
        title: "Open streams",
        queries: [{ expr: `sum by (agent) (parley_open_streams{${AGENT}})`, legend: "{{agent}}" }],
      },
      { title: "Stream duration", unit: "s", queries: quantiles("parley_stream_duration_seconds", AGENT) },
      { title: "Events", queries: [{ expr: rate("parley_stream_events_total", "agent", AGENT), legend: "{{agent}}" }] },
    ],
    [
      {
        title: "Task states",
        queries: [{ expr: rate("parley_task_states_total", "state", AGENT), legend: "{{state}}" }],
      },
      {
        title: "JSON-RPC errors",
        queries: [{ expr: rate("parley_rpc_errors_total", "code", AGENT), legend: "{{code}}" }],
      },
      {
        title: "Requests by backend",
        unit: "reqps",
        queries: [{ expr: rate("parley_backend_requests_total", "backend", AGENT), legend: "{{backend}}" }],
      },
    ],
  ],
};

const cost: Dashboard = {
  uid: "parley-cost",
  title: "Parley / Cost by agent, key and team",
  variables: [{ name: "team", metric: "parley_key_requests_total" }],
  rows: [
    [
      { title: "Cost in this time", kind: "stat", queries: [{ expr: "sum(increase(parley_cost_total[$__range]))" }] },
      {
        title: "Cost an hour",
        queries: [{ expr: `3600 * ${rate("parley_cost_total", "team", 'team=~"$team"')}`, legend: "{{team}}" }],
      },
    ],
    [
      { title: "By agent", kind: "table", queries: [{ expr: spent("parley_cost_total", "agent") }] },
      { title: "By key", kind: "table", queries: [{ expr: spent("parley_key_cost_total", "key") }] },
      { title: "By team", kind: "table", queries: [{ expr: spent("parley_key_cost_total", "team") }] },
    ],
    [
      {
        title: "Requests by team",
        unit: "reqps",
        queries: [{ expr: rate("parley_key_requests_total", "team", 'team=~"$team"'), legend: "{{team}}" }],
      },
      {
        title: "Requests by key",
        unit: "reqps",
        queries: [
          { expr: `topk(20, ${rate("parley_key_requests_total", "key", 'team=~"$team"')})`, legend: "{{key}}" },
        ],
      },
    ],
  ],
};

const controlPlane: Dashboard = {
  uid: "parley-control-plane",
  title: "Parley / Control plane",
  variables: [],
  rows: [
    [
      { title: "Operators that lead", kind: "stat", queries: [{ expr: "sum(parley_operator_leader)" }] },
      {
        title: "Proxies with a stream",
        kind: "stat",
        queries: [{ expr: "max(sum by (instance) (parley_operator_stream_subscribers))" }],
      },
      {
        title: "Different tables",
        kind: "stat",
        queries: [{ expr: 'count(count_values("version", parley_table_version))' }],
      },
      { title: "Rows refused", kind: "stat", queries: [{ expr: "sum(parley_table_refused_rows)" }] },
    ],
    [
      { title: "Objects", queries: [{ expr: "max by (kind) (parley_operator_objects)", legend: "{{kind}}" }] },
      { title: "Table age", unit: "s", queries: [{ expr: "parley_table_age_seconds", legend: "{{instance}}" }] },
      {
        title: "Publish lag",
        queries: [{ expr: "max by (proxy) (parley_operator_publish_lag)", legend: "{{proxy}}" }],
      },
    ],
    [
      { title: "Translation", unit: "s", queries: quantiles("parley_operator_translate_seconds") },
      { title: "From change to acknowledgement", unit: "s", queries: quantiles("parley_operator_publish_ack_seconds") },
      {
        title: "Status writes",
        queries: [{ expr: rate("parley_operator_status_writes_total", "result"), legend: "{{result}}" }],
      },
    ],
    [
      { title: "Lists read", queries: [{ expr: rate("parley_operator_relists_total", "kind"), legend: "{{kind}}" }] },
      {
        title: "Batches",
        queries: [{ expr: rate("parley_operator_batches_total", "instance"), legend: "{{instance}}" }],
      },
      {
        title: "Switches and reconnects",
        queries: [
          { expr: rate("parley_table_switches_total", "instance"), legend: "switches {{instance}}" },
          { expr: rate("parley_table_reconnects_total", "instance"), legend: "reconnects {{instance}}" },
        ],
      },
    ],
  ],
};

export const DASHBOARDS: readonly Dashboard[] = [overview, agent, cost, controlPlane];
