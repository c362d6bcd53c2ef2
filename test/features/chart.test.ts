// The chart: what it renders (goldens), whether a real API server takes all of it, and whether the rights in it are what operators need.
import { readdirSync, writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApiServer, type ApiServer } from "../harness/api-server.ts";
import { CHART, renderChart, type Rendered } from "../harness/chart.ts";
import type { KubeObject } from "../harness/cluster.ts";
import { foreignCrds } from "../harness/foreign-crds.ts";
import { runOperator } from "../harness/operator-in-process.ts";
import { eventually } from "../harness/processes.ts";

const TESTDATA = join(CHART, "testdata");
const cases = readdirSync(TESTDATA)
  .filter((name) => name.endsWith(".values.yaml"))
  .map((name) => name.replace(".values.yaml", ""));

const render = (name: string): Promise<Rendered> => renderChart([`--values=${join(TESTDATA, `${name}.values.yaml`)}`]);

test.each(cases)("renders %s as before, and every time the same", async (name) => {
  const { text } = await render(name);
  expect((await render(name)).text).toBe(text);
  await expect(text).toMatchFileSnapshot(join(TESTDATA, `${name}.golden.yaml`));
});

test.each([
  ["a value that is none", "--set=proxy.replica=3", /replica/],
  ["a gateway's name that is none", "--set=gatewayName=No", /gatewayName/],
  ["a range that is none", "--set=allowedUpstreams={everything}", /allowedUpstreams/],
  ["files without a Secret", "--set=stream.tls.mode=files", /stream.tls.secretName/],
  ["a route to nowhere", "--set=httpRoute.enabled=true", /httpRoute.parentRefs/],
  [
    "a certificate of nobody",
    "--set=stream.tls.mode=files,stream.tls.certificate.create=true",
    /certificate.issuerRef/,
  ],
  ["an Ingress for nobody", "--set=ingress.enabled=true", /ingress.hosts/],
])("refuses %s, and says where", async (_name, argument, said) => {
  await expect(renderChart([argument])).rejects.toThrow(said);
});

