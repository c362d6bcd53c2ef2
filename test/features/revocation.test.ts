// A key that is deleted, disabled, expired or changed stops on every proxy within a second and its streams end with an error event.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { openStream, post, sendBody, streamBody, type OpenStream } from "../harness/calls.ts";
import { startAgent, type AgentCopy } from "../harness/example-agents.ts";
import { key, NAMESPACE, urlAgent } from "../harness/objects.ts";
import { eventually } from "../harness/processes.ts";

let cluster: Cluster;
let copy: AgentCopy;
const tokenOf = (name: string): string => `sk-${name}-0123456789-0123456789-0123456789`;

beforeAll(async () => {
  [cluster, copy] = await Promise.all([startCluster({ proxies: 3 }), startAgent("hello", "a")]);
  await cluster.apply(urlAgent("hello", [copy.url]));
  await cluster.condition({ kind: "A2AAgent", namespace: NAMESPACE, name: "hello" }, "Programmed", "True");
});

afterAll(async () => {
  // Its tasks are long, and nobody waits for them any more.
  await Promise.all([cluster?.stop(), copy?.child.stop(1_000)]);
});

interface Case {
  readonly name: string;
  readonly revoke: (name: string) => Promise<unknown>;
  /** What the stream's last event says; that the key was revoked, if nothing else is named. */
  readonly told?: RegExp;
}

const cases: readonly Case[] = [
  { name: "deleted", revoke: (name) => cluster.delete("VirtualKey", NAMESPACE, name) },
  { name: "disabled", revoke: (name) => cluster.apply(...key(name, tokenOf(name), ["hello"], { disabled: true })) },
  {
    name: "expired",
    revoke: (name) =>
      cluster.apply(...key(name, tokenOf(name), ["hello"], { expiresAt: new Date(Date.now() - 1_000).toISOString() })),
  },
  {
    name: "restricted",
    revoke: (name) => cluster.apply(...key(name, tokenOf(name), [])),
    told: /event: error\ndata: .*does not grant this agent/,
  },
  {
    name: "secret-changed",
    revoke: (name) => cluster.apply(...key(name, `${tokenOf(name)}-new`, ["hello"]).slice(0, 1)),
  },
  { name: "secret-deleted", revoke: (name) => cluster.delete("Secret", NAMESPACE, `${name}-token`) },
];

test.each(cases)(
  "a key that is $name stops on all three within a second and ends its streams",
  async ({ name, revoke, told = /event: error\ndata: .*revoked/ }) => {
    await cluster.apply(...key(name, tokenOf(name), ["hello"]));
    await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name }, "Programmed", "True");
    const streams: OpenStream[] = [];
    for (const proxy of cluster.proxies) {
      const stream = await openStream(`${proxy.url}/a2a/hello`, tokenOf(name), streamBody("long"));
      await stream.until(/working/);
      streams.push(stream);
    }
    await revoke(name);
    const revoked = performance.now();
    await Promise.all(
      cluster.proxies.map((proxy) =>
        eventually(`${proxy.name} refuses`, async () => {
          const { status } = await post(`${proxy.url}/a2a/hello`, tokenOf(name), sendBody("hello"));
          return status === 401 || status === 403 ? true : undefined;
        }),
      ),
    );
    expect(performance.now() - revoked).toBeLessThan(1_000);
    for (const stream of streams) {
      await stream.ended;
      expect(stream.text()).toMatch(told);
    }
    expect(performance.now() - revoked).toBeLessThan(1_500);
  },
);

test("a key whose time comes while a stream runs is ended on the clock alone", async () => {
  const name = "short-lived";
  // The stream is there before the time is set: what takes long on a busy machine takes none of it.
  await cluster.apply(...key(name, tokenOf(name), ["hello"]));
  await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name }, "Programmed", "True");
  const stream = await openStream(`${cluster.proxies[0]?.url}/a2a/hello`, tokenOf(name), streamBody("long"));
  await stream.until(/working/);
  const expiresAt = new Date(Date.now() + 4_000).toISOString();
  await cluster.apply(...key(name, tokenOf(name), ["hello"], { expiresAt }));
  await stream.ended;
  const late = Date.now() - Date.parse(expiresAt);
  expect(late).toBeGreaterThanOrEqual(0);
  expect(late).toBeLessThan(1_000);
  expect(stream.text()).toContain("event: error");
});
