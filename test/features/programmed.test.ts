// Programmed means: every proxy serves that generation. One that is stopped keeps it from True and is named.
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { eventually } from "../harness/processes.ts";
import { NAMESPACE, slice, urlAgent } from "../harness/objects.ts";

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

/** A slice of the proxies' Service; pods are named by their proxies. */
const ready = (...names: readonly string[]) => ({
  ...slice("parley-proxy", [], 8080),
  endpoints: names.map((name, n) => ({
    addresses: [`10.98.9.${n + 1}`],
    conditions: { ready: true },
    targetRef: { kind: "Pod", namespace: NAMESPACE, name: `pod-of-${name}`, uid: name },
  })),
});

test("with --proxy-service the ready endpoints count, connected or not, and nobody else", async () => {
  const args = [`--proxy-service=${NAMESPACE}/parley-proxy`];
  const other = await startCluster({ proxies: 2, operatorArgs: args });
  onTestFinished(() => other.stop());
  const programmed = (status: "True" | "False") => other.condition(hello, "Programmed", status);
  await other.apply(urlAgent("hello", ["http://127.0.0.1:9"]));
  expect((await programmed("False")).reason).toBe("NoProxies");
  await other.apply(ready("proxy-0", "proxy-9"));
  await eventually("the endpoint without a stream is named", async () => {
    const { message } = await programmed("False");
    return message.includes("proxy pod-of-proxy-9.") ? true : undefined;
  });
  await other.apply(ready("proxy-0"));
  await programmed("True");
  const before = await other.get("A2AAgent", NAMESPACE, "hello");

  other.proxies[1]?.child.signal("SIGSTOP");
  await other.apply(ready(), urlAgent("second", ["http://127.0.0.1:9"]));
  expect((await other.condition({ ...hello, name: "second" }, "Programmed", "False")).reason).toBe("NoProxies");
  await other.apply(ready("proxy-0"));
  await other.condition({ ...hello, name: "second" }, "Programmed", "True");
  const after = await other.get("A2AAgent", NAMESPACE, "hello");
  expect(after?.metadata?.resourceVersion).toBe(before?.metadata?.resourceVersion);
});
