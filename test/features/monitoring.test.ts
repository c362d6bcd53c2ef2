// Real Prometheus over real proxies and a real operator, under load with faults: every query of every dashboard gives data.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DASHBOARDS } from "../../dashboards/boards.ts";
import { post, sendBody, streamBody } from "../harness/calls.ts";
import { type Cluster, startCluster } from "../harness/cluster.ts";
import { NAMESPACE, agent, key, service } from "../harness/objects.ts";
import { eventually } from "../harness/processes.ts";
import { type Prometheus, startPrometheus } from "../harness/prometheus.ts";
import { type SmallAgent, startSmallAgent } from "../harness/telemetry.ts";

const TOKEN = "sk-monitoring-0123456789-0123456789-0123456789";
const root = join(import.meta.dirname, "../..");
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

let folder: string;
let cluster: Cluster;
let small: SmallAgent;
let prometheus: Prometheus;
const over = new AbortController();
let load: Promise<void>;

const task = { kind: "task", id: "t-1", contextId: "c-1", status: { state: "completed" } };
const result = (value: object): string => JSON.stringify({ jsonrpc: "2.0", id: "1", result: value });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "parley-monitoring-"));
  [cluster, small] = await Promise.all([
    startCluster({ proxies: 2 }),
    startSmallAgent((body, res) => {
      if (body.includes("message/stream")) {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.end(`data: ${result({ ...task, status: { state: "working" } })}\n\ndata: ${result(task)}\n\n`);
        return;
      }
      res.writeHead(200, { "content-type": "application/json" });
      const error = { jsonrpc: "2.0", id: "1", error: { code: -32603, message: "broken" } };
      res.end(body.includes("fail") ? JSON.stringify(error) : result(task));
    }, "10.98.1.1"),
  ]);
  await cluster.apply(
    ...service("hello", ["10.98.1.1"], small.port),
    agent("hello", {
      backends: [{ name: "pods", service: { name: "hello", port: "http" } }],
      pricing: { perRequest: "0.25" },
    }),
    ...key("caller", TOKEN, ["hello"]),
  );
  await cluster.condition({ kind: "A2AAgent", namespace: NAMESPACE, name: "hello" }, "Programmed", "True");
  await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name: "caller" }, "Programmed", "True");

  const hosts = (admin: readonly { readonly adminUrl: string }[]): string[] =>
    admin.map(({ adminUrl }) => new URL(adminUrl).host);
  prometheus = await startPrometheus(folder, {
    rules: [join(root, "dashboards/generated/rules.yaml")],
    scrapes: { proxy: hosts(cluster.proxies), operator: hosts(cluster.operators) },
  });
  load = makeLoad();
});
afterAll(async () => {
  over.abort();
  await load;
  await prometheus?.stop();
  await Promise.all([cluster?.stop(), small?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

/** Good calls, streams, errors of the agent, keys that are refused, and objects that change. */
async function makeLoad(): Promise<void> {
  for (let at = 0; !over.signal.aborted; at++) {
    const proxy = cluster.proxies[at % 2];
    const to = `${proxy?.url}/a2a/hello`;
    await post(to, TOKEN, sendBody("hello"));
    await post(to, TOKEN, sendBody("fail"));
    await post(to, TOKEN, streamBody("hello"));
    await post(to, "sk-wrong", sendBody("hello"));
    await fetch(to, {
      method: "POST",
      headers: {
        authorization: `Bearer ${TOKEN}`,
        "content-type": "application/json",
        traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
      },
      body: sendBody("hello"),
    });
    if (at % 5 === 0) await cluster.apply(...key(`caller-${at % 20}`, `${TOKEN}-${at}`, ["hello"]));
  }
}

test("every target is scraped", async () => {
  const up = await eventually("three targets are up", async () => {
    const found = await prometheus.ask("query", { query: "up == 1" });
    return found.length === 3 ? found : undefined;
  });
  expect(up.filter(({ metric }) => metric["job"] === "proxy")).toHaveLength(2);
});

test("every query of every dashboard gives data", async () => {
  const lines: string[] = [];
  for (const { title, rows } of DASHBOARDS) {
    for (const panel of rows.flat()) {
      for (const { expr } of panel.queries) {
        const query = expr
          .replaceAll("$__rate_interval", "10s")
          .replaceAll("$__range", "30s")
          .replaceAll(/\$(?:agent|team)/g, ".*");
        const found = await eventually(`${title}: ${panel.title}: ${query}`, async () => {
          const result = await prometheus.ask("query", { query });
          return result.some(({ value }) => Number.isFinite(Number(value[1]))) ? result : undefined;
        });
        const [first] = found;
        lines.push(
          `${title} | ${panel.title} | ${found.length} | ${JSON.stringify(first?.metric ?? {})} ${first?.value[1]}`,
        );
      }
    }
  }
  console.log(lines.join("\n"));
  expect(lines.length).toBeGreaterThan(40);
});

test("histograms have exemplars that lead to the client's trace", async () => {
  const found = await eventually("an exemplar", async () => {
    const now = Date.now() / 1000;
    const query = { query: "parley_request_duration_seconds_bucket", start: String(now - 300), end: String(now) };
    const exemplars = (await prometheus.ask("query_exemplars", query)) as unknown as {
      exemplars: { labels: object }[];
    }[];
    return exemplars.length > 0 ? exemplars : undefined;
  });
  expect(found[0]?.exemplars[0]?.labels).toEqual({ trace_id: TRACE });
});

test("recording rules give data, and the alert for a failing agent is on its way", async () => {
  for (const record of [
    "parley:request_failures:ratio_rate5m",
    "parley:first_byte:p95_5m",
    "parley:key_refusals:rate5m",
    "parley:requests:rate5m",
  ]) {
    await eventually(record, async () =>
      (await prometheus.ask("query", { query: record })).length > 0 ? true : undefined,
    );
  }
  const pending = await eventually("the alert is pending", async () => {
    const alerts = await prometheus.ask("query", { query: 'ALERTS{alertname="ParleyAgentFailingFast"}' });
    return alerts[0];
  });
  expect(pending.metric["agent"]).toBe("default/hello");
});
