// Requests and streams go on while the agent that is called, its key and its endpoints change every 200 ms.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { openStream, post, sendBody, streamBody } from "../harness/calls.ts";
import { startAgent, type AgentCopy } from "../harness/example-agents.ts";
import { agent, key, NAMESPACE, service, slice } from "../harness/objects.ts";

const TOKEN = "sk-churn-0123456789-0123456789-0123456789";
const SECONDS = 60;
const RATE = 200;
const STREAMS = 50;
let cluster: Cluster;
let copies: readonly AgentCopy[];

const changing = (round: number) => ({
  agent: agent(
    "hello",
    {
      backends: [{ name: "pods", service: { name: "hello", port: 80 }, weight: 1 + (round % 5) }],
      timeouts: { firstByte: `${60 + (round % 7)}s` },
    },
    { round: String(round) },
  ),
  key: key("caller", TOKEN, ["hello"], { owner: { user: `caller-${round}`, team: "tests" } }),
  slice: slice(
    "hello",
    round % 3 === 0 ? ["10.98.2.1"] : round % 3 === 1 ? ["10.98.2.2"] : ["10.98.2.1", "10.98.2.2"],
    9000,
  ),
});

beforeAll(async () => {
  [cluster, copies] = await Promise.all([
    startCluster({ proxies: 3 }),
    Promise.all([startAgent("hello", "a", "10.98.2.1", 9000), startAgent("hello", "b", "10.98.2.2", 9000)]),
  ]);
  await cluster.apply(...service("hello", ["10.98.2.1", "10.98.2.2"], 9000), changing(0).agent, ...changing(0).key);
  await cluster.condition({ kind: "A2AAgent", namespace: NAMESPACE, name: "hello" }, "Programmed", "True");
  await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name: "caller" }, "Programmed", "True");
});

afterAll(async () => {
  await Promise.all([cluster?.stop(), ...(copies ?? []).map((copy) => copy.child.stop())]);
});

test(`${SECONDS} s at ${RATE} requests a second and ${STREAMS} streams: none fails`, { timeout: 300_000 }, async () => {
  const end = performance.now() + SECONDS * 1_000;
  const failures: string[] = [];
  // Longer where the machine is too busy for as many changes.
  const goesOn = (): boolean => performance.now() < end || round <= SECONDS * 2;
  const urlOf = (n: number): string => `${cluster.proxies[n % cluster.proxies.length]?.url}/a2a/hello`;
  let requests = 0;
  let streams = 0;
  let round = 0;

  const streaming = Array.from({ length: STREAMS }, async (_, n) => {
    while (goesOn()) {
      const stream = await openStream(urlOf(n), TOKEN, streamBody("stream one two three four five", n));
      const { clean } = await stream.ended;
      streams += 1;
      if (stream.status !== 200 || !clean || stream.text().includes("event: error") || !stream.text().includes("five"))
        failures.push(`stream: ${stream.status} ${clean} ${stream.text().slice(-300)}`);
    }
  });
  const editing = (async () => {
    while (goesOn()) {
      const begun = performance.now();
      round += 1;
      const next = changing(round);
      await cluster.apply(next.agent, ...next.key, next.slice);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 200 - (performance.now() - begun))));
    }
  })();
  const running = new Set<Promise<void>>();
  const begun = performance.now();
  while (goesOn()) {
    while (requests < ((performance.now() - begun) / 1_000) * RATE) {
      requests += 1;
      const call = post(urlOf(requests), TOKEN, sendBody("hello", requests))
        .then((answer) => {
          if (answer.status !== 200 || !answer.text.includes("copy"))
            failures.push(`request: ${answer.status} ${answer.text.slice(0, 300)}`);
        })
        .catch((error: unknown) => {
          failures.push(`request: ${String(error)}`);
        })
        .finally(() => running.delete(call));
      running.add(call);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all([editing, ...streaming, ...running]);
  console.log(`${requests} requests, ${streams} streams, ${round} rounds of edits, ${failures.length} failed`);
  expect(failures.slice(0, 5)).toEqual([]);
  expect(requests).toBeGreaterThan(SECONDS * RATE * 0.9);
  expect(round).toBeGreaterThan(SECONDS * 2);
});
