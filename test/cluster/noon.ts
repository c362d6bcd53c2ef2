// A weekday at noon: a steady load of requests and 100 long streams on an installation of two operators and two proxies, while something is
// done to it. In: a cluster, deeds. Out: tests that hold only if not one request failed and not one stream was cut.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "./cluster.ts";
import { apply, createInstallation, ensureNamespace, type Installation } from "./installation.ts";
import { startLoad, STREAMS, type Load, type Seen } from "./load.ts";
import { a2aAgent, agentWorkload, virtualKey } from "./objects.ts";

export interface Noon {
  readonly parley: Installation;
  /** Namespace of the agent `hello`. */
  readonly team: string;
}

export type Deed = readonly [what: string, deed: (noon: Noon) => Promise<void>];

/** Does one deed after another; what the load saw in each is judged once all that was under way in it has ended. */
export function testAtNoon(cluster: Cluster, gateway: string, deeds: readonly Deed[]): void {
  const team = `${gateway}-team`;
  const key = virtualKey(team, "load", gateway, "hello");
  const done = new Map<string, Promise<Seen>>();
  const table: string[] = [];
  let parley: Installation;
  let load: Load;

  beforeAll(async () => {
    parley = await createInstallation(cluster, { namespace: gateway, gateway });
    await ensureNamespace(cluster, team);
    await apply(cluster, agentWorkload(team, "hello"));
    await parley.upgrade();
    await cluster.kubectl(["rollout", "status", "deployment/hello", "-n", team, "--timeout=180s"]);
    await apply(cluster, [a2aAgent(team, "hello", gateway), ...key.objects]);
    for (const object of ["a2aagent/hello", "virtualkey/load"]) {
      await cluster.kubectl(["wait", "--for=condition=Programmed", object, "-n", team, "--timeout=120s"]);
    }
    load = await startLoad(cluster, { namespace: team, url: `${parley.url}/a2a/hello`, key: key.token });
  });

  afterAll(async () => {
    console.log(table.join("\n"));
    await cluster.kubectl(["delete", "namespace", team, gateway, "--ignore-not-found", "--wait=false"]);
  });

  describe("comes about", () => {
    test.each(deeds)("%s", async (what, deed) => {
      const { seen } = await load.during(() => deed({ parley, team }));
      done.set(what, seen);
      expect((await load.figures()).open).toBe(STREAMS);
    });
  });

  describe("fails no request and cuts no stream", () => {
    test.each(deeds)("%s", async (what) => {
      const seen = await done.get(what);
      if (seen === undefined) throw new Error("it was not done");
      if (table.length === 0) table.push(...HEAD);
      const { seconds, requests, failed, streams, cut } = seen;
      table.push(row([what, seconds.toFixed(0), requests, failed, streams, cut]));
      expect(seen).toMatchObject({ failed: 0, cut: 0, reasons: [] });
      expect(seen.requests).toBeGreaterThan(0);
    });
  });
}

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
const HEAD = [
  row(["while", "seconds", "requests", "failed", "streams that ended", "cut"]),
  row(["---", "---:", "---:", "---:", "---:", "---:"]),
];
