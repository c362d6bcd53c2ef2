import { readFileSync } from "node:fs";
import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { createOperatorMetrics } from "./metrics.ts";

interface Metric {
  readonly name: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

it("docs/observability.md names every metric with its type and labels, and none that is not there", () => {
  const page = readFileSync(new URL("../docs/observability.md", import.meta.url), "utf8");
  const registry = new Registry();
  createOperatorMetrics(registry, ["Secret"]).watch({
    objects: () => 0,
    rows: () => 0,
    subscribers: () => 0,
    lag: () => [],
    held: () => 0,
    synced: () => false,
    statusesWaiting: () => 0,
    version: () => "",
    claims: () => false,
  });
  const metrics = registry.getMetricsAsArray() as unknown as readonly Metric[];
  const documented = [...page.matchAll(/^\| (\w+) \| `(parley_operator_\w+)` \| ([^|]*)\|/gm)].map(
    ([, type, name, labels = ""]) => `${name} ${type} ${labels.trim()}`,
  );
  expect(documented.toSorted()).toEqual(
    metrics.map(({ name, type, labelNames }) => `${name} ${type} ${labelNames.join(", ")}`).toSorted(),
  );
});
