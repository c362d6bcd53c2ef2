// `Programmed=True` is never a lie: when it is read, every proxy that clients may reach serves that generation, while leaders are
// killed and proxies come and go.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../harness/processes.ts";
import { currentCluster } from "./current.ts";
import { createInstallation, ensureNamespace, isReady, type Installation } from "./installation.ts";
import { processesOf } from "./pod-processes.ts";

const cluster = currentCluster();
const GATEWAY = "truth";
const TEAM = "truth-team";
const EDITS = 200;
const EDITED = `/apis/parley.dev/v1alpha1/namespaces/${TEAM}/a2aagents/edited`;
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

/** Whether the newest generation stands in the status as served everywhere. */
async function programmed(): Promise<boolean> {
  const object = (await cluster.api.get(EDITED)) as {
    metadata: { generation: number };
    status?: { conditions?: { type: string; status: string; observedGeneration?: number }[] };
  };
  const { generation } = object.metadata;
  const told = object.status?.conditions?.some(
    ({ type, status, observedGeneration }) =>
      type === "Programmed" && status === "True" && observedGeneration === generation,
  );
  return told === true;
}

/** Ready proxies that do not serve an edit. */
async function behind(edit: number): Promise<readonly string[]> {
  const ready = (await parley.pods("proxy")).filter(isReady);
  const lagging = await Promise.all(
    ready.map(async ({ metadata: { name } }) => {
      const path = `/api/v1/namespaces/${parley.namespace}/pods/${name}:9090/proxy/table`;
      try {
        return (await cluster.api.text(path)).includes(`192.0.2.1:${10_000 + edit}`) ? [] : [name];
      } catch {
        // It has gone since: it is no ready proxy any more.
        return (await parley.pods("proxy")).some((pod) => pod.metadata.name === name && isReady(pod)) ? [name] : [];
      }
    }),
  );
  return lagging.flat();
}

/** Replicas of the proxies, again and again, and between them leaders that are killed. */
const CHANGES: readonly (() => Promise<void>)[] = [4, 2, 4, 2, 4, 2, 4, 2, 4, 2].flatMap((replicas) => [
  () => scale(replicas),
  killLeader,
]);

async function scale(replicas: number): Promise<void> {
  await cluster.kubectl(["scale", "deployment/parley-proxy", "-n", parley.namespace, `--replicas=${replicas}`]);
  await parley.ready("proxy", replicas);
}

/** Ends the leader as a crash does. Its pod is then replaced, since kubelet waits ever longer before it starts a container that crashed. */
async function killLeader(): Promise<void> {
  const { metadata } = await parley.leader();
  await cluster.onNode(processesOf(metadata.uid, "kill -KILL $pid"));
  await cluster.kubectl(["delete", "pod", metadata.name, "-n", parley.namespace, "--grace-period=1", "--wait=false"]);
  await parley.leader();
  await parley.ready("operator", 2);
}

test(`holds for ${EDITS} edits and more`, { timeout: 900_000 }, async () => {
  const lies: string[] = [];
  let edit = 0;
  const editOnce = async (): Promise<void> => {
    edit += 1;
    await cluster.api.apply(EDITED, agent(edit));
    await eventually(`edit ${edit} is programmed`, programmed, 120_000);
    for (const name of await behind(edit)) lies.push(`edit ${edit}: ${name}`);
  };
  for (const change of CHANGES) {
    const over = new AbortController();
    const changed = change().finally(() => over.abort());
    // A rejection is met below, after the edits.
    changed.catch(() => undefined);
    for (let n = 0; !over.signal.aborted || n < EDITS / CHANGES.length; n += 1) await editOnce();
    await changed;
  }
  console.log(`${edit} edits, ${lies.length} lies`);
  expect(lies).toEqual([]);
  expect(edit).toBeGreaterThanOrEqual(EDITS);
});
