// Programmed means: every connected proxy serves that generation. One that is stopped keeps it from True and is named.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { NAMESPACE, urlAgent } from "../harness/objects.ts";

let cluster: Cluster;
const hello = { kind: "A2AAgent", namespace: NAMESPACE, name: "hello" } as const;

beforeAll(async () => {
  cluster = await startCluster({ proxies: 3 });
});

afterAll(() => cluster?.stop());

test("a stopped proxy keeps a new generation from True and is named; when it goes on, it is True", async () => {
  await cluster.apply(urlAgent("hello", ["http://127.0.0.1:9"]));
  await cluster.condition(hello, "Programmed", "True");
  const stopped = cluster.proxies[1];
  stopped?.child.signal("SIGSTOP");
  await cluster.apply(urlAgent("hello", ["http://127.0.0.1:10"]));
  const waiting = await cluster.condition(hello, "Programmed", "False");
  expect(waiting.observedGeneration).toBe(2);
  expect(waiting.message).toContain("proxy-1");
  expect(waiting.message).not.toContain("proxy-0");
  stopped?.child.signal("SIGCONT");
  const done = await cluster.condition(hello, "Programmed", "True");
  expect(done.observedGeneration).toBe(2);
});

test("a generation once programmed is not judged again when proxies come and go; without any, a new one says NoProxies", async () => {
  const before = await cluster.get("A2AAgent", NAMESPACE, "hello");
  await cluster.proxies[2]?.restart("SIGKILL");
  await cluster.proxies[2]?.ready();
  await Promise.all(cluster.proxies.map((proxy) => proxy.child.stop()));
  await cluster.apply(urlAgent("second", ["http://127.0.0.1:9"]));
  const none = await cluster.condition({ ...hello, name: "second" }, "Programmed", "False");
  expect(none.reason).toBe("NoProxies");
  const after = await cluster.get("A2AAgent", NAMESPACE, "hello");
  expect(after?.metadata?.resourceVersion).toBe(before?.metadata?.resourceVersion);
});
