import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createClock } from "../../../process/clock.ts";
import { logLine } from "../log-line.ts";
import type { FinishedRequest } from "../record.ts";
import { recordOf } from "../record.test-support.ts";
import { openForReading, openForWriting } from "./database.ts";
import { keepRequests } from "./keep.ts";
import { type RequestQueries, createRequestQueries } from "./queries.ts";

const NOW = Date.parse("2026-01-02T03:04:05Z");
const DAY = 86_400_000;
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-requests-"));
  file = join(folder, "deep/requests.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes records through the thread, to its end. */
async function keep(
  records: readonly FinishedRequest[],
  options: { maxAge?: number; maxBytes?: number } = {},
): Promise<Registry> {
  const registry = new Registry();
  const kept = await keepRequests({
    options: { file, maxAge: 30 * DAY, maxBytes: 2 ** 30, ...options },
    registry,
    clock: { ...createClock(), now: () => NOW },
    log: { error: () => undefined },
  });
  for (const record of records) kept.finished(record, logLine(record));
  await kept.close();
  return registry;
}

function ask<T>(question: (queries: RequestQueries) => T): T {
  const database = openForReading(file);
  try {
    return question(createRequestQueries(database));
  } finally {
    database.close();
  }
}

test("keeps lines as they were logged, the last ones last, and finds them by every filter", async () => {
  const records = [
    recordOf({ time: NOW - 3000, taskId: "a" }),
    recordOf({
      time: NOW - 2000,
      taskId: "b",
      agent: "agents/other",
      key: "agents/bob",
      team: "x",
      outcome: "refused",
      reason: "ParseError",
    }),
    recordOf({ time: NOW - 1000, taskId: "c", operation: "GetTask", traceId: "f".repeat(32) }),
  ];
  await keep(records);
  const found = (filter: Parameters<RequestQueries["lines"]>[0], limit = 10): string[] =>
    ask((queries) =>
      queries.lines(filter, { limit }).map(({ line }) => (JSON.parse(line) as { task_id: string }).task_id),
    );
  expect(ask((queries) => queries.lines({}, { limit: 10 }).map(({ line }) => `${line}\n`))).toEqual(
    records.map(logLine),
  );
  expect(found({}, 2)).toEqual(["b", "c"]);
  expect(found({ agent: "agents/other" })).toEqual(["b"]);
  expect(found({ key: "agents/bob" })).toEqual(["b"]);
  expect(found({ team: "x" })).toEqual(["b"]);
  expect(found({ outcome: "refused" })).toEqual(["b"]);
  expect(found({ reason: "ParseError" })).toEqual(["b"]);
  expect(found({ operation: "GetTask" })).toEqual(["c"]);
  expect(found({ trace: "f".repeat(32) })).toEqual(["c"]);
  expect(found({ since: NOW - 2000 })).toEqual(["b", "c"]);
  expect(found({ team: "x' OR 1=1 --" })).toEqual([]);
  expect(ask((queries) => queries.lines({}, { limit: 1, after: 1 }).map(({ id }) => id))).toEqual([2]);
});

test("sums exactly by agent, key, team, outcome and day", async () => {
  const records = Array.from({ length: 1000 }, (_, at) =>
    recordOf({
      time: NOW - (at % 2) * DAY,
      agent: `agents/${at % 4}`,
      team: at % 2 === 0 ? "even" : undefined,
      outcome: at % 10 === 0 ? "agent_error" : "ok",
      cost: at % 10 === 0 ? undefined : "0.1",
      latency: 5,
    }),
  );
  await keep(records);
  expect(ask((queries) => queries.sums({}, "team"))).toEqual([
    { group: "", requests: 500, failed: 0, cost: "50", latency: 5 },
    { group: "even", requests: 500, failed: 100, cost: "40", latency: 5 },
  ]);
  expect(ask((queries) => queries.sums({}, "day").map(({ group, cost }) => [group, cost]))).toEqual([
    ["2026-01-01", "50"],
    ["2026-01-02", "40"],
  ]);
  expect(ask((queries) => queries.sums({ outcome: "ok" }, "key"))).toEqual([
    { group: "agents/alice", requests: 900, failed: 0, cost: "90", latency: 5 },
  ]);
  expect(ask((queries) => queries.sums({}, "agent").map(({ requests }) => requests))).toEqual([250, 250, 250, 250]);
  expect(ask((queries) => queries.sums({}, "outcome").map(({ group }) => group))).toEqual(["ok", "agent_error"]);
});

test("forgets what is too old, and the oldest when the file is too large", async () => {
  await keep([recordOf({ time: NOW - 2 * DAY }), recordOf({ time: NOW })], { maxAge: DAY });
  expect(ask((queries) => queries.lines({}, { limit: 10 }))).toHaveLength(1);
  const many = Array.from({ length: 5000 }, (_, at) => recordOf({ time: NOW, taskId: `t-${at}` }));
  await keep(many, { maxBytes: 1024 * 1024 });
  const left = ask((queries) => queries.lines({}, { limit: 10_000 }));
  expect(left.length).toBeGreaterThan(500);
  expect(left.length).toBeLessThan(3000);
  expect(left.at(-1)?.line).toContain("t-4999");
  expect(statSync(file).size).toBeLessThan(1.5 * 1024 * 1024);
});

test("what is no database is told at the start", async () => {
  file = join(folder, "text");
  writeFileSync(file, "no database, but a text that is long enough to be read as the head of one");
  await expect(keep([])).rejects.toThrow(/not a database/);
});

test("nothing is dropped in good times, and the metric says so", async () => {
  const registry = await keep([recordOf()]);
  expect(await registry.metrics()).toContain("parley_request_log_dropped_total 0");
});

test("nobody else may read it or what stands beside it, wherever it is put", () => {
  file = join(folder, "requests.db");
  const database = openForWriting(file);
  try {
    database.exec("INSERT INTO requests (time, outcome, latency, trace, line) VALUES (1, 'ok', 1, '', '{}')");
    const names = readdirSync(folder);
    expect(names).toContain("requests.db-wal");
    for (const name of names) expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
  } finally {
    database.close();
  }
});
