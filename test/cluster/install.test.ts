// Installed by Helm on a real node: what users do on the first day, and what is left when they go.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../harness/processes.ts";
import { currentCluster } from "./current.ts";
import { IMAGES } from "./images.ts";
import { apply, createInstallation, ensureNamespace, type Installation } from "./installation.ts";
import { a2aAgent, agentWorkload, virtualKey, programPod } from "./objects.ts";
import { CommandFailed } from "./shell.ts";

const cluster = currentCluster();
const GATEWAY = "day-one";
const TEAM = "day-one-team";
const key = virtualKey(TEAM, "alice", GATEWAY, "hello");
let parley: Installation;

const get = async (kind: string, name: string): Promise<Record<string, unknown>> =>
  JSON.parse(await cluster.kubectl(["get", kind, name, "-n", TEAM, "-o", "json"])) as Record<string, unknown>;

/** Waits until a pod has run its program. */
async function ended(pod: string): Promise<{ readonly phase: string; readonly said: string }> {
  const phase = await eventually(
    `${pod} ended`,
    async () => {
      const { status } = (await get("pod", pod)) as { status: { phase: string } };
      return status.phase === "Succeeded" || status.phase === "Failed" ? status.phase : undefined;
    },
    120_000,
    200,
  );
  return { phase, said: await cluster.kubectl(["logs", pod, "-n", TEAM]) };
}

beforeAll(async () => {
  parley = await createInstallation(cluster, { namespace: "day-one", gateway: GATEWAY });
  await ensureNamespace(cluster, TEAM);
  await parley.upgrade();
  await apply(cluster, [...agentWorkload(TEAM, "hello"), a2aAgent(TEAM, "hello", GATEWAY), ...key.objects]);
  await cluster.kubectl(["rollout", "status", "deployment/hello", "-n", TEAM, "--timeout=180s"]);
});

afterAll(async () => {
  await cluster.kubectl(["delete", "namespace", TEAM, "day-one", "--ignore-not-found", "--wait=false"]);
});

describe("an installation", () => {
  test("programs an agent and a key, and shows it in conditions", async () => {
    for (const [kind, name] of [
      ["a2aagent", "hello"],
      ["virtualkey", "alice"],
    ] as const) {
      for (const condition of ["Programmed", "Ready"])
        await cluster.kubectl([
          "wait",
          `--for=condition=${condition}`,
          `${kind}/${name}`,
          "-n",
          TEAM,
          "--timeout=120s",
        ]);
    }
    const { status } = (await get("a2aagent", "hello")) as {
      status: { conditions: { type: string; status: string }[] };
    };
    expect(Object.fromEntries(status.conditions.map(({ type, status: value }) => [type, value]))).toMatchObject({
      Accepted: "True",
      Programmed: "True",
      Ready: "True",
    });
  });

  test("serves an A2A SDK inside of the cluster", async () => {
    await apply(cluster, [
      programPod(TEAM, "client", ["examples/clients/send.js"], {
        PARLEY_URL: parley.url,
        PARLEY_KEY: key.token,
        PARLEY_AGENT: "hello",
      }),
    ]);
    const { phase, said } = await ended("client");
    expect(said).toContain("Hello from copy hello-");
    expect(said).toContain("TASK_STATE_COMPLETED");
    expect(phase).toBe("Succeeded");
  });

  test.each([
    ["parley-operator", IMAGES.operator],
    ["parley-proxy", IMAGES.proxy],
  ])("runs an image of %s that answers --version", async (command, image) => {
    await apply(cluster, [programPod(TEAM, command, ["--version"], {}, image)]);
    expect(await ended(command)).toEqual({ phase: "Succeeded", said: `${image.split(":")[1]}\n` });
  });

  test("passes its own `helm test`", async () => {
    const said = await cluster.helm(["test", "parley", "--namespace", parley.namespace, "--timeout=120s"]);
    expect(said).toMatch(/Phase:\s+Succeeded/);
  });

  test("runs where only restricted pods may, and others are refused there", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "root", namespace: parley.namespace },
      spec: { containers: [{ name: "root", image: "localhost/pause:1" }] },
    };
    await expect(apply(cluster, [pod])).rejects.toThrow(/violates PodSecurity "restricted/);
    expect((await parley.pods("operator")).length).toBe(2);
    expect((await parley.pods("proxy")).length).toBe(2);
  });
});

