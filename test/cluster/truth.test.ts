// `Programmed=True` is never a lie: when it is read, every proxy that clients may reach serves that generation, while leaders are
// killed and proxies come and go.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../harness/processes.ts";
import { currentCluster } from "./current.ts";
import { apply, createInstallation, ensureNamespace, isReady, type Installation } from "./installation.ts";
import { processesOf } from "./pod-processes.ts";

const cluster = currentCluster();
const GATEWAY = "truth";
const TEAM = "truth-team";
const EDITS = 200;
let parley: Installation;

const agent = (edit: number): object => ({
  apiVersion: "parley.dev/v1alpha1",
  kind: "A2AAgent",
  metadata: { name: "edited", namespace: TEAM },
  spec: { gatewayName: GATEWAY, backends: [{ name: "there", url: `http://192.0.2.1:${10_000 + edit}` }] },
});

beforeAll(async () => {
  parley = await createInstallation(cluster, { namespace: "truth", gateway: GATEWAY });
  await ensureNamespace(cluster, TEAM);
  // A short Lease: after each killed leader another begins soon.
  await parley.upgrade({ "proxy.drainSeconds": "5", "operator.extraArgs": "{--lease-duration=4s}" });
});

afterAll(async () => {
  await cluster.kubectl(["delete", "namespace", TEAM, "truth", "--ignore-not-found", "--wait=false"]);
});

/** The generation that stands in the status as served everywhere; undefined: none does. */
async function programmed(): Promise<{ readonly generation: number; readonly told: boolean }> {
  const object = JSON.parse(await cluster.kubectl(["get", "a2aagent", "edited", "-n", TEAM, "-o", "json"])) as {
    metadata: { generation: number };
    status?: { conditions?: { type: string; status: string; observedGeneration?: number }[] };
  };
  const { generation } = object.metadata;
  const told = object.status?.conditions?.some(
    ({ type, status, observedGeneration }) =>
      type === "Programmed" && status === "True" && observedGeneration === generation,
  );
  return { generation, told: told === true };
}

/** Ready proxies that do not serve an edit. */
async function behind(edit: number): Promise<readonly string[]> {
  const ready = (await parley.pods("proxy")).filter(isReady);
  const lagging = await Promise.all(
    ready.map(async ({ metadata: { name } }) => {
      const path = `/api/v1/namespaces/${parley.namespace}/pods/${name}:9090/proxy/table`;
      try {
        return (await cluster.kubectl(["get", "--raw", path])).includes(`192.0.2.1:${10_000 + edit}`) ? [] : [name];
      } catch {
        // It has gone since: it is no ready proxy any more.
        return (await parley.pods("proxy")).some((pod) => pod.metadata.name === name && isReady(pod)) ? [name] : [];
      }
    }),
  );
  return lagging.flat();
}

test(`holds for ${EDITS} edits`, async () => {
  const lies: string[] = [];
  for (let edit = 1; edit <= EDITS; edit++) {
    if (edit % 25 === 0) {
      const leader = await parley.leader();
      await cluster.onNode(processesOf(leader.metadata.uid, "kill -KILL $pid"));
    }
    if (edit % 20 === 10) {
      const replicas = edit % 40 === 10 ? 4 : 2;
      await cluster.kubectl(["scale", "deployment/parley-proxy", "-n", parley.namespace, `--replicas=${replicas}`]);
    }
    await apply(cluster, [agent(edit)]);
    await eventually(`edit ${edit} is programmed`, async () => (await programmed()).told, 60_000, 50);
    for (const name of await behind(edit)) lies.push(`edit ${edit}: ${name}`);
  }
  expect(lies).toEqual([]);
}, 900_000);
