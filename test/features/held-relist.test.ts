// A list that lacks most of what was there: the gateway serves on, says so everywhere, and drops it on an administrator's word alone.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startApiFaultProxy } from "../harness/api-fault-proxy.ts";
import type { ApiFaultProxy } from "../harness/api-fault-proxy.ts";
import { startApiServer } from "../harness/api-server.ts";
import type { ApiServer } from "../harness/api-server.ts";
import { followOperator, runOperator } from "../harness/operator-in-process.ts";
import type { FollowingProxy, RunningOperator } from "../harness/operator-in-process.ts";
import { eventually } from "../harness/processes.ts";

const SECRETS = "/api/v1/namespaces/default/secrets";
const KEYS = "/apis/parley.dev/v1alpha1/namespaces/default/virtualkeys";
const LEASE = "/apis/coordination.k8s.io/v1/namespaces/default/leases/parley-operator-default";
const COUNT = 30;
const names = Array.from({ length: COUNT }, (_, index) => `key-${String(index).padStart(2, "0")}`);

let api: ApiServer;
let faults: ApiFaultProxy;
let operator: RunningOperator;
let proxy: FollowingProxy;

beforeAll(async () => {
  api = await startApiServer();
  await api.applyCrds();
  for (const name of names) {
    const metadata = { name: `${name}-token`, labels: { "parley.dev/credential": "key" } };
    const stringData = { token: `sk-${name}`.padEnd(40, "x") };
    await make(SECRETS, { apiVersion: "v1", kind: "Secret", metadata, stringData });
    await make(KEYS, {
      apiVersion: "parley.dev/v1alpha1",
      kind: "VirtualKey",
      metadata: { name },
      spec: { secretRef: { name: `${name}-token`, key: "token" } },
    });
  }
  faults = await startApiFaultProxy(api);
  operator = await runOperator(faults.kubeconfig);
  await operator.leading();
  proxy = await followOperator(operator.port, "p1");
  for (const name of names) await proxy.row(`key/default/${name}`);
});
afterAll(async () => {
  proxy?.close();
  await operator?.close();
  await faults?.close();
  await api?.stop();
});

async function make(path: string, body: object): Promise<void> {
  const { status, body: answered } = await api.request("POST", path, body);
  if (status !== 201) throw new Error(`${path}: ${status} ${answered.message}`);
}
const rows = (): readonly string[] => [...proxy.stream.table.keys()].filter((id) => id.startsWith("key/"));
const held = (kind: string): Promise<number> => operator.metric(`parley_operator_held_objects{kind="${kind}"}`);

/** A watch of these that begins with all objects finds none, and any other ends with 410. */
async function loseList(plural: string): Promise<void> {
  let lists = 0;
  faults.answerBy(({ path, watch, listing }, response) => {
    if (!watch || !path.endsWith(`/${plural}`)) return false;
    const gone = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
    const annotations = { "k8s.io/initial-events-end": "true" };
    const end = { type: "BOOKMARK", object: { metadata: { resourceVersion: "1", annotations } } };
    if (listing) lists += 1;
    const [status, body] = listing ? [200, end] : [410, gone];
    response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
    return true;
  });
  faults.resetWatches();
  await eventually("an empty list was read", () => (lists > 0 ? true : undefined));
}

async function parley(...args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string }> {
  const main = join(import.meta.dirname, "../../cli/main.ts");
  const child = spawn(process.execPath, [main, "confirm", `--kubeconfig=${api.kubeconfig}`, ...args]);
  const ended = new Promise<number | null>((resolve) => void child.on("close", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out: out + err };
}

it("tells of a Lease that is not there where its name is to be had", async () => {
  const { code, out } = await parley("--namespace=default", "--lease=parley-operator");
  expect(code).toBe(1);
  expect(out).toMatch(
    /^parley confirm: there is no Lease parley-operator in the namespace default: leave --lease out, or give --namespace/,
  );
  expect(await parley()).toMatchObject({
    code: 1,
    out: expect.stringContaining("in the namespace parley: give --namespace"),
  });
});

it("keeps what a list lacks, alarms, and ends when a list shows it again", async () => {
  expect(await parley("--namespace=default")).toEqual({ code: 0, out: "nothing is held\n" });
  await loseList("secrets");
  await eventually("Secrets are held", async () => ((await held("Secret")) === COUNT ? true : undefined));
  expect(rows()).toHaveLength(COUNT);
  const readiness = await fetch(`${operator.adminUrl}/readyz`);
  expect(readiness.status).toBe(200);
  expect(await readiness.json()).toMatchObject({ notes: [expect.stringContaining("30 objects of kind Secret")] });
  await eventually("the condition Held", async () => {
    const { body } = await api.request("GET", `${KEYS}/${names[0]}`);
    return body.status?.conditions?.find(({ type }) => type === "Held");
  });
  await eventually("a Warning about the Lease", async () => {
    const { body } = await api.request("GET", "/apis/events.k8s.io/v1/namespaces/default/events");
    const items = (body as unknown as { items: { reason: string; regarding: { kind: string } }[] }).items;
    return items.find(({ reason, regarding }) => reason === "RelistHeld" && regarding.kind === "Lease");
  });

  faults.answerBy(undefined);
  await eventually("nothing is held", async () => ((await held("Secret")) === 0 ? true : undefined));
  expect(rows()).toHaveLength(COUNT);
  await eventually("the condition is gone", async () => {
    const { body } = await api.request("GET", `${KEYS}/${names[0]}`);
    return body.status?.conditions?.some(({ type }) => type === "Held") === false ? true : undefined;
  });
});

it("drops it when an administrator has confirmed it, and not before", async () => {
  await loseList("virtualkeys");
  await eventually("keys are held", async () => ((await held("VirtualKey")) === COUNT ? true : undefined));
  const shown = await eventually("it stands on the Lease", async () => {
    const { out } = await parley("--namespace=default");
    return out.includes("VirtualKey: 30 held") ? out : undefined;
  });
  expect(shown).toContain("default/key-00");
  expect(shown).toContain("and 20 more");
  expect(shown).toContain("parley confirm --namespace=default --lease=parley-operator-default --yes");
  expect(rows()).toHaveLength(COUNT);

  expect(await parley("--namespace=default", "--yes")).toMatchObject({
    code: 0,
    out: expect.stringContaining("confirmed"),
  });
  await eventually("the keys are dropped", () => (rows().length === 0 ? true : undefined));
  expect(await held("VirtualKey")).toBe(0);
  await eventually("the Lease says no more of it", async () => {
    const { body } = await api.request("GET", LEASE);
    const { annotations = {} } = body.metadata as { annotations?: Record<string, string> };
    return annotations["parley.dev/held-relist"] === undefined ? true : undefined;
  });
  // The keys are there: the next true list brings them back.
  faults.answerBy(undefined);
  await eventually("the keys are back", () => (rows().length === COUNT ? true : undefined));
});
