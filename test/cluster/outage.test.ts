// At noon, the API server is lost. Nobody else can use the cluster meanwhile: no other file runs beside this one.
import { eventually } from "../harness/processes.ts";
import { currentCluster } from "./current.ts";
import { testAtNoon } from "./noon.ts";

const cluster = currentCluster();

testAtNoon(cluster, "outage", [
  [
    "the API server is down for a minute",
    async ({ parley }) => {
      await cluster.stopApiServer();
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      await cluster.startApiServer();
      await eventually("it answers", async () => (await parley.pods("proxy")).length === 2, 300_000, 500);
    },
  ],
]);
