// A proxy needs nobody to serve; a restarted proxy serves from its log; a restarted operator writes nothing that did not change.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { openStream, post, sendBody, streamBody } from "../harness/calls.ts";
import { startAgent, type AgentCopy } from "../harness/example-agents.ts";
import { key, NAMESPACE, urlAgent } from "../harness/objects.ts";
import { eventually } from "../harness/processes.ts";

const TOKEN = "sk-resilience-0123456789-0123456789-0123456789";
let cluster: Cluster;
let copy: AgentCopy;

beforeAll(async () => {
  [cluster, copy] = await Promise.all([
    // A short Lease: after the killed operator another begins soon.
    startCluster({ proxies: 3, proxyArgs: ["--drain-delay=2s"], operatorArgs: ["--lease-duration=4s"] }),
    startAgent("hello", "a"),
  ]);
  await cluster.apply(urlAgent("hello", [copy.url]), ...key("caller", TOKEN, ["hello"]));
  for (const [kind, name] of [
    ["A2AAgent", "hello"],
    ["VirtualKey", "caller"],
  ] as const)
    await cluster.condition({ kind, namespace: NAMESPACE, name }, "Ready", "True", 30_000);
});

afterAll(async () => {
  await Promise.all([cluster?.stop(), copy?.child.stop()]);
});

/** Status writes that the API server counted for our kinds. */
async function statusWrites(): Promise<number> {
  const { body } = await cluster.api.request("GET", "/metrics");
  return (body.message ?? "")
    .split("\n")
    .filter((line) => line.startsWith("apiserver_request_total{") && line.includes('group="parley.dev"'))
    .filter((line) => /verb="(APPLY|PATCH|PUT)"/.test(line) && line.includes('subresource="status"'))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

test("an operator that is restarted writes no status that did not change", async () => {
  const before = await statusWrites();
  expect(before).toBeGreaterThan(0);
  const versions = async (): Promise<readonly unknown[]> =>
    Promise.all([cluster.get("A2AAgent", NAMESPACE, "hello"), cluster.get("VirtualKey", NAMESPACE, "caller")]).then(
      (objects) => objects.map((object) => object?.metadata?.resourceVersion),
    );
  const held = await versions();
  await cluster.operator.restart("SIGTERM");
  await cluster.operator.ready();
  // The new operator leads and has judged every object once it programs a new one; what it would write, it has written.
  await cluster.apply(urlAgent("probe", [copy.url]));
  await cluster.condition({ kind: "A2AAgent", namespace: NAMESPACE, name: "probe" }, "Ready", "True", 40_000);
  expect(await versions()).toEqual(held);
  // What was written since is the new object's own: found, then programmed.
  expect((await statusWrites()) - before).toBeLessThanOrEqual(3);
});

test("an operator that is killed stops no request; a proxy restarted then serves from its log", async () => {
  let failed = 0;
  let calls = 0;
  const until = new AbortController();
  const calling = (async () => {
    while (!until.signal.aborted) {
      for (const proxy of [cluster.proxies[0], cluster.proxies[1]]) {
        calls += 1;
        if ((await post(`${proxy?.url}/a2a/hello`, TOKEN, sendBody("hello"))).status !== 200) failed += 1;
      }
    }
  })();
  cluster.operator.child.signal("SIGKILL");
  await cluster.operator.child.ended;
  const third = cluster.proxies[2];
  await third?.restart("SIGKILL");
  await third?.ready();
  expect((await post(`${third?.url}/a2a/hello`, TOKEN, sendBody("hello"))).status).toBe(200);
  const metrics = await (await fetch(`${third?.adminUrl}/metrics`)).text();
  expect(metrics).toMatch(/^parley_table_connected(\{\})? 0$/m);
  await third?.child.line(/last.good/i);
  until.abort();
  await calling;
  expect(calls).toBeGreaterThan(10);
  expect(failed).toBe(0);
});

test("when the operator is back, changes reach every proxy again", async () => {
  await cluster.operator.restart("SIGKILL");
  await cluster.operator.ready();
  await cluster.delete("VirtualKey", NAMESPACE, "caller");
  const refused = cluster.proxies.map((proxy) =>
    eventually(`${proxy.name} refuses`, async () => {
      const { status } = await post(`${proxy.url}/a2a/hello`, TOKEN, sendBody("hello"));
      return status === 200 ? undefined : status;
    }),
  );
  expect(await Promise.all(refused)).toEqual([401, 401, 401]);
});

test("a proxy drains on SIGTERM: unready first, the running stream ends, exit 0", async () => {
  await cluster.apply(...key("caller", TOKEN, ["hello"]));
  await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name: "caller" }, "Programmed", "True", 30_000);
  const proxy = cluster.proxies[0];
  const stream = await openStream(`${proxy?.url}/a2a/hello`, TOKEN, streamBody("long 4"));
  await stream.until(/working/);
  proxy?.child.signal("SIGTERM");
  await eventually("the proxy is unready", async () =>
    (await fetch(`${proxy?.adminUrl}/readyz`)).status === 503 ? true : undefined,
  );
  // Unready, but not yet closed: a load balancer may still send it requests.
  expect((await post(`${proxy?.url}/a2a/hello`, TOKEN, sendBody("hello"))).status).toBe(200);
  expect(stream.text()).not.toContain("completed");
  expect(await stream.ended).toEqual({ clean: true });
  expect(stream.text()).toContain("completed");
  expect(await proxy?.child.ended).toBe(0);
  await proxy?.restart();
  await proxy?.ready();
});
