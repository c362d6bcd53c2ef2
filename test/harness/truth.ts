// Whether `Programmed=True` was true. In: agents that are edited, and who is there to serve them. Out: every lie, and how it went.
// An edit gives an agent a public name that nobody had before: a proxy that answers to it serves that generation.
import { post, sendBody } from "./calls.ts";
import type { Cluster } from "./cluster.ts";
import type { ProxyProcess } from "./gateway.ts";
import { urlAgent } from "./objects.ts";
import { eventually } from "./processes.ts";
import type { Witness } from "./witness.ts";

export interface Truth {
  /** Edits an agent and waits until it is said to be programmed, or `signal` aborts. */
  edit(name: string, signal: AbortSignal): Promise<void>;
  /** A proxy is ready: from now on it counts, and it must serve all that was ever said to be programmed. */
  came(proxy: ProxyProcess): Promise<void>;
  /** It is about to go: it counts no more. */
  leaves(proxy: ProxyProcess): void;
  /** Waits until every agent's newest generation is programmed, and checks that it is served. */
  settle(ms: number): Promise<void>;
  readonly edits: number;
  /** Edits that were followed by `Programmed=True` before the next edit of the same agent. */
  readonly confirmed: number;
  readonly lies: readonly string[];
}

export function createTruth(deps: {
  readonly cluster: Pick<Cluster, "apply">;
  readonly witness: Witness;
  readonly upstream: string;
  readonly token: string;
  /** What is the matter just now, for the words of a lie. */
  readonly situation: () => string;
}): Truth {
  const { cluster, witness, upstream, token, situation } = deps;
  const present = new Set<ProxyProcess>();
  /** By agent: the newest name that was asked for, and its generation. */
  const newest = new Map<string, { readonly publicName: string; readonly generation: number }>();
  const lies: string[] = [];
  let edits = 0;
  let confirmed = 0;

  /** The status that a proxy answers with; undefined when it went away meanwhile. */
  const ask = async (proxy: ProxyProcess, publicName: string): Promise<number | undefined> => {
    try {
      return (await post(`${proxy.url}/a2a/${publicName}`, token, sendBody("hello"))).status;
    } catch (error) {
      if (!present.has(proxy)) return undefined;
      throw error;
    }
  };
  /** `of`: proxies that have been there since before the edit. */
  const check = async (name: string, of: Iterable<ProxyProcess>, when: string): Promise<void> => {
    const said = newest.get(name);
    if (said === undefined) return;
    await Promise.all(
      [...of].map(async (proxy) => {
        const status = present.has(proxy) ? await ask(proxy, said.publicName) : undefined;
        // An edit that is under way, or a proxy that is about to go, excuses anything.
        if (status === undefined || status === 200 || !present.has(proxy) || newest.get(name) !== said) return;
        lies.push(
          `${when}, ${name} generation ${said.generation} is Programmed but ${proxy.name} answers ${status} (${situation()})`,
        );
      }),
    );
  };

  return {
    edit: async (name, signal) => {
      edits += 1;
      const publicName = `${name}-${edits}`;
      const there = [...present];
      newest.set(name, { publicName, generation: Number.POSITIVE_INFINITY });
      const [applied] = await cluster.apply(urlAgent(name, [upstream], { publicName }));
      const generation = applied?.metadata?.generation ?? 0;
      newest.set(name, { publicName, generation });
      if (!(await witness.programmed(name, generation, signal))) return;
      confirmed += 1;
      await check(name, there, situation());
    },
    came: async (proxy) => {
      const said = [...newest].filter(([name, { generation }]) => witness.newest(name) >= generation);
      present.add(proxy);
      await Promise.all(said.map(([name]) => check(name, [proxy], `${proxy.name} has become ready`)));
    },
    leaves: (proxy) => void present.delete(proxy),
    settle: async (ms) => {
      await eventually(
        "every agent's newest generation is programmed",
        () => [...newest].every(([name, { generation }]) => witness.newest(name) >= generation),
        ms,
      );
      await Promise.all([...newest.keys()].map((name) => check(name, present, "in the end")));
    },
    get edits() {
      return edits;
    },
    get confirmed() {
      return confirmed;
    },
    lies,
  };
}
