// YAML in, an answered A2A request out: real API server, operator, three proxies, the example agent in two copies,
// every SDK in both bindings.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, type Cluster } from "../harness/cluster.ts";
import { post, sendBody } from "../harness/calls.ts";
import { converse, SDKS } from "../harness/conversation.ts";
import { startAgent, type AgentCopy } from "../harness/example-agents.ts";
import { agent, key, NAMESPACE, service, slice, urlAgent } from "../harness/objects.ts";
import { eventually } from "../harness/processes.ts";

const TOKEN = "sk-whole-way-0123456789-0123456789-0123456789";
let cluster: Cluster;
let copies: readonly AgentCopy[];

beforeAll(async () => {
  [cluster, copies] = await Promise.all([
    startCluster({ proxies: 3 }),
    Promise.all([startAgent("hello", "a", "10.98.1.1", 9000), startAgent("hello", "b", "10.98.1.2", 9000)]),
  ]);
});

afterAll(async () => {
  await Promise.all([cluster?.stop(), ...(copies ?? []).map((copy) => copy.child.stop())]);
});

const addressed = { kind: "A2AAgent", namespace: NAMESPACE } as const;

describe("an applied agent", () => {
  test("answers on all three proxies and is Programmed for its generation", async () => {
    await cluster.apply(
      ...service("hello", ["10.98.1.1", "10.98.1.2"], 9000),
      agent("hello", { backends: [{ name: "pods", service: { name: "hello", port: "http" } }] }),
      ...key("caller", TOKEN, ["hello"]),
    );
    const programmed = await cluster.condition({ ...addressed, name: "hello" }, "Programmed", "True");
    expect(programmed.observedGeneration).toBe(1);
    await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name: "caller" }, "Programmed", "True");
    for (const proxy of cluster.proxies) {
      const answer = await post(`${proxy.url}/a2a/hello`, TOKEN, sendBody("hello"));
      expect(answer.status).toBe(200);
      expect(answer.text).toMatch(/copy [ab]/);
    }
  });

  test("is read by the operator, which tells what its card says", async () => {
    await cluster.condition({ ...addressed, name: "hello" }, "Discovered", "True", 30_000);
    const object = await cluster.get("A2AAgent", NAMESPACE, "hello");
    expect(object?.status?.["versions"]).toBe("0.3,1.0");
    expect(object?.status?.["readyEndpoints"]).toBe(2);
    await cluster.condition({ ...addressed, name: "hello" }, "Ready", "True");
  });

  test("is balanced over both copies, and over one when the other is gone from the slice", async () => {
    const url = `${cluster.proxies[0]?.url}/a2a/hello`;
    const seen = new Set<string>();
    for (let i = 0; i < 40; i += 1)
      seen.add(/copy ([ab])/.exec((await post(url, TOKEN, sendBody("hello", i))).text)?.[1] ?? "?");
    expect([...seen].toSorted()).toEqual(["a", "b"]);
    await cluster.apply(slice("hello", ["10.98.1.2"], 9000));
    await eventually("only copy b answers", async () => {
      for (let i = 0; i < 20; i += 1)
        if (!(await post(url, TOKEN, sendBody("hello", i))).text.includes("copy b")) return undefined;
      return true;
    });
    await cluster.apply(slice("hello", ["10.98.1.1", "10.98.1.2"], 9000));
  });
});

describe.each(SDKS)("%s", (sdk) => {
  test.each(["JSONRPC", "HTTP+JSON"] as const)(
    "holds a whole conversation over %s with both copies running",
    async (binding) => {
      const base = `${cluster.proxies[1]?.url}/a2a/hello`;
      const seen = await converse(sdk, base, TOKEN, binding);
      expect(seen.card).toEqual({ name: "hello", url: base });
      expect(seen.hello).toMatch(/copy [ab]/);
      expect(seen.stream.text).toContain("three");
      expect(seen.stream.events).toBeGreaterThan(3);
      expect(seen.long).toEqual({ polled: ["working", "working", "working", "working"], canceled: "canceled" });
      expect(seen.ask).toMatchObject({ asked: "input-required", answered: "completed", sameTask: true });
      expect(seen.ask.text).toContain("blue");
    },
  );
});

