// Recording rules and alerts. In: nothing. Out: groups as Prometheus reads them. Each alert has a page in docs/runbooks/.

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Rule[];
}

const RUNBOOKS = "docs/runbooks";
/** Of an agent's requests, the share that may fail: 1 %. Windows and factors as in the SRE workbook, chapter 5. */
const BUDGET = 0.01;
const WINDOWS = ["5m", "30m", "1h", "6h"] as const;

const failed = (window: string): string =>
  `sum by (agent) (rate(parley_requests_total{agent!="",outcome=~"agent_error|upstream_error"}[${window}]))`;
const all = (window: string): string => `sum by (agent) (rate(parley_requests_total{agent!=""}[${window}]))`;
const ratio = (window: string): string => `parley:request_failures:ratio_rate${window}`;

const DROPS = ["parley_log_dropped_total", "parley_otlp_dropped_total", "parley_request_log_dropped_total"] as const;

function alert(
  name: string,
  severity: "critical" | "warning",
  condition: { readonly expr: string; readonly for?: string },
  summary: string,
): Rule {
  return {
    alert: name,
    ...condition,
    labels: { severity },
    annotations: { summary, runbook: `${RUNBOOKS}/${name}.md` },
  };
}

export const RULES: readonly RuleGroup[] = [
  {
    name: "parley.records",
    rules: [
      ...WINDOWS.map((window) => ({ record: ratio(window), expr: `${failed(window)} / (${all(window)} > 0)` })),
      { record: "parley:requests:rate5m", expr: "sum by (agent, outcome) (rate(parley_requests_total[5m]))" },
      {
        record: "parley:first_byte:p95_5m",
        expr: "histogram_quantile(0.95, sum by (agent, le) (rate(parley_first_byte_seconds_bucket[5m])))",
      },
      {
        record: "parley:key_refusals:rate5m",
        expr: "sum by (reason) (rate(parley_key_refusals_total[5m]))",
      },
    ],
  },
  {
    name: "parley.alerts",
    rules: [
      alert(
        "ParleyAgentFailingFast",
        "critical",
        { expr: `${ratio("5m")} > ${14.4 * BUDGET} and ${ratio("1h")} > ${14.4 * BUDGET}`, for: "2m" },
        "{{ $value | humanizePercentage }} of the requests to {{ $labels.agent }} fail.",
      ),
      alert(
        "ParleyAgentFailingSlowly",
        "warning",
        { expr: `${ratio("30m")} > ${6 * BUDGET} and ${ratio("6h")} > ${6 * BUDGET}`, for: "15m" },
        "{{ $value | humanizePercentage }} of the requests to {{ $labels.agent }} fail, for hours.",
      ),
      alert(
        "ParleyAgentSlow",
        "warning",
        { expr: "parley:first_byte:p95_5m > 30", for: "10m" },
        "One in twenty answers of {{ $labels.agent }} begins after {{ $value | humanizeDuration }}.",
      ),
      alert(
        "ParleyNoEndpoints",
        "critical",
        { expr: 'sum(rate(parley_refusals_total{reason=~"NoEndpoints|NoBackends"}[5m])) > 0', for: "2m" },
        "Requests are refused because an agent has no ready endpoint.",
      ),
      alert(
        "ParleyTableBehind",
        "critical",
        { expr: "parley_table_age_seconds > 30 or parley_table_complete == 0", for: "1m" },
        "Proxy {{ $labels.instance }} serves a table that no operator has confirmed for 30 s, or none.",
      ),
      alert(
        "ParleyTablesDiffer",
        "warning",
        { expr: 'count(count_values by (job) ("version", parley_table_version)) by (job) > 1', for: "5m" },
        "Proxies have served {{ $value }} different tables for five minutes.",
      ),
      alert(
        "ParleyRowsRefused",
        "warning",
        { expr: "parley_table_refused_rows > 0", for: "5m" },
        "Proxy {{ $labels.instance }} does not serve {{ $value }} rows as they were sent.",
      ),
      alert(
        "ParleyOperatorWithoutLeader",
        "critical",
        { expr: "max(parley_operator_leader) < 1 or absent(parley_operator_leader)", for: "1m" },
        "No operator holds the Lease: statuses are not written.",
      ),
      alert(
        "ParleyStatusWritesFail",
        "warning",
        { expr: 'sum(rate(parley_operator_status_writes_total{result=~"Refused|Unavailable"}[5m])) > 0', for: "10m" },
        "Statuses cannot be written.",
      ),
      alert(
        "ParleyKeyRefusals",
        "warning",
        {
          expr: "sum(parley:key_refusals:rate5m) > 1 and sum(parley:key_refusals:rate5m) > 5 * sum(avg_over_time(parley:key_refusals:rate5m[1h] offset 10m))",
          for: "2m",
        },
        "{{ $value | humanize }} requests a second are refused for their key, five times as many as in the hour before.",
      ),
      alert(
        "ParleyRecordsDropped",
        "warning",
        {
          expr: DROPS.map((metric) => `sum by (instance) (increase(${metric}[5m])) > 0`).join(" or "),
          for: "1m",
        },
        "{{ $labels.instance }} lost {{ $value }} log lines or records in five minutes.",
      ),
    ],
  },
];
