// A gateway that is put on trial: edits, revocations, requests and streams while operators are killed, stopped and cut off, and proxies come
// and go. In: how many edits. Out: lies of `Programmed`, how long each revocation took, requests that failed.
import { post, sendBody } from "./calls.ts";
import { startCluster, type Cluster } from "./cluster.ts";
import { startAgent } from "./example-agents.ts";
import { sumOf } from "./exposition.ts";
import { operatorFaults, type Fault } from "./faults.ts";
import type { OperatorProcess, ProxyProcess } from "./gateway.ts";
import { makeIsland, type Island } from "./island.ts";
import { key, NAMESPACE, urlAgent } from "./objects.ts";
import { eventually } from "./processes.ts";
import { createProxyEndpoints, proxyServiceOption } from "./proxy-endpoints.ts";
import { startTraffic } from "./traffic.ts";
import { createTruth } from "./truth.ts";
import { startWitness } from "./witness.ts";

export interface Revocation {
  readonly fault: string;
  readonly name: string;
  /** Milliseconds from the API server's answer to the last request that any proxy still served. */
  readonly ms: number;
}

export interface Verdict {
  readonly edits: number;
  readonly confirmed: number;
  readonly lies: readonly string[];
  /** Undefined: none is missing. */
  readonly missing: string | undefined;
  readonly revocations: readonly Revocation[];
  readonly requests: number;
  readonly streams: number;
  readonly failures: readonly string[];
}

interface TrialDeps {
  readonly cluster: Cluster;
  readonly islands: readonly Island[];
  /** URL of an agent that answers. */
  readonly upstream: string;
  readonly edits: number;
  readonly say: (line: string) => void;
}

/** Starts two operators on islands, three proxies and an agent, and puts them on trial. */
export async function trial(edits: number, say: (line: string) => void): Promise<Verdict> {
  const islands: Island[] = [];
  const agent = await startAgent("hello", "a");
  let cluster: Cluster | undefined;
  try {
    cluster = await startCluster({
      operators: 2,
      proxies: 3,
      operatorArgs: [`--lease-duration=${LEASE}`, proxyServiceOption],
      place: async (n, api) => {
        const island = await makeIsland(n, api);
        islands.push(island);
        return island.place;
      },
    });
    return await runTrial({ cluster, islands, upstream: agent.url, edits, say });
  } finally {
    await Promise.all([cluster?.stop(), agent.child.stop()]);
    await Promise.all(islands.map((island) => island.close()));
  }
}

/** Short, so that another operator writes statuses soon. */
const LEASE = "5s";
const TOKEN = "sk-trial-0123456789-0123456789-0123456789";
const AGENTS = 5;
/** Milliseconds that an editor waits for `Programmed` before it edits again all the same. */
const PATIENCE = 2_000;
/** Milliseconds that a fault lasts at most: another operator has the Lease by then. */
const FAULT = 8_000;
const REVOCATIONS = 2;

async function openStreams({ adminUrl }: ProxyProcess): Promise<number> {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
  const streams = (state: string): number => sumOf(metrics, "parley_table_streams", `state="${state}"`) ?? 0;
  return streams("applied") + streams("standby");
}

const tokenOf = (name: string): string => `sk-${name}-0123456789-0123456789-0123456789`;

