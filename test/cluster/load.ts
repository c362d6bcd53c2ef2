// The load on a gateway: a pod that never lets go. In: a gateway and a key. Out: what it saw while something was done.
import { eventually } from "../harness/processes.ts";
import type { Cluster } from "./cluster.ts";
import { apply } from "./installation.ts";
import { PACE_MS, programPod } from "./objects.ts";
import type { Figures } from "./workload/tally.ts";

/** Event streams that are open all the time, and seconds that each takes. */
export const STREAMS = 100;
const STREAM_SECONDS = 12;
const REQUESTS_PER_SECOND = 20;

/** What the load saw from the begin of a deed until all that was under way in it had ended. */
export interface Seen {
  readonly seconds: number;
  readonly requests: number;
  readonly failed: number;
  readonly streams: number;
  readonly cut: number;
  readonly reasons: readonly string[];
}

export interface Load {
  figures(): Promise<Figures>;
  /** Resolves when the deed is done; what was seen, when all that was under way in it has ended as well, while others may be done. */
  during(deed: () => Promise<void>): Promise<{ readonly seen: Promise<Seen> }>;
}

/** Starts the pod and waits until all streams are open and the first have ended well. */
export async function startLoad(
  cluster: Cluster,
  { namespace, url, key }: { namespace: string; url: string; key: string },
): Promise<Load> {
  const words = (STREAM_SECONDS * 1000) / PACE_MS;
  const args = [`--url=${url}`, `--key=${key}`, `--rate=${REQUESTS_PER_SECOND}`, `--streams=${STREAMS}`];
  await apply(cluster, [
    programPod(namespace, "load", ["test/cluster/workload/load.ts", ...args, `--words=${words}`, "--port=8080"]),
  ]);
  const path = `/api/v1/namespaces/${namespace}/pods/load:8080/proxy/`;
  const figures = async (): Promise<Figures> =>
    eventually("the load tells its figures", async () => {
      return (await cluster.api.get(path)) as Figures;
    });
  /** Streams that were open now have ended: as many more have come to an end, whichever. */
  const ended = async (): Promise<void> => {
    const { finished, cut } = await figures();
    await eventually(
      "what was under way has ended",
      async () => {
        const now = await figures();
        return now.finished + now.cut >= finished + cut + STREAMS;
      },
      300_000,
      500,
    );
  };
  await eventually(
    "the first streams end well",
    async () => (await figures()).finished >= STREAMS || undefined,
    180_000,
    500,
  );
  return {
    figures,
    async during(deed) {
      const before = await figures();
      const started = performance.now();
      await deed();
      const seconds = (performance.now() - started) / 1000;
      const look = async (): Promise<Seen> => {
        await ended();
        const after = await figures();
        const sum = (name: "requests" | "failed" | "finished" | "cut"): number => after[name] - before[name];
        return {
          seconds,
          requests: sum("requests"),
          failed: sum("failed"),
          streams: sum("finished") + sum("cut"),
          cut: sum("cut"),
          reasons: after.reasons.filter((reason) => !before.reasons.includes(reason)),
        };
      };
      const seen = look();
      // It is met by whoever asks for it, later.
      seen.catch(() => undefined);
      return { seen };
    },
  };
}
