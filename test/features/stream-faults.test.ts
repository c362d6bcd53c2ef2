// A dropped, doubled or corrupted line between operator and proxy is detected, counted and mended; the proxy serves on meanwhile.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { startLineProxy, type LineProxy, type Spoil } from "../harness/line-proxy.ts";
import { post, sendBody } from "../harness/calls.ts";
import { startAgent, type AgentCopy } from "../harness/example-agents.ts";
import { sumOf } from "../harness/exposition.ts";
import { key, NAMESPACE, urlAgent } from "../harness/objects.ts";
import { eventually } from "../harness/processes.ts";

const TOKEN = "sk-stream-faults-0123456789-0123456789-0123456789";
let cluster: Cluster;
let between: LineProxy;
let copy: AgentCopy;

beforeAll(async () => {
  copy = await startAgent("hello", "a");
  cluster = await startCluster({
    proxies: 1,
    between: async (url) => {
      between = await startLineProxy(url);
      return between.url;
    },
  });
  await cluster.apply(urlAgent("hello", [copy.url]), ...key("caller", TOKEN, ["hello"]));
  await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name: "caller" }, "Programmed", "True");
});

afterAll(async () => {
  await Promise.all([cluster?.stop(), copy?.child.stop()]);
  await between?.close();
});

async function resyncs(): Promise<number> {
  const metrics = await (await fetch(`${cluster.proxies[0]?.adminUrl}/metrics`)).text();
  return sumOf(metrics, "parley_table_resyncs_total") ?? 0;
}

/** Spoils the first line that matches, once. */
function once(pattern: RegExp, how: Spoil): { readonly spoil: Spoil; done(): boolean } {
  let done = false;
  return {
    spoil: (line) => {
      if (done || !pattern.test(line)) return [line];
      done = true;
      return how(line);
    },
    done: () => done,
  };
}

const put = /"type":"PUT"/;
const faults: readonly (readonly [string, RegExp, Spoil])[] = [
  ["a row is dropped", put, () => []],
  ["a row is doubled", put, (line) => [line, line]],
  ["a byte of a row is changed and it is still JSON", put, (line) => [line.replace('"weight":1', '"weight":2')]],
  ["a row is cut short", put, (line) => [line.slice(0, line.length / 2)]],
  ["a row is garbage", put, () => ["\u0000\u0001{{{"]],
  ["the end of a batch is dropped", /"type":"COMMIT"/, () => []],
  ["the end of a batch is doubled", /"type":"COMMIT"/, (line) => [line, line]],
  ["the begin of a batch is dropped", /"type":"BATCH"/, () => []],
  [
    "the version is wrong",
    /"type":"COMMIT"/,
    (line) => [line.replace(/"version":"[0-9a-f]{8}/, '"version":"00000000')],
  ],
];

test.each(faults)("%s: detected, counted, mended", async (_name, pattern, how) => {
  const before = await resyncs();
  const fault = once(pattern, how);
  between.spoil = fault.spoil;
  const name = `probe-${before}-${faults.findIndex(([title]) => title === _name)}`;
  await cluster.apply(urlAgent(name, [copy.url]));
  await eventually("the line was spoiled", () => fault.done());
  expect((await post(`${cluster.proxies[0]?.url}/a2a/hello`, TOKEN, sendBody("hello"))).status).toBe(200);
  await cluster.condition({ kind: "A2AAgent", namespace: NAMESPACE, name }, "Programmed", "True");
  await eventually("the fault is counted", async () => ((await resyncs()) > before ? true : undefined));
});

test("an operator that sends a broken table without end is counted, backed off from, and the last good table serves", async () => {
  const before = await resyncs();
  const connections = between.connections;
  between.spoil = (line) =>
    put.test(line) ? ['{"id":"agent/default/hello","row":{"broken":true},"type":"PUT"}'] : [line];
  await cluster.apply(urlAgent("never", [copy.url]));
  await eventually("it was refused more than twice", async () => ((await resyncs()) >= before + 3 ? true : undefined));
  expect((await post(`${cluster.proxies[0]?.url}/a2a/hello`, TOKEN, sendBody("hello"))).status).toBe(200);
  expect(between.connections - connections).toBeLessThan(20);
  between.spoil = (line) => [line];
  await cluster.condition({ kind: "A2AAgent", namespace: NAMESPACE, name: "never" }, "Programmed", "True", 30_000);
});
