// A key that was revoked is dead on every proxy within a second, whatever happens to the operator that leads just then.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../harness/processes.ts";
import { currentCluster } from "./current.ts";
import { apply, createInstallation, ensureNamespace, type Installation } from "./installation.ts";
import { a2aAgent, agentWorkload, virtualKey, programPod } from "./objects.ts";
import { processesOf } from "./pod-processes.ts";
import type { Probed } from "./workload/probe.ts";

const cluster = currentCluster();
const GATEWAY = "revoked";
const TEAM = "revoked-team";
/** Milliseconds from the object's change to the last request that any proxy serves. */
const LIMIT = 1_000;
let parley: Installation;

beforeAll(async () => {
  parley = await createInstallation(cluster, { namespace: "revoked", gateway: GATEWAY });
  await ensureNamespace(cluster, TEAM);
  await parley.upgrade();
  await apply(cluster, [...agentWorkload(TEAM, "hello"), a2aAgent(TEAM, "hello", GATEWAY)]);
  await cluster.kubectl(["rollout", "status", "deployment/hello", "-n", TEAM, "--timeout=180s"]);
  await cluster.kubectl(["wait", "--for=condition=Programmed", "a2aagent/hello", "-n", TEAM, "--timeout=120s"]);
});

afterAll(async () => {
  await cluster.kubectl(["delete", "namespace", TEAM, "revoked", "--ignore-not-found", "--wait=false"]);
});

test.each([
  ["nothing happens", undefined],
  ["the leader is being killed", "KILL"],
  ["the leader hangs", "STOP"],
])("while %s", async (what, signal) => {
  const name = `key-${signal?.toLowerCase() ?? "calm"}`;
  const key = virtualKey(TEAM, name, GATEWAY, "hello");
  await apply(cluster, key.objects);
  await cluster.kubectl(["wait", "--for=condition=Programmed", `virtualkey/${name}`, "-n", TEAM, "--timeout=120s"]);
  const urls = (await parley.pods("proxy")).map(({ status }) => `http://${status.podIP}:8080/a2a/hello`);
  const probe = `probe-${name}`;
  await apply(cluster, [
    programPod(TEAM, probe, ["test/cluster/workload/probe.ts", `--urls=${urls.join(",")}`, `--key=${key.token}`]),
  ]);
  const probed = async (): Promise<readonly Probed[]> => {
    const path = `/api/v1/namespaces/${TEAM}/pods/${probe}:8080/proxy/`;
    return Object.values((await cluster.api.get(path)) as Record<string, Probed>);
  };
  await eventually("every proxy serves the key", async () => {
    const seen = await probed();
    return seen.length === urls.length && seen.every(({ served }) => served > 0);
  });

  const leader = await parley.leader();
  if (signal !== undefined) await cluster.onNode(processesOf(leader.metadata.uid, `kill -${signal} $pid`));
  const asked = Date.now();
  await cluster.kubectl(["patch", "virtualkey", name, "-n", TEAM, "--type=merge", "-p", '{"spec":{"disabled":true}}']);
  const revoked = Date.now();
  await eventually("every proxy refuses the key", async () =>
    (await probed()).every(({ served, refused }) => refused > served),
  );
  const last = Math.max(...(await probed()).map(({ served }) => served));
  console.log(
    `while ${what}: served last ${last - asked} ms after the change was asked for, which took ${revoked - asked} ms`,
  );
  expect(last - revoked).toBeLessThan(LIMIT);

  if (signal === "STOP") await cluster.onNode(processesOf(leader.metadata.uid, "kill -CONT $pid"));
  await cluster.kubectl(["delete", "pod", probe, "-n", TEAM, "--wait=false"]);
  await parley.settled("operator", 2);
});
