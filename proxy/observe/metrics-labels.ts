// Labels that can be left out of the request metrics. In: nothing. Out: their names. Each multiplies how many series there are.

export const METRICS_LABELS = ["agent", "operation", "backend", "key", "team"] as const;
export type MetricsLabel = (typeof METRICS_LABELS)[number];
export const ALL_METRICS_LABELS: ReadonlySet<MetricsLabel> = new Set(METRICS_LABELS);