async function runTrial({ cluster, islands, upstream, edits, say }: TrialDeps): Promise<Verdict> {
  const endpoints = await createProxyEndpoints(cluster);
  for (const proxy of cluster.proxies) await endpoints.add(proxy);
  const names = Array.from({ length: AGENTS }, (_, n) => `edited-${n}`);
  const caller = (user: string): ReturnType<typeof key> =>
    key("caller", TOKEN, ["hello", ...names], { owner: { user, team: "tests" } });
  await cluster.apply(urlAgent("hello", [upstream]), ...caller("nobody@example.com"));
  const faults = [...operatorFaults(cluster, islands), ...guestFaults()];
  const doomed = faults.flatMap((_, n) => Array.from({ length: REVOCATIONS }, (_, m) => `doomed-${n}-${m}`));
  for (const name of doomed) await cluster.apply(...key(name, tokenOf(name), ["hello"]));
  for (const name of ["caller", ...doomed])
    await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name }, "Programmed", "True", 60_000);

  const witness = await startWitness(cluster.api);
  let situation = "nothing is broken";
  const truth = createTruth({ cluster, witness, upstream, token: TOKEN, situation: () => situation });
  const revocations: Revocation[] = [];
  const stop = new AbortController();
  for (const proxy of cluster.proxies) await truth.came(proxy);
  const traffic = startTraffic(
    cluster.proxies.map(({ url }) => `${url}/a2a/hello`),
    TOKEN,
  );

  /** Agents are edited all the time, and the newest generation of one says who does not serve it. */
  const isWaitedFor = async (name: string): Promise<true | undefined> => {
    const { body } = await cluster.api.request("GET", "/apis/parley.dev/v1alpha1/a2aagents");
    const messages = (body.items ?? []).flatMap(({ status }) => status?.conditions?.map(({ message }) => message));
    return messages.some((message) => message?.includes(name)) ? true : undefined;
  };

  function guestFaults(): readonly Fault[] {
    return (["SIGTERM", "SIGKILL"] as const).map((signal) => ({
      name: `a proxy comes and leaves by ${signal}`,
      begin: async () => {
        const name = `guest-${signal.toLowerCase()}`;
        // From when operators wait for it, and not before: what is programmed meanwhile is no lie about it.
        await endpoints.add({ name });
        await eventually(`operators wait for ${name}`, () => isWaitedFor(name), 20_000);
        const guest = await cluster.join(name);
        await guest.ready();
        await truth.came(guest);
        return async () => {
          truth.leaves(guest);
          await endpoints.remove(guest);
          guest.child.signal(signal);
          await guest.child.ended;
        };
      },
    }));
  }
  const revoke = async (fault: string, name: string): Promise<void> => {
    await cluster.delete("VirtualKey", NAMESPACE, name);
    const answered = performance.now();
    /** When the last request was sent that was still served; one that is slow to be answered does not make a revocation late. */
    let served = answered;
    const refused = async (proxy: ProxyProcess): Promise<void> => {
      await eventually(
        `${proxy.name} refuses ${name}`,
        async () => {
          const sent = performance.now();
          const { status } = await post(`${proxy.url}/a2a/hello`, tokenOf(name), sendBody("hello"));
          if (status === 401) return true;
          served = Math.max(served, sent);
          return undefined;
        },
        20_000,
        10,
      );
    };
    await Promise.all(cluster.proxies.map(refused));
    revocations.push({ fault, name, ms: served - answered });
  };
  const allStreams = async (): Promise<boolean> => {
    const open = await Promise.all(cluster.proxies.map(openStreams));
    return open.every((count) => count === cluster.operators.length);
  };
  /** Resolves when every operator reads what keys become: a connection that was cut off may be silent for some seconds more. */
  const allRead = async (turn: number): Promise<void> => {
    const user = `turn-${turn}@example.com`;
    await cluster.apply(...caller(user));
    const reads = async ({ adminUrl }: OperatorProcess): Promise<boolean> =>
      (await (await fetch(`${adminUrl}/table`)).text()).includes(user);
    await eventually(
      "every operator reads keys again",
      async () => (await Promise.all(cluster.operators.map(reads))).every(Boolean),
      120_000,
      100,
    );
  };
  /** Edits the agent again and again until there were enough, whatever is broken. */
  const editor = async (name: string): Promise<void> => {
    while (!stop.signal.aborted) await truth.edit(name, AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE)]));
  };
  const editing = names.map(editor);

  let missing: string | undefined;
  try {
    for (let turn = 0; turn < faults.length || truth.edits < edits; turn += 1) {
      const fault = faults[turn % faults.length];
      if (fault === undefined) break;
      const { confirmed } = truth;
      const begun = performance.now();
      situation = fault.name;
      const mend = await fault.begin();
      if (turn < faults.length) {
        for (let n = 0; n < REVOCATIONS; n += 1) await revoke(fault.name, `doomed-${turn}-${n}`);
      }
      const enough = (): boolean => truth.confirmed >= confirmed + 2 * AGENTS && performance.now() - begun > FAULT / 4;
      await eventually("the fault has lasted", () => enough() || performance.now() - begun > FAULT, 2 * FAULT);
      situation = `after: ${fault.name}`;
      await mend();
      // What comes next is one fault, not a second one on top of the first.
      await eventually(`every proxy has a stream of every operator ${situation}`, allStreams, 120_000, 100);
      await allRead(turn);
      const later = truth.confirmed;
      await eventually(`edits are programmed again ${situation}`, () => truth.confirmed >= later + AGENTS, 120_000);
      say(`${fault.name}: ${((performance.now() - begun) / 1000).toFixed(1)} s, ${truth.edits} edits so far`);
    }
    stop.abort();
    await Promise.all(editing);
    situation = "everything is mended";
    await truth.settle(60_000).catch((error: unknown) => {
      missing = String(error);
    });
  } finally {
    stop.abort();
    await Promise.allSettled(editing);
    await witness.close();
  }
  const { edits: edited, confirmed, lies } = truth;
  return { edits: edited, confirmed, lies, missing, revocations, ...(await traffic.stop()) };
}