describe("paths", () => {
  test("with and without a trailing slash, short and long, LiteLLM's form: all answer, none redirects", async () => {
    const base = cluster.proxies[2]?.url;
    for (const path of [
      "/a2a/hello",
      "/a2a/hello/",
      `/ns/${NAMESPACE}/a2a/hello`,
      `/ns/${NAMESPACE}/a2a/hello/`,
      "/a2a/hello/message/send",
      "/v1/a2a/hello/message/send",
    ]) {
      const answer = await post(`${base}${path}`, TOKEN, sendBody("hello", 7));
      expect([path, answer.status]).toEqual([path, 200]);
      expect(JSON.parse(answer.text).id).toBe(7);
    }
    for (const path of ["/.well-known/agent-card.json", "/.well-known/agent.json"]) {
      const card = await fetch(`${base}/a2a/hello${path}`, { redirect: "manual" });
      expect(card.status).toBe(200);
      expect(await card.text()).not.toContain("10.98.1.");
    }
  });

  test("a name that another agent holds is Conflicted, and its long path serves", async () => {
    await cluster.apply(
      urlAgent("impostor", [`http://127.0.0.1:9`], { publicName: "hello" }),
      ...key("other", `${TOKEN}-2`, ["impostor"]),
    );
    const conflict = await cluster.condition({ ...addressed, name: "impostor" }, "Conflicted", "True");
    await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name: "other" }, "Programmed", "True");
    expect(conflict.reason).toBe("PublicNameTaken");
    expect(conflict.message).toContain("default/hello");
    expect((await post(`${cluster.proxies[0]?.url}/a2a/hello`, TOKEN, sendBody("hello"))).status).toBe(200);
    const long = await post(`${cluster.proxies[0]?.url}/ns/${NAMESPACE}/a2a/impostor`, `${TOKEN}-2`, sendBody("hello"));
    expect(long.status).toBe(502);
    await cluster.delete("A2AAgent", NAMESPACE, "impostor");
  });
});

describe("a key that names no Secret", () => {
  test("gets one made, and works", async () => {
    await cluster.apply({
      apiVersion: "parley.dev/v1alpha1",
      kind: "VirtualKey",
      metadata: { name: "made", namespace: NAMESPACE },
      spec: { agents: [{ name: "hello" }] },
    });
    await cluster.condition({ kind: "VirtualKey", namespace: NAMESPACE, name: "made" }, "Programmed", "True");
    const secret = await cluster.get("Secret", NAMESPACE, "made-key");
    const token = Buffer.from(secret?.data?.["token"] ?? "", "base64").toString();
    expect(token).toMatch(/^sk-[\w-]{43}$/);
    expect((await post(`${cluster.proxies[0]?.url}/a2a/hello`, token, sendBody("hello"))).status).toBe(200);
    const object = await cluster.get("VirtualKey", NAMESPACE, "made");
    expect(JSON.stringify(object)).not.toContain(token);
  });
});

describe("an object with a fault", () => {
  test("gets a condition with a reason and harms nothing else", async () => {
    await cluster.apply(agent("lost", { backends: [{ name: "none", service: { name: "nowhere", port: 80 } }] }));
    const refs = await cluster.condition({ ...addressed, name: "lost" }, "ResolvedRefs", "False");
    expect(refs.reason).toBe("ServiceNotFound");
    expect(refs.message).toContain("nowhere");
    await cluster.condition({ ...addressed, name: "lost" }, "Ready", "False");
    await cluster.apply(...key("twin", TOKEN, ["hello"]));
    const twin = await cluster.condition(
      { kind: "VirtualKey", namespace: NAMESPACE, name: "twin" },
      "Accepted",
      "False",
    );
    expect(twin.reason).toBe("DuplicateKey");
    expect((await post(`${cluster.proxies[0]?.url}/a2a/hello`, TOKEN, sendBody("hello"))).status).toBe(200);
    await expect(
      cluster.apply(
        agent("both", { backends: [{ name: "x", url: "http://a.example.com", service: { name: "a", port: 80 } }] }),
      ),
    ).rejects.toThrow(/exactly one of/);
  });
});
