// What is called not well, and in which words.
import { describe, expect, test } from "vitest";
import type { Condition } from "../crds/types.ts";
import type { OperatorLease } from "./operator-leases.ts";
import type { Facts, ObjectFact, PodFact } from "./status-facts.ts";
import { judgeStatus } from "./status-report.ts";

const NOW = Date.parse("2026-06-01T12:00:00Z");
const at = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

function facts(change: {
  lease?: Partial<OperatorLease>;
  proxy?: object;
  pods?: PodFact[];
  objects?: ObjectFact[];
}): Facts {
  const proxy = {
    proxy: "uid-p",
    sequence: 7,
    version: "sha256:aaaa",
    since: at(60),
    connectedAt: at(600),
    refusedRows: 0,
    lost: false,
    ...change.proxy,
  };
  const summary = { gateway: "default", version: "sha256:aaaa", sequence: 7, rows: 3, proxies: [proxy], more: 0 };
  const lease = {
    name: "parley-operator",
    annotations: {},
    holder: "uid-o.1",
    renewedAt: NOW - 1000,
    duration: 15_000,
    summary,
  };
  const pods = change.pods ?? [pod("operator", "uid-o"), pod("operator", "uid-o2"), pod("proxy", "uid-p")];
  return { leases: [{ ...lease, ...change.lease }], pods, objects: change.objects ?? [], unread: [] };
}

function pod(component: string, uid: string, ready = true): PodFact {
  return {
    service: `parley-${component}`,
    instance: "parley",
    component,
    pod: `pod-${uid}`,
    uid,
    ready,
    ending: false,
  };
}

function agent(conditions: readonly Partial<Condition>[], generation = 1): ObjectFact {
  return {
    kind: "A2AAgent",
    namespace: "agents",
    name: "travel",
    gateway: "default",
    generation,
    conditions: conditions.map((one) => ({
      type: "Ready",
      status: "True",
      reason: "R",
      message: "m",
      lastTransitionTime: at(9),
      observedGeneration: 1,
      ...one,
    })),
  };
}

test("all is well", () => {
  const report = judgeStatus(facts({ objects: [agent([{}])] }), "parley", NOW);
  expect(report).toMatchObject({
    well: true,
    faults: [],
    gateways: [
      {
        age: 1,
        operators: [
          { name: "pod-uid-o", leads: true },
          { name: "pod-uid-o2", leads: false },
        ],
        proxies: [{ name: "pod-uid-p", version: "sha256:aaaa", age: 60 }],
        agents: { all: 1, ready: 1 },
        objects: [],
      },
    ],
  });
});

test("objects that another installation serves are none of this one's", () => {
  const elsewhere = { ...agent([{}]), gateway: "staging" };
  expect(judgeStatus(facts({ objects: [elsewhere] }), "parley", NOW)).toMatchObject({ well: true, faults: [] });
});

test("pods that were told to go, as in a rollout, have no fault", () => {
  const going = (component: string): PodFact => ({ ...pod(component, `old-${component}`, false), ending: true });
  const pods = [pod("operator", "uid-o"), pod("proxy", "uid-p"), going("operator"), going("proxy")];
  expect(judgeStatus(facts({ pods }), "parley", NOW)).toMatchObject({
    well: true,
    gateways: [{ operators: [{}, { ending: true }], proxies: [{ ending: false }, { ending: true, version: null }] }],
  });
});

