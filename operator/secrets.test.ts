import { beforeEach, describe, expect, it } from "vitest";
import { createFakeClock } from "../proxy/table/clock.test-support.ts";
import type { FakeClock } from "../proxy/table/clock.test-support.ts";
import type { EnsureResult } from "./kube/key-secrets.ts";
import type { SecretLook } from "./kube/look-at-secret.ts";
import type { AgentObject, KeyObject, Metadata } from "./objects.ts";
import { createSecrets } from "./secrets.ts";
import { createStore } from "./store.ts";
import type { Store } from "./store.ts";
import { agentFinding } from "./translate/conditions.ts";
import type { ObjectResult } from "./translate/result.ts";

const silent = (): void => undefined;
const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const metadata = (name: string): Metadata => ({
  namespace: "agents",
  name,
  uid: `uid-${name}`,
  generation: 1,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  labels: {},
});
const key = (name: string, secret?: string): KeyObject => ({
  kind: "VirtualKey",
  metadata: metadata(name),
  spec: { gatewayName: "default", ...(secret === undefined ? {} : { secretRef: { name: secret, key: "token" } }) },
});
const agent = (name: string, ...secrets: string[]): AgentObject => ({
  kind: "A2AAgent",
  metadata: metadata(name),
  spec: {
    gatewayName: "default",
    backends: [],
    credentials: secrets.map((secret) => ({ header: "authorization", secretRef: { name: secret, key: "token" } })),
  },
});
const result = (
  { kind, metadata: { name, uid } }: KeyObject | AgentObject,
  reason = "SecretNotFound",
  message = "",
): ObjectResult => ({
  kind,
  namespace: "agents",
  name,
  uid,
  generation: 1,
  conditions: [
    {
      type: kind === "VirtualKey" ? "SecretReady" : "ResolvedRefs",
      status: reason === "Fine" ? "True" : "False",
      reason,
      message,
    },
  ],
  fields: {},
  rowId: null,
});

