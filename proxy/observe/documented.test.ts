import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { describe, expect, onTestFinished, test } from "vitest";
import { tableOf } from "../request/table.test-support.ts";
import { logLine } from "./log-line.ts";
import { createRequestMetrics } from "./metrics.ts";
import { createOtlp } from "./otlp/export.ts";
import * as names from "./otlp/names.ts";
import { keepRequests } from "./request-log/keep.ts";
import { recordOf } from "./record.test-support.ts";
import { registerTableMetrics } from "./table-metrics.ts";

const NOTHING = { traces: undefined, logs: undefined, metrics: undefined, resource: [] };
const page = readFileSync(new URL("../../docs/observability.md", import.meta.url), "utf8");

describe("docs/observability.md", () => {
  test("names every metric with its type, and none that is not there", async () => {
    const registry = new Registry();
    const table = tableOf();
    createRequestMetrics({ registry, table, now: () => 0 });
    await createOtlp({
      settings: { ...NOTHING, logs: { protocol: "http/protobuf", limits: { queue: 1, batch: 1, delay: 1 } } },
      registry,
      version: "1",
      clock: { now: () => 0, setTimeout: () => ({ cancel: () => undefined }) },
      log: { warn: () => undefined },
    });
    const folder = mkdtempSync(join(tmpdir(), "parley-documented-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const kept = await keepRequests({
      options: { file: join(folder, "requests.db"), maxAge: 1, maxBytes: 1 },
      registry,
      clock: { now: () => 0, setTimeout: () => undefined },
      log: { error: () => undefined },
    });
    await kept.close();
    registerTableMetrics({ registry, table, droppedLogLines: () => 0, now: () => 0 });
    const metrics = registry.getMetricsAsArray() as unknown as { name: string; type: string }[];
    const documented = [...page.matchAll(/^\| `(parley_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => ({ name, type }));
    expect(new Set(documented)).toEqual(new Set(metrics.map(({ name, type }) => ({ name, type }))));
  });

  test("names every field of a line", () => {
    const full = recordOf({
      method: "ext/get",
      streaming: true,
      reason: "Unauthenticated",
      keyFault: "Expired",
      rpcCode: -32001,
      usage: new Map([["inputTokens", "1"]]),
      requestContent: "",
      responseContent: "",
    });
    const fields = Object.keys(JSON.parse(logLine(full)) as object);
    expect(fields).toHaveLength(34);
    for (const field of fields) expect(page).toContain(`\`${field}\``);
  });

  test("names every attribute of spans and log records", () => {
    const general = new Set([names.SCOPE, names.SERVICE_NAME, names.SERVICE_VERSION, names.SERVICE_INSTANCE_ID]);
    const missing = Object.values(names).filter((name) => !general.has(name) && !page.includes(`\`${name}\``));
    expect(missing).toEqual([]);
  });
});
