// Ten thousand mixed requests: what the load did is what a real Prometheus, OTLP, the log and the request log say.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addDecimals } from "../../proxy/observe/cost.ts";
import { openForReading } from "../../proxy/observe/request-log/database.ts";
import { createRequestQueries } from "../../proxy/observe/request-log/queries.ts";
import { sendBody, streamBody } from "../harness/calls.ts";
import { eventually } from "../harness/processes.ts";
import { type Prometheus, startPrometheus } from "../harness/prometheus.ts";
import {
  type Collector,
  type Served,
  type SmallAgent,
  serveManifests,
  startCollector,
  startSmallAgent,
} from "../harness/telemetry.ts";

const REQUESTS = 10_000;
/** Milliseconds: a busy machine does a hundred requests a second. */
const SLOW = 120_000;
const AGENTS = ["one", "two", "three"] as const;
const KEYS = ["alice", "bob", "carol"] as const;
const teamOf = (key: string): string => (key === "carol" ? "blue" : "red");
const tokenOf = (key: string): string => `sk-${key}-0123456789012345678901234567890123456789`;
const priceOf = { one: "0.1", two: "0.003", three: "0" } as const;

interface Sum {
  requests: number;
  cost: string;
}
/** By `agent=…`, `key=…`, `team=…`, `outcome=…`; empty values stand for requests of nobody. */
type Sums = Map<string, Sum>;

function add(sums: Sums, labels: Readonly<Record<string, string>>, cost: string): void {
  for (const [name, value] of Object.entries(labels)) {
    const sum = sums.get(`${name}=${value}`) ?? { requests: 0, cost: "0" };
    sum.requests++;
    sum.cost = addDecimals(sum.cost, cost) ?? "";
    sums.set(`${name}=${value}`, sum);
  }
}
const shown = (sums: Sums): object => Object.fromEntries([...sums].toSorted(([a], [b]) => a.localeCompare(b)));