describe("ServiceAccounts", () => {
  /** @param resource resource.group, resource.group/NAME, or resource.group:SUBRESOURCE */
  const may = async (account: string, verb: string, resource: string, namespace: string): Promise<boolean> => {
    const [type = "", subresource] = resource.split(":");
    const what = [type, ...(subresource === undefined ? [] : [`--subresource=${subresource}`])];
    const who = `--as=system:serviceaccount:day-one:${account}`;
    try {
      return (await cluster.kubectl(["auth", "can-i", verb, ...what, "-n", namespace, who])).trim() === "yes";
    } catch (error) {
      if (error instanceof CommandFailed && error.output.trim().split("\n").at(-1) === "no") return false;
      throw error;
    }
  };

  test.each([
    ["list", "a2aagents.parley.dev", TEAM],
    ["watch", "virtualkeys.parley.dev", TEAM],
    ["patch", "a2aagents.parley.dev:status", TEAM],
    ["patch", "virtualkeys.parley.dev:status", TEAM],
    ["list", "services", TEAM],
    ["watch", "endpointslices.discovery.k8s.io", TEAM],
    ["watch", "secrets", TEAM],
    ["create", "events.events.k8s.io", TEAM],
    ["update", "leases.coordination.k8s.io/parley-operator", "day-one"],
    ["create", "tokenreviews.authentication.k8s.io", ""],
  ])("the operator may %s %s in %s", async (verb, resource, namespace) => {
    expect(await may("parley-operator", verb, resource, namespace)).toBe(true);
  });

  test.each([
    ["update", "a2aagents.parley.dev", TEAM],
    ["delete", "a2aagents.parley.dev", TEAM],
    ["create", "virtualkeys.parley.dev", TEAM],
    ["delete", "secrets", TEAM],
    ["update", "secrets", TEAM],
    ["get", "configmaps", TEAM],
    ["create", "pods", TEAM],
    ["create", "pods:exec", "day-one"],
    ["get", "nodes", TEAM],
    ["update", "leases.coordination.k8s.io/another", "day-one"],
    ["escalate", "roles.rbac.authorization.k8s.io", TEAM],
    ["impersonate", "users", TEAM],
  ])("the operator may not %s %s in %s", async (verb, resource, namespace) => {
    expect(await may("parley-operator", verb, resource, namespace)).toBe(false);
  });

  test.each([
    ["get", "secrets", TEAM],
    ["list", "a2aagents.parley.dev", TEAM],
    ["get", "configmaps", "day-one"],
    ["get", "leases.coordination.k8s.io", "day-one"],
    ["create", "tokenreviews.authentication.k8s.io", TEAM],
  ])("a proxy may not %s %s in %s", async (verb, resource, namespace) => {
    expect(await may("parley-proxy", verb, resource, namespace)).toBe(false);
  });
});

// Near the end of this file, since counts of endpoints are written every half minute only: the agent was there before its pods.
test("columns show the agent's URL, its two endpoints and that it is ready, and the key", async () => {
  const columns = (kind: string): Promise<string> => cluster.kubectl(["get", kind, "-n", TEAM]);
  await eventually(
    "they do",
    async () => /^hello\s+http:\S+\/a2a\/hello\s+2\s+True\s/m.test(await columns("a2a")),
    90_000,
    500,
  );
  expect(await columns("vk")).toMatch(/alice\s/);
});

// Last in this file: afterwards nothing is installed.
test("an uninstall leaves users' objects and their kinds", async () => {
  await parley.uninstall();
  await parley.settled("proxy", 0);
  expect(await get("a2aagent", "hello")).toMatchObject({ kind: "A2AAgent" });
  expect(await get("virtualkey", "alice")).toMatchObject({ kind: "VirtualKey" });
});