describe("createSecrets", () => {
  let store: Store;
  let clock: FakeClock;
  let ensured: string[];
  let looked: string[];
  let overrides: [string, string | undefined][];
  let messages: (string | undefined)[];
  let ensureResults: EnsureResult[];
  let looks: Record<string, SecretLook>;

  beforeEach(() => {
    store = createStore({ gatewayName: "default" });
    clock = createFakeClock();
    ensured = [];
    looked = [];
    overrides = [];
    messages = [];
    ensureResults = [];
    looks = {};
  });

  function start() {
    return createSecrets({
      store,
      ensure: (object) => {
        ensured.push(object.metadata.name);
        return Promise.resolve(ensureResults.shift() ?? { ok: true, made: true });
      },
      look: (_, name) => {
        looked.push(name);
        return Promise.resolve(looks[name] ?? "missing");
      },
      override: ({ name }, _, finding) => {
        overrides.push([name, finding?.reason]);
        messages.push(finding?.message);
      },
      clock,
      random: () => 0.5,
      log,
    });
  }

  it("makes the Secret of a key that names none, while it leads", async () => {
    const secrets = start();
    const alice = key("alice");
    store.set(alice);
    secrets.turn([], [result(alice)]);
    await settle();
    expect(ensured).toEqual([]);
    secrets.lead(true);
    await settle();
    expect([ensured, overrides]).toEqual([["alice"], [["alice", undefined]]]);
    secrets.turn([], [result(alice, "Fine")]);
    clock.advance(600_000);
    await settle();
    expect([ensured, clock.pending]).toEqual([["alice"], []]);
  });

  it("never makes a Secret that a key names, but tells when it only lacks the label", async () => {
    const secrets = start();
    secrets.lead(true);
    const [bob, carol] = [key("bob", "bobs"), key("carol", "carols")];
    store.set(bob);
    store.set(carol);
    looks = { bobs: "not-labelled" };
    secrets.turn([], [result(bob), result(carol)]);
    await settle();
    expect([ensured, looked, overrides]).toEqual([
      [],
      ["bobs", "carols"],
      [
        ["bob", "SecretNotLabelled"],
        ["carol", undefined],
      ],
    ]);
  });

  it("looks only at those Secrets of an agent that were not read", async () => {
    const secrets = start();
    secrets.lead(true);
    const travel = agent("travel", "read", "hidden", "hidden");
    store.set(travel);
    store.set({ kind: "Secret", metadata: metadata("read"), credential: "upstream", controller: "", data: {} });
    looks = { hidden: "not-labelled" };
    secrets.turn(
      [],
      [result(travel, "SecretNotFound", agentFinding("SecretNotFound", "authorization", "hidden").message)],
    );
    await settle();
    expect([looked, overrides]).toEqual([["hidden"], [["travel", "SecretNotLabelled"]]]);
  });

  it("takes back what it said once the object finds its Secret", async () => {
    const secrets = start();
    secrets.lead(true);
    const bob = key("bob", "bobs");
    store.set(bob);
    looks = { bobs: "not-labelled" };
    secrets.turn([], [result(bob)]);
    await settle();
    secrets.turn([], [result(bob, "Fine")]);
    secrets.turn([], [result(bob, "Fine")]);
    expect(overrides).toEqual([
      ["bob", "SecretNotLabelled"],
      ["bob", undefined],
    ]);
  });

  it("says that a Secret belongs to somebody else, and comes back to see whether it still does", async () => {
    const secrets = start();
    secrets.lead(true);
    const alice = key("alice");
    store.set(alice);
    ensureResults = [{ ok: false, reason: "NotOwned" }];
    secrets.turn([], [result(alice)]);
    await settle();
    expect(overrides).toEqual([["alice", "SecretNotOwned"]]);
    clock.advance(5_000);
    await settle();
    expect([ensured, overrides.at(-1)]).toEqual([
      ["alice", "alice"],
      ["alice", undefined],
    ]);
  });

  it("has one timer for an object, however often it comes, and none once it is gone", async () => {
    const secrets = start();
    secrets.lead(true);
    const alice = key("alice");
    store.set(alice);
    ensureResults = Array.from({ length: 9 }, () => ({ ok: false, reason: "Unavailable", message: "away" }));
    for (const message of ["a", "b", "c"]) {
      secrets.turn([], [result(alice, "SecretNotFound", message)]);
      await settle();
    }
    expect([ensured.length, clock.pending.length]).toEqual([3, 1]);
    secrets.turn([], [result(alice, "SecretNotFound", "c")]);
    await settle();
    expect(ensured).toHaveLength(3);
    store.delete("VirtualKey/agents/alice");
    secrets.turn(["VirtualKey/agents/alice"], []);
    expect(clock.pending).toEqual([]);
    secrets.lead(false);
    secrets.lead(true);
    await settle();
    expect(ensured).toHaveLength(3);
  });

  it("says that a token cannot be made and why, until it can", async () => {
    const secrets = start();
    secrets.lead(true);
    const alice = key("alice");
    store.set(alice);
    ensureResults = [{ ok: false, reason: "Refused", message: "Forbidden: exceeded quota" }];
    secrets.turn([], [result(alice)]);
    await settle();
    expect(overrides).toEqual([["alice", "SecretNotMade"]]);
    expect(messages).toEqual(["Secret alice-key could not be made: Forbidden: exceeded quota"]);
    clock.advance(1_000);
    await settle();
    expect(overrides.at(-1)).toEqual(["alice", undefined]);
  });

  it("finds out that a Secret came without its label, and that it went again, which no watch tells", async () => {
    const secrets = start();
    secrets.lead(true);
    const bob = key("bob", "bobs");
    store.set(bob);
    secrets.turn([], [result(bob)]);
    await settle();
    looks = { bobs: "not-labelled" };
    clock.advance(1_000);
    await settle();
    expect(overrides.at(-1)).toEqual(["bob", "SecretNotLabelled"]);
    looks = {};
    clock.advance(330_000);
    await settle();
    expect(overrides.at(-1)).toEqual(["bob", undefined]);
  });

  it("looks at an agent's Secrets whatever else is wrong with it, and drops no other fault", async () => {
    const secrets = start();
    secrets.lead(true);
    const travel = agent("travel", "hidden", "nowhere");
    store.set(travel);
    looks = { hidden: "not-labelled" };
    const said = (name: string): string => agentFinding("SecretNotFound", "authorization", name).message;
    const other = "Backend a: there is no Service x.";
    const label =
      "Credential authorization: Secret hidden is there but may not be read: label it with parley.dev/credential: upstream.";
    secrets.turn([], [result(travel, "ServiceNotFound", [other, said("hidden"), said("nowhere")].join(" "))]);
    await settle();
    secrets.turn([], [result(travel, "SecretNotFound", [said("hidden"), said("nowhere")].join(" "))]);
    await settle();
    secrets.turn([], [result(travel, "SecretNotFound", [said("nowhere"), said("hidden")].join(" "))]);
    await settle();
    expect(overrides).toEqual([
      ["travel", "ServiceNotFound"],
      ["travel", "SecretNotLabelled"],
      ["travel", "SecretNotFound"],
    ]);
    expect(messages).toEqual([
      [other, label, said("nowhere")].join(" "),
      [label, said("nowhere")].join(" "),
      [said("nowhere"), label].join(" "),
    ]);
  });

  it("tries again when the API server failed, and stops when it leads no longer", async () => {
    const secrets = start();
    secrets.lead(true);
    const alice = key("alice");
    store.set(alice);
    ensureResults = [
      { ok: false, reason: "Unavailable", message: "away" },
      { ok: false, reason: "Unavailable", message: "away" },
    ];
    secrets.turn([], [result(alice)]);
    await settle();
    clock.advance(5_000);
    await settle();
    expect(ensured).toHaveLength(2);
    secrets.lead(false);
    clock.advance(60_000);
    await settle();
    expect(ensured).toHaveLength(2);
  });

  it("leaves objects alone that are gone, going, or others of the same name", async () => {
    const secrets = start();
    const [gone, going, other] = [key("gone"), key("going"), key("other")];
    store.set({ ...going, metadata: { ...going.metadata, deletionTimestamp: "2026-01-02T00:00:00Z" } });
    store.set({ ...other, metadata: { ...other.metadata, uid: "another" } });
    secrets.turn([], [result(gone), result(going), result(other)]);
    secrets.lead(true);
    await settle();
    expect(ensured).toEqual([]);
  });
});