describe("a key that was disabled or has expired", () => {
  const key = (reason: string, ...more: readonly Partial<Condition>[]): ObjectFact => ({
    ...agent([{ status: "False", reason }, { type: "Accepted", status: "False", reason, message: "why" }, ...more]),
    kind: "VirtualKey",
  });

  test.each(["Disabled", "Expired"])("is listed as %s, and is no fault", (reason) => {
    for (const programmed of [
      { type: "Programmed" },
      { type: "Programmed", status: "False", reason: "NotPublished" },
    ]) {
      const objects = [agent([{}]), key(reason, { type: "SecretReady", status: "False" }, programmed as Condition)];
      expect(judgeStatus(facts({ objects }), "parley", NOW)).toMatchObject({
        well: true,
        gateways: [
          {
            keys: { all: 1, ready: 0 },
            objects: [],
            off: [{ kind: "VirtualKey", namespace: "agents", name: "travel", reason, message: "why" }],
          },
        ],
      });
    }
  });

  test("is a fault while a proxy has not heard of it", () => {
    const late: Partial<Condition> = { type: "Programmed", status: "False", reason: "NotApplied", message: "by pod-x" };
    expect(judgeStatus(facts({ objects: [key("Disabled", late)] }), "parley", NOW)).toMatchObject({
      well: false,
      gateways: [{ objects: [{ fault: "Programmed=False NotApplied: by pod-x" }], off: [] }],
    });
  });

  test("is a fault for any other reason, as a token that another key has", () => {
    expect(judgeStatus(facts({ objects: [key("DuplicateKey")] }), "parley", NOW)).toMatchObject({ well: false });
  });
});

describe("not well is", () => {
  test.each<[string, Facts, RegExp]>([
    ["no installation", { leases: [], pods: [], objects: [], unread: [] }, /no operator of Parley has run/],
    [
      "CRDs that are not there, and no installation either",
      { leases: [], pods: [], objects: [], unread: ["A2AAgents: their CRD is not installed"] },
      /CRD is not installed.*no operator of Parley has run/s,
    ],
    [
      "an object of a gateway that nobody serves",
      facts({ objects: [{ ...agent([]), gateway: "defualt" }] }),
      /no operator serves its spec.gatewayName, defualt/,
    ],
    ["what may not be read", { ...facts({}), unread: ["Leases: forbidden"] }, /cannot be read: Leases/],
    ["nobody who leads", facts({ lease: { holder: "" } }), /no operator leads/],
    ["a leader that is silent", facts({ lease: { renewedAt: NOW - 31_000 } }), /has not renewed/],
    [
      "an operator that is not ready",
      facts({ pods: [pod("operator", "uid-o"), pod("operator", "x", false)] }),
      /is not ready/,
    ],
    [
      "a proxy that is not ready",
      facts({ pods: [pod("operator", "uid-o"), pod("proxy", "uid-p", false)] }),
      /is not ready/,
    ],
    ["a proxy without a stream", facts({ pods: [pod("operator", "uid-o"), pod("proxy", "x")] }), /has no stream/],
    ["a proxy that lags", facts({ proxy: { version: "sha256:bbbb", sequence: 5 } }), /lags 2 batches/],
    ["a proxy that refuses", facts({ proxy: { refusedRows: 2 } }), /refuses 2 rows/],
    ["a proxy that hangs", facts({ proxy: { lost: true } }), /does not read its stream/],
    ["an object that nobody looked at", facts({ objects: [agent([])] }), /no operator has looked at it/],
    ["a generation that nobody looked at", facts({ objects: [agent([{}], 2)] }), /newest generation/],
    [
      "an object that is not programmed",
      facts({
        objects: [
          agent([
            { status: "False", reason: "NotProgrammed" },
            { type: "Accepted" },
            { type: "Programmed", status: "False", reason: "Pending", message: "waits for pod-x" },
          ]),
        ],
      }),
      /Programmed=False Pending: waits for pod-x/,
    ],
  ])("%s", (_name, given, said) => {
    const report = judgeStatus(given, "parley", NOW);
    expect(report.well).toBe(false);
    expect(JSON.stringify(report)).toMatch(said);
  });

  test("no proxy at all", () => {
    const summary = { gateway: "default", version: "sha256:aaaa", sequence: 7, rows: 3, proxies: [], more: 0 };
    expect(judgeStatus(facts({ pods: [], lease: { summary } }), "parley", NOW)).toMatchObject({
      well: false,
      gateways: [
        {
          faults: ["no proxy is there"],
          operators: [{ name: "uid-o.1", leads: true }],
        },
      ],
    });
  });
});