let folder: string;
let agent: SmallAgent;
let collector: Collector;
let served: Served;
let prometheus: Prometheus;
const file = (): string => join(folder, "requests.db");

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "parley-sums-"));
  const answer = (value: object): string => JSON.stringify({ jsonrpc: "2.0", id: "1", ...value });
  const task = {
    kind: "task",
    id: "t",
    contextId: "c",
    status: { state: "completed" },
    metadata: { usage: { input_tokens: 7 } },
  };
  agent = await startSmallAgent((body, res) => {
    if (body.includes("message/stream")) {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.end(`data: ${answer({ result: task })}\n\n`);
      return;
    }
    res.writeHead(200, { "content-type": "application/json" });
    res.end(answer(body.includes("fail") ? { error: { code: -32001, message: "no" } } : { result: task }));
  });
  collector = await startCollector(folder);
  const object = (value: object): string => `${JSON.stringify(value)}\n---\n`;
  const manifests = [
    ...AGENTS.map((name) => ({
      apiVersion: "parley.dev/v1alpha1",
      kind: "A2AAgent",
      metadata: { name },
      spec: {
        backends: [{ name: "main", url: `http://127.0.0.1:${agent.port}/` }],
        pricing: { perRequest: priceOf[name], usage: [{ unit: "inputTokens", price: "0.0000001" }] },
      },
    })),
    ...KEYS.flatMap((name) => [
      {
        apiVersion: "parley.dev/v1alpha1",
        kind: "VirtualKey",
        metadata: { name },
        spec: {
          secretRef: { name: `${name}-key`, key: "token" },
          owner: { team: teamOf(name) },
          agents: AGENTS.filter((one) => name !== "bob" || one !== "two").map((one) => ({ name: one })),
        },
      },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: `${name}-key`, labels: { "parley.dev/credential": "key" } },
        stringData: { token: tokenOf(name) },
      },
    ]),
  ];
  served = await serveManifests(folder, manifests.map(object).join(""), {
    args: [`--request-log=${file()}`],
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.grpc,
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_TRACES_SAMPLER: "always_off",
      OTEL_BLRP_MAX_QUEUE_SIZE: "20000",
      OTEL_BLRP_SCHEDULE_DELAY: "100",
    },
  });
  prometheus = await startPrometheus(folder, { scrapes: { gateway: [new URL(served.admin).host] } });
});
afterAll(async () => {
  await prometheus?.stop();
  await served?.stop();
  await Promise.all([collector?.stop(), agent?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

/** Makes one request, and says what became of it. */
async function one(at: number, sums: Sums): Promise<void> {
  const name = AGENTS[at % 3] ?? "one";
  const caller = KEYS[Math.floor(at / 3) % 3] ?? "alice";
  const kind = at % 7;
  const unknown = kind === 5;
  const body =
    kind === 1 ? sendBody("fail") : kind === 2 ? streamBody("hi") : kind === 3 ? '{"jsonrpc":' : sendBody("hi");
  const answer = await fetch(`${served.url}/a2a/${name}`, {
    method: "POST",
    headers: { authorization: `Bearer ${unknown ? "sk-wrong" : tokenOf(caller)}`, "content-type": "application/json" },
    body,
  });
  const text = await answer.text();
  const denied = !unknown && caller === "bob" && name === "two";
  const outcome = unknown || denied || kind === 3 ? "refused" : kind === 1 ? "agent_error" : "ok";
  if ((outcome === "ok") !== text.includes('"completed"'))
    throw new Error(`request ${at}: ${outcome}, but ${answer.status} ${text}`);
  const cost = outcome === "ok" ? (addDecimals(priceOf[name], "0.0000007") ?? "") : "0";
  add(
    sums,
    {
      // A caller without a key, or without a grant to a public card's agent, is the agent's only where it is known to exist.
      agent: unknown ? "" : `default/${name}`,
      key: unknown ? "" : `default/${caller}`,
      team: unknown ? "" : teamOf(caller),
      outcome,
    },
    cost,
  );
}

test("sums by agent, key, team, outcome and cost are the same everywhere", async () => {
  const did: Sums = new Map();
  let next = 0;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      while (next < REQUESTS) await one(next++, did);
    }),
  );

  // Asked of the gateway, which costs less than reading all that was said again and again.
  await eventually(
    "all is written, sent and kept",
    async () => {
      const sent = await served.metric("parley_otlp_sent_total", 'signal="logs"');
      return sent >= REQUESTS ? true : undefined;
    },
    SLOW,
    250,
  );
  const lines = await eventually(
    "every line is written",
    () => {
      const found = served
        .output()
        .split("\n")
        .filter((line) => line.includes('"msg":"request"') && !line.includes("GetAgentCard"));
      return found.length === REQUESTS ? found : undefined;
    },
    SLOW,
    1000,
  );
  const logged: Sums = new Map();
  for (const line of lines) {
    const {
      agent: name = "",
      key = "",
      team = "",
      outcome = "",
      cost = "0",
    } = JSON.parse(line) as Record<string, string>;
    add(logged, { agent: name, key, team, outcome }, cost);
  }
  expect(shown(logged)).toEqual(shown(did));

  const records = await eventually(
    "every log record is there",
    () => {
      const found = collector
        .output()
        .split(/^LogRecord #/m)
        .slice(1);
      return found.length === REQUESTS ? found : undefined;
    },
    SLOW,
    1000,
  );
  const exported: Sums = new Map();
  for (const record of records) {
    const value = (name: string): string => new RegExp(`-> ${name}: Str\\((.*)\\)$`, "m").exec(record)?.[1] ?? "";
    const labels = {
      agent: value("gen_ai.agent.name"),
      key: value("parley.key"),
      team: value("parley.team"),
      outcome: value("parley.outcome"),
    };
    add(exported, labels, value("parley.cost") || "0");
  }
  expect(shown(exported)).toEqual(shown(did));

  await eventually(
    "the request log is complete",
    () => {
      const database = openForReading(file());
      const count = createRequestQueries(database).lines({}, { limit: REQUESTS * 2 }).length;
      database.close();
      return count === REQUESTS ? true : undefined;
    },
    SLOW,
    1000,
  );
  const database = openForReading(file());
  const queries = createRequestQueries(database);
  const kept: Sums = new Map();
  for (const by of ["agent", "key", "team", "outcome"] as const) {
    for (const { group, requests, cost } of queries.sums({}, by)) kept.set(`${by}=${group}`, { requests, cost });
  }
  database.close();
  expect(shown(kept)).toEqual(shown(did));

  await eventually("Prometheus has scraped the last request", async () => {
    const [total] = await prometheus.ask("query", { query: "sum(parley_requests_total)" });
    return Number(total?.value[1]) === REQUESTS;
  });
  expect(shown(await scrapedSums())).toEqual(shown(did));
}, 600_000);

/** What Prometheus answers. */
async function scrapedSums(): Promise<Sums> {
  const sums: Sums = new Map();
  const add = async (label: string, query: string, name: keyof Sum): Promise<void> => {
    for (const { metric, value } of await prometheus.ask("query", { query })) {
      const group = `${label}=${metric[label] ?? ""}`;
      const sum = sums.get(group) ?? { requests: 0, cost: "0" };
      // It adds in binary fractions; prices end at the seventh digit.
      const figure = name === "requests" ? { requests: Number(value[1]) } : { cost: decimal(Number(value[1])) };
      sums.set(group, { ...sum, ...figure });
    }
  };
  await add("agent", "sum by (agent) (parley_requests_total)", "requests");
  await add("agent", "sum by (agent) (parley_cost_total)", "cost");
  for (const label of ["key", "team", "outcome"])
    await add(label, `sum by (${label}) (parley_key_requests_total)`, "requests");
  for (const label of ["key", "team"]) await add(label, `sum by (${label}) (parley_key_cost_total)`, "cost");
  // Only what was answered costs.
  await add("outcome", 'label_replace(sum(parley_key_cost_total), "outcome", "ok", "", "")', "cost");
  return sums;
}

const decimal = (value: number): string => addDecimals(value.toFixed(7), "0") ?? "";
