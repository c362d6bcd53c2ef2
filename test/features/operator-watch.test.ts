// The operator reads a real API server through every fault that a network and a busy server bring, and misses nothing.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { reflect } from "../../operator/kube/reflector.ts";
import type { WatchError } from "../../operator/kube/pages.ts";
import type { KindChange } from "../../operator/kube/reflector.ts";
import { createClock } from "../../process/clock.ts";
import { startApiFaultProxy } from "../harness/api-fault-proxy.ts";
import type { ApiFaultProxy } from "../harness/api-fault-proxy.ts";
import { startApiServer } from "../harness/api-server.ts";
import type { ApiServer } from "../harness/api-server.ts";
import { quietLog } from "../../operator/publish/quiet.test-support.ts";
import { followOperator, kubeClient, runOperator } from "../harness/operator-in-process.ts";
import type { FollowingProxy, RunningOperator } from "../harness/operator-in-process.ts";
import { eventually } from "../harness/processes.ts";

const AGENTS = "/apis/parley.dev/v1alpha1/namespaces/default/a2aagents";
const present = (row: unknown): boolean => row !== undefined;
const absent = (row: unknown): boolean => row === undefined;

describe("the operator and a failing API server", () => {
  let api: ApiServer;
  let faults: ApiFaultProxy;
  let operator: RunningOperator;
  let proxy: FollowingProxy;

  beforeAll(async () => {
    api = await startApiServer();
    await api.applyCrds();
    faults = await startApiFaultProxy(api);
    operator = await runOperator(faults.kubeconfig);
    await operator.ready();
    proxy = await followOperator(operator.port, "p1");
  });
  afterAll(async () => {
    proxy.close();
    await operator.close();
    await faults.close();
    await api.stop();
  });

  const create = async (name: string): Promise<void> => {
    const body = {
      apiVersion: "parley.dev/v1alpha1",
      kind: "A2AAgent",
      metadata: { name },
      spec: { backends: [{ name: "a", url: "https://agent.example.com" }] },
    };
    expect((await api.request("POST", AGENTS, body)).status).toBe(201);
  };
  const remove = async (name: string): Promise<void> => {
    expect((await api.request("DELETE", `${AGENTS}/${name}`)).status).toBe(200);
  };
  const watching = (): Promise<true> =>
    eventually("all kinds are watched again", () => (faults.openWatches() === 6 ? true : undefined));

  it("goes on after its watches were reset, without listing again", async () => {
    await watching();
    const lists = await operator.metric('parley_operator_relists_total{kind="A2AAgent"}');
    expect(faults.resetWatches()).toBe(6);
    await create("after-reset");
    await proxy.row("agent/default/after-reset");
    expect(await operator.metric('parley_operator_relists_total{kind="A2AAgent"}')).toBe(lists);
    expect(await operator.metric('parley_operator_watch_errors_total{kind="A2AAgent",error="connection"}')).toBe(1);
  });

  it("serves on while the API server is away, and then catches up with what came and went", async () => {
    await create("goes");
    await proxy.row("agent/default/goes");
    faults.setUp(false);
    await remove("goes");
    await create("comes");
    const { version } = await proxy.stream.until("HEARTBEAT");
    expect((await fetch(`${operator.adminUrl}/readyz`)).status).toBe(200);
    expect(proxy.stream.table.has("agent/default/goes")).toBe(true);
    faults.setUp(true);
    await proxy.row("agent/default/comes", present);
    await proxy.row("agent/default/goes", absent);
    expect(proxy.stream.version()).not.toBe(version);
  });

  it.each([
    ["as a status", 410, JSON.stringify({ kind: "Status", code: 410, reason: "Expired" })],
    [
      "in the stream",
      200,
      `${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } })}\n`,
    ],
  ])("lists again when its version has expired, told %s, and finds what it missed", async (how, status, text) => {
    await watching();
    const name = `expired-${how.replaceAll(" ", "-")}`;
    const lists = await operator.metric('parley_operator_relists_total{kind="A2AAgent"}');
    let told = 0;
    faults.answerBy(({ watch, path }, response) => {
      if (!watch || !path.endsWith("/a2aagents") || told > 0) return false;
      told++;
      response.writeHead(status, { "content-type": "application/json" }).end(text);
      return true;
    });
    faults.resetWatches();
    await eventually("410 was told", () => (told === 1 ? true : undefined));
    faults.answerBy(undefined);
    await create(name);
    await proxy.row(`agent/default/${name}`);
    expect(await operator.metric('parley_operator_relists_total{kind="A2AAgent"}')).toBe(lists + 1);
  });

  it("starts while the API server is down: alive, not ready, no stream; then ready with everything", async () => {
    faults.setUp(false);
    const early = await runOperator(faults.kubeconfig);
    try {
      expect((await fetch(`${early.adminUrl}/healthz`)).status).toBe(200);
      const unready = await fetch(`${early.adminUrl}/readyz`);
      expect([unready.status, await unready.text()]).toEqual([503, expect.stringContaining("A2AAgent")]);
      const refused = await fetch(`http://127.0.0.1:${early.port}/v1/stream?proxy=p1`);
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
      faults.setUp(true);
      await early.ready();
      const follower = await followOperator(early.port, "p2");
      await follower.row("agent/default/comes");
      expect(follower.stream.version()).toBe(proxy.stream.version());
      follower.close();
    } finally {
      faults.setUp(true);
      await early.close();
    }
  });

  it("reads only the namespaces that it was given", async () => {
    for (const name of ["one", "two"]) {
      await api.request("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
      const body = {
        apiVersion: "parley.dev/v1alpha1",
        kind: "A2AAgent",
        metadata: { name: "local" },
        spec: { backends: [{ name: "a", url: "https://agent.example.com" }] },
      };
      expect((await api.request("POST", AGENTS.replace("default", name), body)).status).toBe(201);
    }
    const asked = faults.asked.length;
    const narrow = await runOperator(faults.kubeconfig, ["--namespaces=one,two", "--lease-name=narrow"]);
    try {
      await narrow.ready();
      const follower = await followOperator(narrow.port, "p3");
      await follower.row("agent/one/local");
      await follower.row("agent/two/local");
      expect([...follower.stream.table.keys()].filter((id) => id.startsWith("agent/default/"))).toEqual([]);
      const paths = new Set(faults.asked.slice(asked).map(({ path }) => path));
      expect(paths.has("/api/v1/namespaces/one/secrets")).toBe(true);
      follower.close();
    } finally {
      await narrow.close();
    }
  });
});

describe("reflect against an API server that cannot begin a watch with all objects", () => {
  let api: ApiServer;
  let faults: ApiFaultProxy;
  let stop: AbortController;
  const errors: WatchError[] = [];
  beforeAll(async () => {
    api = await startApiServer(["--feature-gates=WatchList=false"]);
    faults = await startApiFaultProxy(api);
    for (const name of ["a", "b", "c", "d", "e"]) await makeNamespace(name);
  });
  afterAll(async () => {
    await faults.close();
    await api.stop();
  });
  beforeEach(() => {
    stop = new AbortController();
    errors.length = 0;
  });
  afterEach(() => stop.abort());

  const makeNamespace = async (name: string): Promise<void> => {
    const made = await api.request("POST", "/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
    });
    expect(made.status).toBe(201);
  };
  const follow = (
    limits: Partial<Record<"page" | "pageMost" | "silence" | "watchSeconds", number>>,
  ): AsyncGenerator<KindChange, void> =>
    reflect({
      client: kubeClient(faults.kubeconfig),
      kind: "Namespace",
      clock: createClock(),
      random: Math.random,
      log: quietLog,
      signal: stop.signal,
      observe: { listed: () => undefined, failed: (error) => errors.push(error) },
      limits,
    });
  /** Names of the list that comes next. */
  const listed = async (changes: AsyncGenerator<KindChange, void>): Promise<readonly string[]> => {
    const names: string[] = [];
    for (let change = await changes.next(); change.done !== true; change = await changes.next()) {
      const { value } = change;
      if (value.type === "replaced") return names;
      if (value.type === "listing") names.length = 0;
      if (value.type === "listed") names.push(...value.objects.map(({ metadata }) => metadata.name));
    }
    return names;
  };

  it("puts a list together from its pages", async () => {
    const asked = faults.asked.length;
    expect(await listed(follow({ page: 2, pageMost: 2 }))).toEqual(
      expect.arrayContaining(["a", "b", "c", "d", "e", "default", "kube-system"]),
    );
    const since = faults.asked.slice(asked);
    expect(since[0]).toMatchObject({ listing: true });
    expect(since.filter(({ watch }) => !watch).length).toBeGreaterThanOrEqual(4);
    expect(errors).toEqual([]);
  });

  it("notices a watch that has gone dead, and asks again from where it was", async () => {
    const changes = follow({ silence: 1_000 });
    await listed(changes);
    const next = changes.next();
    await eventually("it watches", () => (faults.openWatches() === 1 ? true : undefined));
    faults.stallWatches();
    await makeNamespace("unheard");
    expect((await next).value).toMatchObject({ type: "upsert", object: { metadata: { name: "unheard" } } });
    expect(errors).toEqual(["silence"]);
  });

  it("takes up a watch that the API server has ended in time", async () => {
    const changes = follow({ watchSeconds: 1 });
    await listed(changes);
    const next = changes.next();
    const watches = (): number => faults.asked.filter(({ watch }) => watch).length;
    const before = watches();
    await eventually("it watches again", () => (watches() >= before + 2 ? true : undefined));
    await makeNamespace("later");
    expect((await next).value).toMatchObject({ type: "upsert", object: { metadata: { name: "later" } } });
    expect(errors).toEqual([]);
  });
});
