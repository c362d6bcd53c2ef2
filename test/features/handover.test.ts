// Two operators: the one that holds the Lease is killed, stopped or closed while agents are edited. Every proxy serves every edit, no request
// fails, statuses become right, and none is written twice or taken back, also not when the old one is back.
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { post, sendBody } from "../harness/calls.ts";
import type { KubeBody } from "../harness/api-server.ts";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { startAgent, type AgentCopy } from "../harness/example-agents.ts";
import type { OperatorProcess } from "../harness/gateway.ts";
import { key, NAMESPACE, urlAgent } from "../harness/objects.ts";
import { eventually } from "../harness/processes.ts";
import { startTraffic } from "../harness/traffic.ts";
import { startWitness } from "../harness/witness.ts";

const TOKEN = "sk-handover-0123456789-0123456789-0123456789";
const PROXIES = 3;
const NAMES = Array.from({ length: 4 }, (_, n) => `edited-${n}`);
const UPSTREAM = "http://127.0.0.1:9106";
let cluster: Cluster;
let copy: AgentCopy;
let edits = 0;

const ref = (name: string) => ({ kind: "A2AAgent", namespace: NAMESPACE, name }) as const;

beforeAll(async () => {
  copy = await startAgent("hello", "a", "127.0.0.1", 9106);
  cluster = await startCluster({ operators: 2, proxies: PROXIES, operatorArgs: ["--lease-duration=3s"] });
  await cluster.apply(urlAgent("hello", [UPSTREAM]), ...NAMES.map((name) => urlAgent(name, [UPSTREAM])));
  await cluster.apply(...key("caller", TOKEN, ["hello", ...NAMES]));
  for (const name of ["hello", ...NAMES]) await cluster.condition(ref(name), "Ready", "True", 30_000);
  await cluster.condition({ ...ref("caller"), kind: "VirtualKey" }, "Programmed", "True");
});
afterAll(async () => {
  await Promise.all([cluster?.stop(), copy?.child.stop()]);
});

/** Gives each agent a public name that it never had, and waits until every proxy answers to it. */
async function editAll(): Promise<void> {
  await Promise.all(
    NAMES.map(async (name) => {
      const publicName = `${name}-${(edits += 1)}`;
      await cluster.apply(urlAgent(name, [UPSTREAM], { publicName }));
      const served = cluster.proxies.map((proxy) =>
        eventually(`${proxy.name} serves ${publicName}`, async () => {
          const { status } = await post(`${proxy.url}/a2a/${publicName}`, TOKEN, sendBody("hello"));
          return status === 200 ? true : undefined;
        }),
      );
      await Promise.all(served);
    }),
  );
}

const allProgrammed = async (): Promise<void> => {
  for (const name of NAMES) await cluster.condition(ref(name), "Programmed", "True", 30_000);
};

interface Listed {
  readonly proxy: string;
  readonly lag: number | null;
}

/** Waits until each proxy has a stream to this operator again. */
async function knowsProxies(operator: OperatorProcess): Promise<void> {
  await operator.ready();
  await eventually(`${operator.name} has a stream of every proxy`, async () => {
    const answer = await fetch(`${operator.adminUrl}/proxies`);
    const { proxies } = (await answer.json()) as { readonly proxies: readonly Listed[] };
    const ours = proxies.filter(({ proxy, lag }) => proxy.startsWith("proxy-") && lag === 0);
    return ours.length === PROXIES ? true : undefined;
  });
}

/** Sees the statuses of each generation of each agent: those that were written although they stood there before, and `Programmed` taken back. */
function createStatuses() {
  const seen = new Map<string, Set<string>>();
  const programmed = new Set<string>();
  const repeated: string[] = [];
  const takenBack: string[] = [];
  const take = ({ metadata, status }: KubeBody): void => {
    if (status === undefined) return;
    const generation = `${metadata?.name} ${metadata?.generation}`;
    const text = JSON.stringify(status, (name, value: unknown) => (name === "lastTransitionTime" ? undefined : value));
    const before = seen.get(generation) ?? new Set();
    if (before.has(text)) repeated.push(`${generation}: ${text}`);
    seen.set(generation, before.add(text));
    const says = status.conditions?.find(({ type }) => type === "Programmed");
    if (says?.observedGeneration !== metadata?.generation) return;
    if (says?.status === "True") programmed.add(generation);
    else if (programmed.has(generation)) takenBack.push(`${generation}: ${text}`);
  };
  return { take, repeated, takenBack };
}

/** From now on, every line in which a stopped operator names itself as holder once it goes on. Nothing of one that is not there. */
async function watchClaims({ name, url, child }: OperatorProcess): Promise<() => readonly string[]> {
  const claims: string[] = [];
  if (child.exited()) return () => claims;
  const client = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void client.destroy());
  const lines = createInterface(client);
  lines.on("error", () => undefined);
  lines.on("line", (line) => {
    if (line.includes(`"holder":"${name}.`)) claims.push(line);
  });
  client.write("GET /v1/stream?proxy=onlooker HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(client, "connect");
  return () => claims;
}

const faults: readonly {
  readonly name: string;
  readonly begin: (holder: OperatorProcess) => Promise<void>;
  readonly mend: (old: OperatorProcess) => Promise<void>;
}[] = [
  {
    name: "killed",
    begin: async ({ child }) => {
      child.signal("SIGKILL");
      await child.ended;
    },
    mend: (old) => old.restart(),
  },
  {
    name: "stopped",
    begin: ({ child }) => Promise.resolve(child.signal("SIGSTOP")),
    mend: ({ child }) => Promise.resolve(child.signal("SIGCONT")),
  },
  {
    name: "closed",
    begin: async ({ child }) => {
      child.signal("SIGTERM");
      await child.ended;
    },
    mend: (old) => old.restart(),
  },
];

test.each(faults)("the holder is $name", { timeout: 120_000 }, async ({ begin, mend }) => {
  for (const operator of cluster.operators) await knowsProxies(operator);
  const old = await eventually("somebody holds the Lease", () => cluster.holder());
  const statuses = createStatuses();
  const witness = await startWitness(cluster.api, statuses.take);
  const traffic = startTraffic(
    cluster.proxies.map(({ url }) => `${url}/a2a/hello`),
    TOKEN,
  );
  const editing = editAll();
  await begin(old);
  await editing;
  await editAll();
  const next = await eventually(
    "another holds the Lease",
    async () => {
      const holder = await cluster.holder();
      return holder === undefined || holder === old ? undefined : holder;
    },
    20_000,
  );
  await editAll();
  await allProgrammed();

  const claims = await watchClaims(old);
  await mend(old);
  await knowsProxies(old);
  await knowsProxies(next);
  expect((await cluster.holder())?.name).toBe(next.name);
  expect(claims()).toEqual([]);
  await editAll();
  await allProgrammed();
  expect([statuses.repeated, statuses.takenBack]).toEqual([[], []]);
  const { failures, requests } = await traffic.stop();
  expect([failures, requests > 0]).toEqual([[], true]);
  await witness.close();
});
