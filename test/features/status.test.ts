// `parley status` against a real API server, as somebody who may read no more than it needs.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { status } from "../../cli/status.ts";
import type { StatusReport } from "../../cli/status-report.ts";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { eventually } from "../harness/processes.ts";

let cluster: Cluster;
let folder: string;
let reader: string;

beforeAll(async () => {
  cluster = await startCluster({ proxies: 2 });
  folder = mkdtempSync(join(tmpdir(), "parley-status-"));
  reader = join(folder, "kubeconfig");
  const { api } = cluster;
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await api.request("POST", path, body);
    if (answer.status !== 201) throw new Error(answer.body.message);
    return answer.body.status ?? {};
  };
  const rbac = "rbac.authorization.k8s.io";
  await post("/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "reader" } });
  await post(`/apis/${rbac}/v1/clusterroles`, {
    metadata: { name: "reader" },
    rules: [
      { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["list"] },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list"] },
      { apiGroups: ["parley.dev"], resources: ["a2aagents", "virtualkeys"], verbs: ["list"] },
    ],
  });
  await post(`/apis/${rbac}/v1/clusterrolebindings`, {
    metadata: { name: "reader" },
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "reader" },
    subjects: [{ kind: "ServiceAccount", namespace: "default", name: "reader" }],
  });
  const { token } = await post("/api/v1/namespaces/default/serviceaccounts/reader/token", {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: {},
  });
  writeFileSync(
    reader,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server: api.url, "certificate-authority": api.caFile } }],
      users: [{ name: "u", user: { token } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    }),
  );
});
afterAll(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function run(namespace: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const code = await status([`--kubeconfig=${reader}`, `--namespace=${namespace}`, ...args], {
    env: {},
    out: (text) => (out += text),
    err: (text) => (err += text),
    outIsTerminal: false,
    errIsTerminal: false,
    outColours: false,
    errColours: false,
    readStdin: () => Promise.resolve(""),
    version: "test",
  });
  return { code, out, err };
}

test("shows operators, proxies and objects, and says what is not well", async () => {
  const well = await eventually("all is well", async () => {
    const result = await run("default");
    // The leader tells of both proxies once it has renewed its Lease since they came.
    return result.code === 0 && result.out.includes("proxy-0") && result.out.includes("proxy-1") ? result : undefined;
  });
  expect(well.out).toMatch(
    /^Gateway default {2}table \w+, \d+ rows; Lease parley-operator-default, renewed \d+ s ago$/m,
  );
  expect(well.out).toMatch(/ leads$/m);
  expect(well.out).toMatch(/^ {2}proxy-1 +serves \w+ since \d+ s ago$/m);
  expect(well.out).toMatch(/All is well\.\n$/);

  await cluster.apply({
    apiVersion: "parley.dev/v1alpha1",
    kind: "VirtualKey",
    metadata: { name: "left", namespace: "default" },
    spec: { disabled: true },
  });
  const off = await eventually("a key that is switched off is shown, and all is well", async () => {
    const { code, out } = await run("default");
    return code === 0 && out.includes("vk default/left") ? out : undefined;
  });
  expect(off).toContain("0 of 1 keys are ready, 1 disabled or expired");
  expect(off).toMatch(/^ {2}vk default\/left +Disabled: spec\.disabled is true/m);

  await cluster.apply({
    apiVersion: "parley.dev/v1alpha1",
    kind: "A2AAgent",
    metadata: { name: "travel", namespace: "default" },
    spec: { backends: [{ name: "main", service: { name: "nowhere", port: "http" } }] },
  });
  const report = await eventually("it is not well, and says why", async () => {
    const { code, out } = await run("default", "--output=json");
    const read = JSON.parse(out) as StatusReport;
    return code === 1 && read.gateways[0]?.objects[0]?.fault.startsWith("ResolvedRefs=False") === true
      ? read
      : undefined;
  });
  expect(report).toMatchObject({
    well: false,
    gateways: [{ gateway: "default", agents: { all: 1, ready: 0 }, objects: [{ kind: "A2AAgent", name: "travel" }] }],
  });
  await cluster.delete("A2AAgent", "default", "travel");
  await cluster.proxies[0]?.child.stop();
  const text = await eventually("one proxy is left", async () => {
    const { out } = await run("default");
    return out.includes("proxy-0") ? undefined : out;
  });
  expect(text).toContain("proxy-1");
});

test("where nothing runs says so, and who may not read says that", async () => {
  await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "empty" } });
  const { code, out } = await run("empty");
  expect(code).toBe(1);
  expect(out).toMatch(
    /^no operator of Parley has run in the namespace empty: give --namespace=NAMESPACE of its Lease .*\nNot all is well\.\n$/,
  );
  const { api } = cluster;
  await api.request("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/reader");
  const refused = await eventually("nothing may be read", async () => {
    const result = await run("default");
    return result.out.includes("cannot be read: Leases") ? result : undefined;
  });
  expect(refused.code).toBe(1);
  expect(refused.out).toContain("forbidden");
});
