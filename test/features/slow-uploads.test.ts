// Two thousand clients that send a body byte by byte: memory stays bounded, and requests of others are answered as before.
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { post, sendBody } from "../harness/calls.ts";
import { startAgent, type AgentCopy } from "../harness/example-agents.ts";
import { sumOf } from "../harness/exposition.ts";
import { key, NAMESPACE, urlAgent } from "../harness/objects.ts";
import { eventually } from "../harness/processes.ts";

const TOKEN = "sk-slow-uploads-0123456789-0123456789-0123456789";
const SLOW = 2_000;
const CALLS = 300;
let cluster: Cluster;
let copy: AgentCopy;

beforeAll(async () => {
  [cluster, copy] = await Promise.all([startCluster({ proxies: 1 }), startAgent("hello", "a")]);
  await cluster.apply(urlAgent("hello", [copy.url]), ...key("caller", TOKEN, ["hello"]));
  await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name: "caller" }, "Programmed", "True");
});

afterAll(async () => {
  await Promise.all([cluster?.stop(), copy?.child.stop()]);
});

const residentMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? Number.NaN) / 1024;

async function gauge(name: string): Promise<number> {
  const text = await (await fetch(`${cluster.proxies[0]?.adminUrl}/metrics`)).text();
  return sumOf(text, name) ?? Number.NaN;
}

/** Calls one after another; gives the 99th percentile of their latency in milliseconds. */
async function p99(url: string): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < CALLS; i += 1) {
    const started = performance.now();
    expect((await post(url, TOKEN, sendBody("hello", i))).status).toBe(200);
    took.push(performance.now() - started);
  }
  return took.toSorted((a, b) => a - b)[Math.floor(CALLS * 0.99)] ?? Number.NaN;
}

test(`${SLOW} slow uploads`, async () => {
  const url = `${cluster.proxies[0]?.url}/a2a/hello`;
  const pid = cluster.proxies[0]?.child.pid ?? 0;
  await p99(url);
  const [before, rest] = [await p99(url), residentMiB(pid)];

  const head = `POST /a2a/hello HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n{`;
  const sockets: Socket[] = [];
  for (let i = 0; i < SLOW; i += 1) {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(head);
    sockets.push(socket);
  }
  await eventually("every upload has begun", async () =>
    (await gauge("parley_request_buffer_bytes")) >= SLOW ? true : undefined,
  );
  const drip = setInterval(() => {
    for (const socket of sockets) socket.write(" ");
  }, 250);
  const [during, held] = [await p99(url), residentMiB(pid)];
  clearInterval(drip);
  for (const socket of sockets) socket.destroy();
  await eventually("every byte is given back", async () =>
    (await gauge("parley_request_buffer_bytes")) === 0 ? true : undefined,
  );

  console.log(
    `p99 ${before.toFixed(1)} ms before, ${during.toFixed(1)} ms during (${(during / before).toFixed(2)} times); ` +
      `${rest.toFixed(0)} MiB before, ${held.toFixed(0)} MiB during`,
  );
  expect(held - rest).toBeLessThan(150);
});
