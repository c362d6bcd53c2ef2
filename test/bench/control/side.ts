// One gateway of the bench: operators and proxies of one tree. In: a cluster. Out: ways to edit it, to let it come to rest, and to read what it did.
import type { Cluster } from "../../harness/cluster.ts";
import type { ParleyProcess } from "../../harness/gateway.ts";
import { eventually } from "../../harness/processes.ts";
import { agent, key, NAMESPACE, SPARE, tokenOf } from "./objects.ts";
import { createProber, type Prober, type Seen } from "./probe.ts";
import { metricsOf, sum } from "./processes.ts";

export interface Side {
  readonly label: string;
  readonly gateway: string;
  readonly cluster: Cluster;
  readonly prober: Prober;
  /** Agent and key that every request of the bench names, unless it is about an edit. */
  readonly path: string;
  readonly token: string;
  /** Gives the probed agent a name that nobody had: 404 becomes 200. */
  renameAgent(): Promise<Seen>;
  /** Makes a key: 401 becomes 200. Then deletes it: 200 becomes 401. */
  comeAndGo(): Promise<{ readonly came: Seen; readonly went: Seen }>;
  /** One edit of an agent that nobody asks for. */
  edit(): Promise<unknown>;
  /** Waits until every proxy has the table of the operators and no status waits. */
  rest(ms?: number): Promise<void>;
  /** Writes of statuses so far, of all operators. */
  statusWrites(): Promise<number>;
}

/** Agents that background edits go to, in turn. */
const EDITED = 50;

export function createSide(label: string, gateway: string, cluster: Cluster, upstream: string): Side {
  const prober = createProber(cluster.proxies.map(({ url }) => url));
  let edits = 0;
  const token = tokenOf(gateway, 0);
  const versions = async (processes: readonly ParleyProcess[]): Promise<readonly string[]> =>
    Promise.all(processes.map(async (process) => versionIn(await metricsOf(process))));
  return {
    label,
    gateway,
    cluster,
    prober,
    path: "/a2a/agent-0",
    token,
    renameAgent: async () => {
      edits += 1;
      const publicName = `probed-${edits}`;
      const edited = agent(gateway, "probed", upstream, { publicName });
      const question = { path: `/a2a/${publicName}`, token, before: 404, after: 200 };
      return await prober.time(question, () => cluster.apply(edited));
    },
    comeAndGo: async () => {
      edits += 1;
      const spare = 1 + (edits % (SPARE - 2));
      const made = key(gateway, `fresh-${edits}`, spare, ["agent-0"]);
      const question = { path: "/a2a/agent-0", token: tokenOf(gateway, spare), before: 401, after: 200 };
      const came = await prober.time(question, () => cluster.apply(made));
      const went = await prober.time({ ...question, before: 200, after: 401 }, () =>
        cluster.delete("VirtualKey", NAMESPACE, made.metadata.name),
      );
      return { came, went };
    },
    edit: () => {
      edits += 1;
      const name = `agent-${1 + (edits % EDITED)}`;
      return cluster.apply(agent(gateway, name, upstream, { timeouts: { firstByte: `${60 + (edits % 500)}s` } }));
    },
    rest: async (ms = 3_600_000) => {
      await eventually(
        `${label} has come to rest`,
        async () => {
          const operators = await Promise.all(cluster.operators.map(metricsOf));
          if (operators.some((text) => sum(text, "parley_operator_statuses_waiting") > 0)) return undefined;
          const seen = new Set([...operators.map(versionIn), ...(await versions(cluster.proxies))]);
          return seen.size === 1 ? true : undefined;
        },
        ms,
        250,
      );
    },
    statusWrites: async () => {
      const operators = await Promise.all(cluster.operators.map(metricsOf));
      return operators.reduce((total, text) => total + (sum(text, "parley_operator_status_writes_total") || 0), 0);
    },
  };
}

/** First 48 bits of a table's version, as the proxy's metric has them, in hex. */
export function versionIn(exposition: string): string {
  const named = /^parley_operator_table_info\{version="([0-9a-f]{12})/m.exec(exposition)?.[1];
  return named ?? sum(exposition, "parley_table_version").toString(16).padStart(12, "0");
}

/** The agent and the key that the bench itself uses; the first Secret of tokens must be there. */
export async function prepareSide(side: Side, upstream: string): Promise<void> {
  await side.cluster.apply(
    agent(side.gateway, "probed", upstream),
    key(side.gateway, "prober", 0, ["agent-0", "probed"]),
  );
  await eventually(
    "the prober's key is served",
    async () => {
      const { failed } = await oneEach(side);
      return failed === 0 ? true : undefined;
    },
    300_000,
  );
}

async function oneEach({ cluster, path, token }: Side): Promise<{ failed: number }> {
  const statuses = await Promise.all(
    cluster.proxies.map(async ({ url }) => {
      const answer = await fetch(`${url}${path}`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
      await answer.arrayBuffer();
      return answer.status;
    }),
  );
  return { failed: statuses.filter((status) => status === 401 || status === 404).length };
}