describe("a real API server", () => {
  let api: ApiServer;
  const plurals = new Map<string, ReadonlyMap<string, { readonly name: string; readonly namespaced: boolean }>>();

  beforeAll(async () => {
    api = await startApiServer();
    await api.applyCrds(await foreignCrds(() => undefined));
    for (const name of ["parley", "team-a", "team-b"]) {
      const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
      await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    }
  });
  afterAll(() => api.stop());

  async function pathOf({ apiVersion, kind, metadata }: KubeObject): Promise<string> {
    const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    let kinds = plurals.get(apiVersion);
    if (kinds === undefined) {
      const { body } = await api.request("GET", base);
      const { resources = [] } = body as { resources?: { name: string; kind: string; namespaced: boolean }[] };
      kinds = new Map(resources.filter(({ name }) => !name.includes("/")).map((one) => [one.kind, one]));
      plurals.set(apiVersion, kinds);
    }
    const resource = kinds.get(kind);
    if (resource === undefined) throw new Error(`${apiVersion} has no ${kind}`);
    const { name, namespace } = metadata;
    return `${base}/${resource.namespaced ? `namespaces/${namespace ?? "default"}/` : ""}${resource.name}/${name}`;
  }

  /** Gives what the API server has against it; undefined: nothing. */
  async function fault(object: KubeObject, query = ""): Promise<string | undefined> {
    const { status, body } = await api.request(
      "PATCH",
      `${await pathOf(object)}?fieldManager=test&force=true&fieldValidation=Strict${query}`,
      object,
      { "content-type": "application/apply-patch+yaml" },
    );
    return status < 300 ? undefined : `${object.kind} ${object.metadata.name}: ${body.message}`;
  }

  async function apply(object: KubeObject): Promise<void> {
    const against = await fault(object);
    if (against !== undefined) throw new Error(against);
  }

  test.each(cases)("takes every object of %s", async (name) => {
    const { objects } = await render(name);
    const faults = await Promise.all(objects.map((object) => fault(object, "&dryRun=All")));
    expect(faults.filter((one) => one !== undefined)).toEqual([]);
    expect(objects.length).toBeGreaterThan(10);
  });

  test.each([
    ["PodMonitor", "everything"],
    ["ServiceMonitor", "everything"],
    ["PrometheusRule", "everything"],
    ["HTTPRoute", "everything"],
    ["Certificate", "cert-manager"],
  ])("knows the fields of another project's %s", async (kind, name) => {
    const { objects } = await render(name);
    const object = objects.find((one) => one.kind === kind);
    if (object === undefined) throw new Error(`${name} has no ${kind}`);
    const wrong = { ...object, spec: { ...(object["spec"] as object), nothing: 1 } };
    expect(await fault(wrong, "&dryRun=All")).toMatch(/nothing/);
  });

  test.each(cases)("lets the pods of %s into a restricted namespace", async (name) => {
    const { objects } = await render(name);
    const pods = objects
      .filter(({ kind }) => kind === "Deployment")
      .map(({ metadata, spec }) => {
        const { template } = spec as { readonly template: { readonly spec: Record<string, unknown> } };
        // A class of priority is the cluster's.
        const { priorityClassName: _, ...pod } = template.spec;
        return { apiVersion: "v1", kind: "Pod", metadata: { name: metadata.name, namespace: "parley" }, spec: pod };
      });
    const tests = objects.filter(({ kind }) => kind === "Pod");
    expect(pods).toHaveLength(2);
    expect(tests).toHaveLength(1);
    const faults = await Promise.all([...pods, ...tests].map((pod) => fault(pod, "&dryRun=All")));
    expect(faults.filter((one) => one !== undefined)).toEqual([]);
  });

  test.each([
    ["default", "parley", "agents"],
    ["namespaced", "parley", "team-a"],
  ])("of %s gives operators the rights they need, and no more", async (name, namespace, served) => {
    const { objects } = await render(name);
    const isRight = ({ kind }: KubeObject): boolean => /Role|ServiceAccount/.test(kind);
    await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: served } });
    for (const object of objects.filter(isRight)) await apply(object);
    const token = await tokenOf(namespace, "parley-operator");
    const folder = mkdtempSync(join(tmpdir(), "parley-chart-"));
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, kubeconfigOf(api, token));
    const operator = await runOperator(kubeconfig, argsOf(objects, namespace));
    try {
      await operator.leading();
      await apply({
        apiVersion: "parley.dev/v1alpha1",
        kind: "VirtualKey",
        metadata: { name: "alice", namespace: served },
        spec: { agents: [{ name: "travel" }] },
      });
      const base = `/api/v1/namespaces`;
      await eventually("the key has its Secret and its status", async () => {
        const made = await api.request("GET", `${base}/${served}/secrets/alice-key`);
        const { body } = await api.request("GET", `/apis/parley.dev/v1alpha1/namespaces/${served}/virtualkeys/alice`);
        return made.status === 200 && body.status?.conditions?.some(({ type }) => type === "Accepted") === true;
      });
      const bundle = await eventually("the bundle is there", async () => {
        const { body } = await api.request("GET", `${base}/${namespace}/configmaps/parley-operator-ca`);
        return body.data?.["ca.crt"];
      });
      expect(bundle).toContain("BEGIN CERTIFICATE");
      expect(await operator.metric('parley_operator_watch_errors_total{kind="Secret",error="Forbidden"}')).toBe(0);
    } finally {
      await operator.close();
      rmSync(folder, { recursive: true });
    }
    const can = (who: string, verb: string, resource: string, where: string, group = "") =>
      allowed(api, `system:serviceaccount:${namespace}:${who}`, { verb, resource, group, namespace: where });
    expect(await can("parley-operator", "list", "secrets", served)).toBe(true);
    expect(await can("parley-operator", "list", "secrets", "kube-system")).toBe(name === "default");
    for (const [verb, resource, group] of [
      ["delete", "secrets", ""],
      ["update", "secrets", ""],
      ["delete", "a2aagents", "parley.dev"],
      ["patch", "a2aagents", "parley.dev"],
      ["list", "pods", ""],
      ["create", "pods", ""],
      ["list", "configmaps", ""],
      ["delete", "leases", "coordination.k8s.io"],
      ["create", "clusterrolebindings", "rbac.authorization.k8s.io"],
    ] as const) {
      expect(await can("parley-operator", verb, resource, served, group), `${verb} ${resource}`).toBe(false);
    }
    for (const verb of ["get", "list", "create"]) {
      expect(await can("parley-proxy", verb, "secrets", namespace)).toBe(false);
      expect(await can("parley-proxy", verb, "a2aagents", served, "parley.dev")).toBe(false);
    }
    // The next case stands alone.
    for (const object of objects.filter(({ kind }) => /Role/.test(kind)))
      await api.request("DELETE", await pathOf(object));
  });

  async function tokenOf(namespace: string, account: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
    const { body } = await api.request("POST", path, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { audiences: ["https://kubernetes.default.svc"] },
    });
    return String(body.status?.["token"]);
  }
});

/** The arguments of the Deployment, with listeners that a test can have. */
function argsOf(objects: readonly KubeObject[], namespace: string): readonly string[] {
  const deployment = objects.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "parley-operator");
  interface Spec {
    readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } };
  }
  const spec = deployment?.["spec"] as Spec | undefined;
  const args = spec?.template.spec.containers[0]?.args ?? [];
  return [...args.filter((arg) => !/^--(admin-)?listen=/.test(arg)), `--lease-namespace=${namespace}`];
}

function kubeconfigOf(api: ApiServer, token: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: api.url, "certificate-authority": api.caFile } }],
    users: [{ name: "operator", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "operator" } }],
    "current-context": "test",
  });
}

async function allowed(api: ApiServer, user: string, resourceAttributes: object): Promise<boolean> {
  const { body } = await api.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: { user, groups: ["system:serviceaccounts", "system:authenticated"], resourceAttributes },
  });
  return body.status?.["allowed"] === true;
}
