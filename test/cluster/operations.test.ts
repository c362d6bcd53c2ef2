// At noon, whatever can be restarted, scaled or lost is.
import { expect } from "vitest";
import { eventually } from "../harness/processes.ts";
import { currentCluster } from "./current.ts";
import { testAtNoon, type Deed } from "./noon.ts";
import { processesOf } from "./pod-processes.ts";

const cluster = currentCluster();

const restart = async (what: string, namespace: string): Promise<void> => {
  await cluster.kubectl(["rollout", "restart", what, "-n", namespace]);
  await cluster.kubectl(["rollout", "status", what, "-n", namespace, "--timeout=280s"]);
};
const scale = async (what: string, namespace: string, replicas: number): Promise<void> => {
  await cluster.kubectl(["scale", `deployment/${what}`, "-n", namespace, `--replicas=${replicas}`]);
};

const deeds: readonly Deed[] = [
  ["nothing happens", () => new Promise((resolve) => setTimeout(resolve, 10_000))],
  [
    "proxies restart, one by one",
    async ({ parley }) => {
      await restart("deployment/parley-proxy", parley.namespace);
      await parley.settled("proxy", 2);
    },
  ],
  ["operators restart, one by one", ({ parley }) => restart("deployment/parley-operator", parley.namespace)],
  ["the agent restarts, pod by pod", ({ team }) => restart("deployment/hello", team)],
  [
    "the leading operator's pod is deleted",
    async ({ parley }) => {
      const leader = await parley.leader();
      await cluster.kubectl(["delete", "pod", leader.metadata.name, "-n", parley.namespace]);
      await parley.settled("operator", 2);
      expect((await parley.leader()).metadata.uid).not.toBe(leader.metadata.uid);
    },
  ],
  [
    "the chart is upgraded: other pods of both",
    async ({ parley }) => {
      await parley.upgrade({ "proxy.logLevel": "warn", "operator.logLevel": "debug" });
      await parley.settled("proxy", 2);
      await parley.settled("operator", 2);
    },
  ],
  [
    "proxies go from 2 to 5",
    async ({ parley }) => {
      await scale("parley-proxy", parley.namespace, 5);
      await parley.settled("proxy", 5);
    },
  ],
  [
    "proxies go from 5 to 2",
    async ({ parley }) => {
      await scale("parley-proxy", parley.namespace, 2);
      await parley.settled("proxy", 2);
    },
  ],
  [
    "no operator is there, and a proxy's container restarts",
    async ({ parley }) => {
      await scale("parley-operator", parley.namespace, 0);
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
        300_000,
        500,
      );
      await parley.settled("proxy", 2);
      await scale("parley-operator", parley.namespace, 2);
      await parley.settled("operator", 2);
    },
  ],
];

testAtNoon(cluster, "noon", deeds);
