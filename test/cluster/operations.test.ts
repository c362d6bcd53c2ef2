// A weekday at noon: a steady load of requests and 100 long streams, while whatever can be restarted, scaled or lost is.
// Not one request fails, and not one stream is cut.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../harness/processes.ts";
import { currentCluster } from "./current.ts";
import { apply, createInstallation, ensureNamespace, type Installation } from "./installation.ts";
import { startLoad, type Load, type Seen } from "./load.ts";
import { a2aAgent, agentWorkload, virtualKey } from "./objects.ts";
import { processesOf } from "./pod-processes.ts";

const cluster = currentCluster();
const GATEWAY = "noon";
const TEAM = "noon-team";
const key = virtualKey(TEAM, "load", GATEWAY, "hello");
const table: (Seen & { readonly what: string })[] = [];
let parley: Installation;
let load: Load;

const restart = (what: string, namespace: string) => async (): Promise<void> => {
  await cluster.kubectl(["rollout", "restart", what, "-n", namespace]);
  await cluster.kubectl(["rollout", "status", what, "-n", namespace, "--timeout=280s"]);
};
const scale = async (what: string, replicas: number): Promise<void> => {
  await cluster.kubectl(["scale", `deployment/${what}`, "-n", parley.namespace, `--replicas=${replicas}`]);
};

beforeAll(async () => {
  parley = await createInstallation(cluster, { namespace: "noon", gateway: GATEWAY });
  await ensureNamespace(cluster, TEAM);
  await parley.upgrade();
  await apply(cluster, [...agentWorkload(TEAM, "hello"), a2aAgent(TEAM, "hello", GATEWAY), ...key.objects]);
  await cluster.kubectl(["rollout", "status", "deployment/hello", "-n", TEAM, "--timeout=180s"]);
  for (const object of ["a2aagent/hello", "virtualkey/load"]) {
    await cluster.kubectl(["wait", "--for=condition=Programmed", object, "-n", TEAM, "--timeout=60s"]);
  }
  load = await startLoad(cluster, { namespace: TEAM, url: `${parley.url}/a2a/hello`, key: key.token });
});

afterAll(async () => {
  const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  console.log(
    [
      row(["while", "seconds", "requests", "failed", "streams that ended", "cut"]),
      row(["---", "---:", "---:", "---:", "---:", "---:"]),
      ...table.map((seen) =>
        row([seen.what, seen.seconds.toFixed(0), seen.requests, seen.failed, seen.streams, seen.cut]),
      ),
    ].join("\n"),
  );
  await cluster.kubectl(["delete", "namespace", TEAM, "noon", "--ignore-not-found", "--wait=false"]);
});

const deeds: readonly (readonly [what: string, deed: () => Promise<void>])[] = [
  ["nothing happens", () => new Promise((resolve) => setTimeout(resolve, 10_000))],
  [
    "proxies restart, one by one",
    async () => {
      await restart("deployment/parley-proxy", parley.namespace)();
      await parley.settled("proxy", 2);
    },
  ],
  ["operators restart, one by one", async () => restart("deployment/parley-operator", parley.namespace)()],
  ["the agent restarts, pod by pod", async () => restart("deployment/hello", TEAM)()],
  [
    "the leading operator's pod is deleted",
    async () => {
      const leader = await parley.leader();
      await cluster.kubectl(["delete", "pod", leader.metadata.name, "-n", parley.namespace]);
      await parley.settled("operator", 2);
      expect((await parley.leader()).metadata.uid).not.toBe(leader.metadata.uid);
    },
  ],
  [
    "the chart is upgraded: other pods of both",
    async () => {
      await parley.upgrade({ "proxy.logLevel": "warn", "operator.logLevel": "debug" });
      await parley.settled("proxy", 2);
      await parley.settled("operator", 2);
    },
  ],
  [
    "proxies go from 2 to 5",
    async () => {
      await scale("parley-proxy", 5);
      await parley.settled("proxy", 5);
    },
  ],
  [
    "proxies go from 5 to 2",
    async () => {
      await scale("parley-proxy", 2);
      await parley.settled("proxy", 2);
    },
  ],
  [
    "the API server is down for a minute",
    async () => {
      await cluster.stopApiServer();
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      await cluster.startApiServer();
      await eventually("it answers", async () => (await parley.pods("proxy")).length === 2, 120_000, 500);
    },
  ],
  [
    "no operator is there, and a proxy's container restarts",
    async () => {
      await scale("parley-operator", 0);
      await parley.settled("operator", 0);
      const [proxy] = await parley.pods("proxy");
      if (proxy === undefined) throw new Error("no proxy");
      const restarts = proxy.status.containerStatuses?.[0]?.restartCount ?? 0;
      await cluster.onNode(processesOf(proxy.metadata.uid, "kill -TERM $pid"));
      await eventually(
        "the container is back, and ready from its last good table",
        async () => {
          const now = (await parley.pods("proxy")).find(({ metadata }) => metadata.uid === proxy.metadata.uid);
          return (now?.status.containerStatuses?.[0]?.restartCount ?? 0) > restarts;
        },
        120_000,
        500,
      );
      await parley.settled("proxy", 2);
      await scale("parley-operator", 2);
      await parley.settled("operator", 2);
    },
  ],
];

test.each(deeds)("%s", async (what, deed) => {
  const seen = await load.during(deed);
  table.push({ what, ...seen });
  expect(seen).toMatchObject({ failed: 0, cut: 0, reasons: [] });
  expect(seen.requests).toBeGreaterThan(0);
});
