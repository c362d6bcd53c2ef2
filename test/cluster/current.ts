// The cluster that the command brought up, for the tests that it runs. In: PARLEY_TEST_CLUSTER. Out: a cluster.
import type { Cluster } from "./cluster.ts";
import { kindCluster } from "./kind.ts";
import { ownNode } from "./own-node.ts";

/** The variable by which the command tells its tests where the cluster is. */
export const CLUSTER_VARIABLE = "PARLEY_TEST_CLUSTER";

/** @throws Error when the tests were not started by the command */
export function currentCluster(): Cluster {
  const where = process.env[CLUSTER_VARIABLE];
  if (where === undefined)
    throw new Error("run `npm run test:cluster`: it brings up the cluster that these tests need");
  return clusterAt(where);
}

/** @param where as Cluster.where says it */
export function clusterAt(where: string): Cluster {
  const [driver, name = ""] = where.split("=", 2);
  if (driver === "node") return ownNode(name);
  if (driver === "kind") return kindCluster(name);
  throw new Error(`${where} names no cluster: write node=FOLDER or kind=NAME`);
}
