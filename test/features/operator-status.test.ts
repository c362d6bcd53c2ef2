// What the operator writes to a real API server: tokens for keys, conditions, Events; and how seldom.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startApiFaultProxy } from "../harness/api-fault-proxy.ts";
import type { ApiFaultProxy } from "../harness/api-fault-proxy.ts";
import { startApiServer } from "../harness/api-server.ts";
import type { ApiServer, KubeBody, KubeCondition } from "../harness/api-server.ts";
import { followOperator, runOperator } from "../harness/operator-in-process.ts";
import type { FollowingProxy, RunningOperator } from "../harness/operator-in-process.ts";
import { eventually } from "../harness/processes.ts";

const NAMESPACE = "/api/v1/namespaces/default";
const PARLEY = "/apis/parley.dev/v1alpha1/namespaces/default";
const AGENT = { backends: [{ name: "a", url: "http://127.0.0.1:9" }] };

describe("statuses at a real API server", () => {
  let api: ApiServer;
  let faults: ApiFaultProxy;
  let operator: RunningOperator;
  let proxy: FollowingProxy;

  beforeAll(async () => {
    api = await startApiServer();
    await api.applyCrds();
    faults = await startApiFaultProxy(api);
    operator = await runOperator(faults.kubeconfig);
    await operator.leading();
    proxy = await followOperator(operator.port, "p1");
  });
  afterAll(async () => {
    proxy.close();
    await operator.close();
    await faults.close();
    await api.stop();
  });

  const post = async (path: string, body: object): Promise<KubeBody> => {
    const answer = await api.request("POST", path, body);
    expect([answer.status, answer.body.message]).toEqual([201, undefined]);
    return answer.body;
  };
  const make = (kind: "A2AAgent" | "VirtualKey", name: string, spec: object): Promise<KubeBody> =>
    post(`${PARLEY}/${kind === "A2AAgent" ? "a2aagents" : "virtualkeys"}`, {
      apiVersion: "parley.dev/v1alpha1",
      kind,
      metadata: { name },
      spec,
    });
  const makeSecret = (name: string, metadata: object, data: Record<string, string>): Promise<KubeBody> =>
    post(`${NAMESPACE}/secrets`, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, ...metadata },
      stringData: data,
    });
  const get = async (path: string): Promise<KubeBody> => (await api.request("GET", path)).body;
  const condition = (path: string, type: string, reason: string): Promise<KubeCondition> =>
    eventually(`${path} has ${type} because of ${reason}`, async () => {
      const { status, metadata } = await get(`${PARLEY}/${path}`);
      const found = status?.conditions?.find((one) => one.type === type);
      return found?.reason === reason && found.observedGeneration === metadata?.generation ? found : undefined;
    });
  const writesOf = (name: string): number =>
    faults.asked.filter(({ method, path }) => method === "PATCH" && path.endsWith(`/${name}/status`)).length;
  const settled = (): Promise<true> =>
    eventually("no status waits", async () =>
      (await operator.metric("parley_operator_statuses_waiting")) === 0 ? true : undefined,
    );

  it("makes the token of a key that names none, publishes its hash, and says so in one write", async () => {
    const key = await make("VirtualKey", "alice", { owner: { user: "alice@example.com" } });
    const secret = await eventually("Secret alice-key", async () => {
      const found = await get(`${NAMESPACE}/secrets/alice-key`);
      return found.data === undefined ? undefined : found;
    });
    const token = Buffer.from(secret.data?.["token"] ?? "", "base64").toString();
    expect(token).toMatch(/^sk-[\w-]{43}$/);
    expect(secret.metadata).toMatchObject({
      labels: { "parley.dev/credential": "key" },
      ownerReferences: [{ kind: "VirtualKey", name: "alice", uid: key.metadata?.uid, controller: true }],
    });
    const sha256 = createHash("sha256").update(token).digest("hex");
    expect(await proxy.row("key/default/alice")).toMatchObject({ sha256 });
    const ready = await condition("virtualkeys/alice", "Ready", "Ready");
    expect(ready.status).toBe("True");
    expect((await get(`${PARLEY}/virtualkeys/alice`)).status).toMatchObject({ fingerprint: sha256.slice(0, 8) });
    await settled();
    expect(writesOf("alice")).toBe(1);
    const dump = await (await fetch(`${operator.adminUrl}/table`)).text();
    expect(dump).toContain("key/default/alice");
    expect(dump).not.toContain(sha256);
  });

  it("never takes over a Secret that somebody else made under that name", async () => {
    await makeSecret("bob-key", { labels: { "parley.dev/credential": "key" } }, { token: "x".repeat(40) });
    await make("VirtualKey", "bob", {});
    const refused = await condition("virtualkeys/bob", "SecretReady", "SecretNotOwned");
    expect(refused).toMatchObject({ status: "False", message: expect.stringContaining("secretRef") });
    expect(proxy.stream.table.has("key/default/bob")).toBe(false);
    expect((await get(`${NAMESPACE}/secrets/bob-key`)).metadata?.["ownerReferences"]).toBeUndefined();

    await makeSecret("dora-key", {}, { token: "x".repeat(41) });
    await make("VirtualKey", "dora", {});
    expect(await condition("virtualkeys/dora", "SecretReady", "SecretNotOwned")).toMatchObject({ status: "False" });
  });

  it("tells a Secret that lacks the label from one that is missing, and takes it up once it has the label", async () => {
    await makeSecret("carols", {}, { token: "y".repeat(40) });
    await make("VirtualKey", "carol", { secretRef: { name: "carols", key: "token" } });
    await make("VirtualKey", "carl", { secretRef: { name: "nowhere", key: "token" } });
    const unlabelled = await condition("virtualkeys/carol", "SecretReady", "SecretNotLabelled");
    expect(unlabelled.message).toContain("parley.dev/credential: key");
    await condition("virtualkeys/carl", "SecretReady", "SecretNotFound");
    const labels = { metadata: { labels: { "parley.dev/credential": "key" } } };
    await api.request("PATCH", `${NAMESPACE}/secrets/carols`, labels, {
      "content-type": "application/merge-patch+json",
    });
    await condition("virtualkeys/carol", "Ready", "Ready");
  });

  it("shows a generation as programmed once all proxies serve it, and names the one that does not", async () => {
    const slow = await followOperator(operator.port, "slow-proxy");
    await slow.row("gateway");
    await slow.acknowledge(false);
    await make("A2AAgent", "travel", AGENT);
    const lagging = await condition("a2aagents/travel", "Programmed", "NotApplied");
    expect(lagging).toMatchObject({ status: "False", message: expect.stringContaining("slow-proxy") });
    // Its card cannot be read, which stands before what proxies have.
    expect((await condition("a2aagents/travel", "Ready", "CardUnreachable")).status).toBe("False");
    await slow.acknowledge(true);
    expect((await condition("a2aagents/travel", "Programmed", "Programmed")).status).toBe("True");
    await settled();
    const before = writesOf("travel");
    slow.close();
    const another = await followOperator(operator.port, "another-proxy");
    await another.row("agent/default/travel");
    another.close();
    await settled();
    expect(writesOf("travel")).toBe(before);
  });

  it("gives a bad object a condition and an Event, and harms no other", async () => {
    await make("A2AAgent", "sound", AGENT);
    await make("A2AAgent", "younger", { ...AGENT, publicName: "sound" });
    await make("A2AAgent", "lost", {
      ...AGENT,
      backends: [{ name: "a", service: { name: "nowhere", port: 80 } }],
    });
    expect(await condition("a2aagents/younger", "Conflicted", "PublicNameTaken")).toMatchObject({ status: "True" });
    expect(await condition("a2aagents/lost", "ResolvedRefs", "ServiceNotFound")).toMatchObject({ status: "False" });
    await condition("a2aagents/sound", "Programmed", "Programmed");
    const events = await eventually("Events", async () => {
      const { items = [] } = await get("/apis/events.k8s.io/v1/namespaces/default/events");
      const told = items.map((item) => {
        const { regarding, type, reason } = item as unknown as Record<string, unknown>;
        return `${(regarding as { name: string }).name} ${String(type)} ${String(reason)}`;
      });
      const wanted = ["younger Warning PublicNameTaken", "lost Warning ServiceNotFound", "sound Normal Programmed"];
      return wanted.every((one) => told.includes(one)) ? told : undefined;
    });
    expect(events.filter((told) => told.startsWith("sound Warning") && !told.includes("Card"))).toEqual([]);
  });

  it("takes the row away with the object, and begins anew with one of the same name", async () => {
    await make("A2AAgent", "brief", AGENT);
    await condition("a2aagents/brief", "Programmed", "Programmed");
    await api.request("DELETE", `${PARLEY}/a2aagents/brief`);
    await proxy.row("agent/default/brief", (row) => row === undefined);
    const again = await make("A2AAgent", "brief", AGENT);
    await condition("a2aagents/brief", "Programmed", "Programmed");
    expect((await proxy.row("agent/default/brief"))?.["uid"]).toBe(again.metadata?.uid);
  });

  it("leaves a condition of another manager beside its own, and writes no more for it", async () => {
    await make("A2AAgent", "audited", AGENT);
    await condition("a2aagents/audited", "Discovered", "CardUnreachable");
    await settled();
    const count = writesOf("audited");
    const type = "example.com/Audited";
    const theirs = { type, status: "True", reason: "Seen", message: "", lastTransitionTime: "2026-01-02T03:04:05Z" };
    const answer = await api.request(
      "PATCH",
      `${PARLEY}/a2aagents/audited/status?fieldManager=auditor`,
      {
        apiVersion: "parley.dev/v1alpha1",
        kind: "A2AAgent",
        metadata: { name: "audited" },
        status: { conditions: [theirs] },
      },
      { "content-type": "application/apply-patch+yaml" },
    );
    expect([answer.status, answer.body.message]).toEqual([200, undefined]);
    const patch = { spec: { publicName: "audited-anew" } };
    await api.request("PATCH", `${PARLEY}/a2aagents/audited`, patch, {
      "content-type": "application/merge-patch+json",
    });
    await condition("a2aagents/audited", "Programmed", "Programmed");
    await settled();
    const { status } = await get(`${PARLEY}/a2aagents/audited`);
    expect(status?.conditions?.find((one) => one.type === type)).toEqual(theirs);
    expect(writesOf("audited") - count).toBe(1);
  });

  it("writes nothing after a restart when nothing changed, and what changed meanwhile", async () => {
    await settled();
    // The cards of these agents cannot be read (but of the one whose Service is missing, where nobody can be asked).
    await eventually("all agents were looked at", async () => {
      const { items = [] } = await get(`${PARLEY}/a2aagents`);
      const found = items.map(({ status }) => status?.conditions?.find(({ type }) => type === "Discovered")?.reason);
      return found.filter((reason) => reason === "CardUnreachable").length === items.length - 1 ? true : undefined;
    });
    await settled();
    const objects = async (): Promise<unknown> => {
      const lists = await Promise.all(["a2aagents", "virtualkeys"].map((kind) => get(`${PARLEY}/${kind}`)));
      return lists.flatMap(({ items = [] }) =>
        items.map(({ metadata }) => [metadata?.name, metadata?.resourceVersion]),
      );
    };
    const before = await objects();
    await proxy.stream.until("HEARTBEAT");
    const version = proxy.stream.version();
    await operator.close();
    const writes = (): number =>
      faults.asked.filter(({ method, path }) => method === "PATCH" && path.endsWith("/status")).length;
    const count = writes();

    operator = await runOperator(faults.kubeconfig);
    await operator.leading();
    const back = await followOperator(operator.port, "p1", version);
    expect((await back.stream.until("COMMIT")).lines).toBe(0);
    await eventually("cards were read again", async () =>
      (await operator.metric('parley_operator_card_reads_total{outcome="CardUnreachable"}')) > 0 ? true : undefined,
    );
    await settled();
    expect(writes() - count).toBe(0);
    expect(await objects()).toEqual(before);

    const patch = { spec: { publicName: "voyage" } };
    await api.request("PATCH", `${PARLEY}/a2aagents/travel`, patch, { "content-type": "application/merge-patch+json" });
    await condition("a2aagents/travel", "Programmed", "Programmed");
    await settled();
    expect(writes() - count).toBe(1);
    back.close();
  });

  it("owns each condition as one, also of an object whose CRD let it own each member", async () => {
    const crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/a2aagents.parley.dev";
    const type =
      "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/conditions/items/x-kubernetes-map-type";
    const changeCrd = async (operation: object): Promise<void> => {
      const patch = [{ path: type, ...operation }];
      const answer = await api.request("PATCH", crd, patch, { "content-type": "application/json-patch+json" });
      expect([answer.status, answer.body.message]).toEqual([200, undefined]);
    };
    /** What the operator owns, once the status is about the newest spec. */
    const owned = (path: string): Promise<string> =>
      eventually(`managed fields of ${path}`, async () => {
        const { metadata, status } = await get(`${PARLEY}/${path}`);
        if (status?.["observedGeneration"] !== metadata?.generation) return undefined;
        const managed = metadata?.["managedFields"] as readonly { readonly manager: string }[];
        return JSON.stringify(managed.find(({ manager }) => manager === "parley-operator"));
      });
    const member = '"f:lastTransitionTime"';
    let made = 0;
    // A changed CRD is served a moment later.
    const probe = async (): Promise<string> => {
      made += 1;
      await make("A2AAgent", `owned-${made}`, AGENT);
      return owned(`a2aagents/owned-${made}`);
    };
    await changeCrd({ op: "remove" });
    await eventually("members are owned one by one", async () => ((await probe()).includes(member) ? true : undefined));
    const old = `a2aagents/owned-${made}`;
    await changeCrd({ op: "add", value: "atomic" });
    await eventually("conditions are owned as a whole", async () =>
      (await probe()).includes(member) ? undefined : true,
    );
    expect(await owned(old)).toContain(member);
    const patch = { spec: { publicName: "owned-before" } };
    await api.request("PATCH", `${PARLEY}/${old}`, patch, { "content-type": "application/merge-patch+json" });
    expect(await owned(old)).toContain('"k:{\\"type\\":\\"Ready\\"}":{}');
  });
});
