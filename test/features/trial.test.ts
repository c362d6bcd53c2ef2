// What holds while operators are killed, stopped and cut off, and proxies come and go: `Programmed=True` never lies and is never missing in the
// end, a revocation is refused everywhere within a second, and no request and no stream fails.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { startAgent, type AgentCopy } from "../harness/example-agents.ts";
import { makeIsland, type Island } from "../harness/island.ts";
import { proxyServiceOption } from "../harness/proxy-endpoints.ts";
import { runTrial, type Verdict } from "../harness/trial.ts";

const islands: Island[] = [];
let cluster: Cluster;
let copy: AgentCopy;
let verdict: Verdict;

beforeAll(async () => {
  copy = await startAgent("hello", "a");
  cluster = await startCluster({
    operators: 2,
    proxies: 3,
    operatorArgs: ["--lease-duration=3s", proxyServiceOption],
    place: async (n, api) => {
      const island = await makeIsland(n, api);
      islands.push(island);
      return island.place;
    },
  });
  verdict = await runTrial({ cluster, islands, upstream: copy.url, edits: 200, say: (line) => console.log(line) });
  const { edits, confirmed, requests, streams } = verdict;
  console.log(
    `${edits} edits, ${confirmed} checked when they were programmed; ${requests} requests, ${streams} streams`,
  );
});

afterAll(async () => {
  await Promise.all([cluster?.stop(), copy?.child.stop()]);
  await Promise.all(islands.map((island) => island.close()));
});

test("`Programmed=True` is written only once every proxy that is there serves that generation", () => {
  expect(verdict.edits).toBeGreaterThanOrEqual(200);
  expect(verdict.confirmed).toBeGreaterThan(verdict.edits / 4);
  expect(verdict.lies).toEqual([]);
});

test("in the end it is missing nowhere", () => {
  expect(verdict.missing).toBeUndefined();
});

test("a revocation is refused by every proxy within a second, whatever is broken", () => {
  expect(verdict.revocations.length).toBeGreaterThanOrEqual(20);
  expect(verdict.revocations.filter(({ ms }) => ms >= 1_000)).toEqual([]);
});

test("no request and no stream fails meanwhile", () => {
  expect(verdict.requests).toBeGreaterThan(500);
  expect(verdict.streams).toBeGreaterThan(10);
  expect(verdict.failures).toEqual([]);
});
