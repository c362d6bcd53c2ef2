// Sees every write of `Programmed=True` at the API server. In: an API server. Out: which generations of which agents were said to be
// programmed, and who waits for one to be.
import { readFileSync } from "node:fs";
import { Agent, request } from "undici";
import type { ApiServer, KubeBody } from "./api-server.ts";

export interface Witness {
  /** Resolves as soon as this generation of the agent, or a later one, is said to be programmed: true; false when `signal` aborts first. */
  programmed(name: string, generation: number, signal: AbortSignal): Promise<boolean>;
  /** The newest generation of the agent that was said to be programmed; 0 for none. */
  newest(name: string): number;
  /** Writes seen of the agents: changes of generation aside, each is one write of a status. */
  readonly events: number;
  close(): Promise<void>;
}

const PATH = "/apis/parley.dev/v1alpha1/namespaces/default/a2aagents";

/** The generation that `Programmed=True` is said of; 0 for none. */
export function programmedGeneration(object: KubeBody): number {
  const condition = object.status?.conditions?.find(({ type }) => type === "Programmed");
  return condition?.status === "True" ? (condition.observedGeneration ?? 0) : 0;
}

/** Watches from now on; `onAgent` is told of every write. An end of the watch fails whoever waits: the API server is not what is broken here. */
export async function startWitness(
  api: ApiServer,
  onAgent: (agent: KubeBody) => void = () => undefined,
): Promise<Witness> {
  const { body: list } = await api.request("GET", PATH);
  const dispatcher = new Agent({ connect: { ca: readFileSync(api.caFile) } });
  const stop = new AbortController();
  const newest = new Map<string, number>();
  const waiting = new Set<() => void>();
  let events = 0;
  let ended = false;

  const take = (object: KubeBody): void => {
    const name = object.metadata?.name ?? "";
    const generation = programmedGeneration(object);
    if (generation > (newest.get(name) ?? 0)) newest.set(name, generation);
  };
  const answer = await request(
    `${api.url}${PATH}?watch=true&resourceVersion=${list.metadata?.resourceVersion}&timeoutSeconds=7200`,
    { dispatcher, headers: { authorization: `Bearer ${api.token}` }, signal: stop.signal, bodyTimeout: 0 },
  );
  const reading = (async () => {
    let rest = "";
    answer.body.setEncoding("utf8");
    for await (const chunk of answer.body as AsyncIterable<string>) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        events += 1;
        const { object } = JSON.parse(line) as { readonly object: KubeBody };
        take(object);
        onAgent(object);
      }
      for (const check of waiting) check();
    }
  })()
    .catch(() => undefined)
    .finally(() => {
      ended = true;
      for (const check of waiting) check();
    });

  return {
    newest: (name) => newest.get(name) ?? 0,
    get events() {
      return events;
    },
    programmed: (name, generation, signal) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const seen = (newest.get(name) ?? 0) >= generation;
          if (!seen && !ended && !signal.aborted) return;
          waiting.delete(check);
          signal.removeEventListener("abort", check);
          if (!seen && ended) reject(new Error("the watch of the witness ended"));
          else resolve(seen);
        };
        waiting.add(check);
        signal.addEventListener("abort", check);
        check();
      }),
    close: async () => {
      stop.abort();
      await reading;
      await dispatcher.destroy();
    },
  };
}
