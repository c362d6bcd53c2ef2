import { afterEach, describe, expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { KeyObject } from "../objects.ts";
import { createApplyStatus } from "./apply.ts";
import { createEvents } from "./events.ts";
import type { ObjectEvent } from "./events.ts";
import { ensureKeySecret } from "./key-secrets.ts";
import { lookAtSecret } from "./look-at-secret.ts";
import { answer, refusal, startScriptedServer } from "./scripted-server.test-support.ts";
import type { Handler, ScriptedServer } from "./scripted-server.test-support.ts";

const silent = (): void => undefined;
const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
const { signal } = new AbortController();
const target = { kind: "VirtualKey", namespace: "agents", name: "alice", uid: "u1" } as const;

let server: ScriptedServer;
afterEach(() => server.close());

describe("createApplyStatus", () => {
  it("applies the whole status to the subresource, by force, as one owner, to that very object", async () => {
    server = await startScriptedServer(answer(200, { metadata: { name: "alice", resourceVersion: "8" } }));
    const result = await createApplyStatus(server.client)(target, { fingerprint: "3f9a1c02" }, signal);
    expect(result).toEqual({ ok: true, resourceVersion: "8" });
    const [asked] = server.asked;
    expect(`${asked?.method} ${asked?.url.pathname}${asked?.url.search}`).toBe(
      "PATCH /apis/parley.dev/v1alpha1/namespaces/agents/virtualkeys/alice/status?fieldManager=parley-operator&force=true",
    );
    expect(asked?.headers["content-type"]).toBe("application/apply-patch+yaml");
    expect(JSON.parse(asked?.body ?? "")).toEqual({
      apiVersion: "parley.dev/v1alpha1",
      kind: "VirtualKey",
      metadata: { namespace: "agents", name: "alice", uid: "u1" },
      status: { fingerprint: "3f9a1c02" },
    });
  });

  it.each([
    [refusal(404, "NotFound"), { ok: false, reason: "Gone" }],
    [refusal(409, "Conflict", "uid mismatch"), { ok: false, reason: "Gone" }],
    [refusal(422, "Invalid", "no"), { ok: false, reason: "Refused", message: "Invalid: no" }],
    [refusal(403, "Forbidden", "no"), { ok: false, reason: "Unavailable", message: "Forbidden: no" }],
    [refusal(429, "TooManyRequests", "later"), { ok: false, reason: "Unavailable", message: "TooManyRequests: later" }],
  ])("tells what became of a write that failed (%#)", async (handler, expected) => {
    server = await startScriptedServer(handler);
    expect(await createApplyStatus(server.client)(target, {}, signal)).toEqual(expected);
  });

  it("reports a broken connection as a reason to try again", async () => {
    server = await startScriptedServer((response) => response.destroy());
    expect(await createApplyStatus(server.client)(target, {}, signal)).toMatchObject({ reason: "Unavailable" });
  });
});

describe("createEvents", () => {
  const event: ObjectEvent = {
    about: target,
    type: "Warning",
    reason: "KeyMissing",
    action: "SecretReady",
    note: "No key.",
  };
  const made: Handler = (response, _, body) => {
    const { metadata } = JSON.parse(body) as { metadata: { name: string } };
    answer(201, { metadata: { ...metadata, resourceVersion: "1" } })(response, new URL("http://x"), "");
  };

  async function start(limits: Partial<Record<"burst" | "perSecond" | "queued", number>>, ...script: Handler[]) {
    server = await startScriptedServer(...script);
    const clock = createFakeClock();
    const results: string[] = [];
    const events = createEvents({
      client: server.client,
      replica: "r1",
      clock,
      random: () => 0.5,
      log,
      signal,
      observe: (result) => results.push(result),
      limits,
    });
    return { events, clock, results };
  }

  it("makes an Event about the object", async () => {
    const { events, results } = await start({}, made);
    events.emit(event);
    await events.idle();
    expect(results).toEqual(["sent"]);
    expect(server.asked[0]?.url.pathname).toBe("/apis/events.k8s.io/v1/namespaces/agents/events");
    expect(JSON.parse(server.asked[0]?.body ?? "")).toMatchObject({
      apiVersion: "events.k8s.io/v1",
      type: "Warning",
      reason: "KeyMissing",
      action: "SecretReady",
      note: "No key.",
      reportingController: "parley.dev/operator",
      reportingInstance: "r1",
      regarding: { kind: "VirtualKey", namespace: "agents", name: "alice", uid: "u1" },
    });
  });

  it("counts an equal Event up, and makes a new one when the old one is gone or long past", async () => {
    const { events, clock } = await start({}, made, answer(200, {}), refusal(404, "NotFound"), made, made);
    events.emit(event);
    events.emit(event);
    await events.idle();
    expect(JSON.parse(server.asked[1]?.body ?? "")).toMatchObject({ series: { count: 2 } });
    events.emit(event);
    await events.idle();
    clock.advance(600_001);
    events.emit(event);
    await events.idle();
    expect(server.asked.map(({ method }) => method)).toEqual(["POST", "PATCH", "PATCH", "POST", "POST"]);
  });

  it("drops what is too much, and has room again after a while", async () => {
    const { events, clock, results } = await start({ burst: 2, perSecond: 1 }, made, made, made);
    for (const note of ["a", "b", "c"]) events.emit({ ...event, note });
    await events.idle();
    expect(results.toSorted()).toEqual(["dropped", "sent", "sent"]);
    clock.advance(1_000);
    events.emit({ ...event, note: "d" });
    await events.idle();
    expect(results.filter((result) => result === "sent")).toHaveLength(3);
  });

  it("has room again after a while although the wall clock was set back", async () => {
    const { events, clock, results } = await start({ burst: 1, perSecond: 1 }, made, made);
    events.emit({ ...event, note: "a" });
    clock.set(clock.now() - 3_600_000);
    clock.advance(1_000);
    events.emit({ ...event, note: "b" });
    await events.idle();
    expect(results).toEqual(["sent", "sent"]);
  });

  it("goes on after a failure", async () => {
    const { events, results } = await start({}, refusal(500, "InternalError"), made);
    events.emit(event);
    events.emit({ ...event, note: "another" });
    await events.idle();
    expect(results).toEqual(["failed", "sent"]);
  });
});

describe("ensureKeySecret", () => {
  const key: KeyObject = {
    kind: "VirtualKey",
    metadata: {
      namespace: "agents",
      name: "alice",
      uid: "u1",
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: {},
    },
    spec: { gatewayName: "default" },
  };
  const secret = (owner: string, labels: Record<string, string>): Handler =>
    answer(200, {
      metadata: {
        name: "alice-key",
        resourceVersion: "3",
        labels,
        ownerReferences: [{ uid: owner, controller: true }],
      },
    });

  it("makes a labelled Secret that the key owns, with 256 random bits", async () => {
    server = await startScriptedServer(answer(201, {}), answer(201, {}));
    expect(await ensureKeySecret(server.client, key, signal)).toEqual({ ok: true, made: true });
    await ensureKeySecret(server.client, key, signal);
    const [first, second] = server.asked.map(
      ({ body }) => JSON.parse(body) as { data: { token: string }; metadata: Record<string, unknown> },
    );
    expect(first?.metadata).toEqual({
      name: "alice-key",
      labels: { "parley.dev/credential": "key" },
      ownerReferences: [
        {
          apiVersion: "parley.dev/v1alpha1",
          kind: "VirtualKey",
          name: "alice",
          uid: "u1",
          controller: true,
          blockOwnerDeletion: false,
        },
      ],
    });
    const token = Buffer.from(first?.data.token ?? "", "base64").toString();
    expect(token).toMatch(/^sk-[A-Za-z0-9_-]{43}$/);
    expect(second?.data.token).not.toBe(first?.data.token);
  });

  it("leaves a Secret alone that is ours already", async () => {
    server = await startScriptedServer(refusal(409, "AlreadyExists"), secret("u1", { "parley.dev/credential": "key" }));
    expect(await ensureKeySecret(server.client, key, signal)).toEqual({ ok: true, made: false });
    expect(server.asked.map(({ method }) => method)).toEqual(["POST", "GET"]);
  });

  it("puts the label back on one that is ours, and changes nothing else of it", async () => {
    server = await startScriptedServer(refusal(409, "AlreadyExists"), secret("u1", {}), answer(200, {}));
    expect(await ensureKeySecret(server.client, key, signal)).toEqual({ ok: true, made: false });
    expect(JSON.parse(server.asked[2]?.body ?? "")).toEqual({
      metadata: { resourceVersion: "3", labels: { "parley.dev/credential": "key" } },
    });
  });

  it("never takes over a Secret that somebody else made", async () => {
    server = await startScriptedServer(refusal(409, "AlreadyExists"), secret("u2", { "parley.dev/credential": "key" }));
    const result = await ensureKeySecret(server.client, key, signal);
    expect(result).toEqual({ ok: false, reason: "NotOwned" });
    expect(server.asked.map(({ method }) => method)).toEqual(["POST", "GET"]);
  });

  it("tells what is refused from what may be tried again, and never shows the token", async () => {
    server = await startScriptedServer(
      refusal(403, "Forbidden", "no"),
      (response) => response.destroy(),
      refusal(503, "Busy", "later"),
      refusal(429, "TooManyRequests", "later"),
    );
    const refused = await ensureKeySecret(server.client, key, signal);
    expect(refused).toEqual({ ok: false, reason: "Refused", message: "Forbidden: no" });
    const broken = await ensureKeySecret(server.client, key, signal);
    expect(broken).toMatchObject({ ok: false, reason: "Unavailable" });
    for (const message of ["Busy: later", "TooManyRequests: later"]) {
      expect(await ensureKeySecret(server.client, key, signal)).toEqual({ ok: false, reason: "Unavailable", message });
    }
    expect(JSON.stringify([refused, broken])).not.toContain("sk-");
  });
});

describe("lookAtSecret", () => {
  it.each([
    [refusal(404, "NotFound"), "missing"],
    [refusal(403, "Forbidden"), "unknown"],
    [answer(200, { metadata: { name: "x", resourceVersion: "1", labels: { app: "x" } } }), "not-labelled"],
    [
      answer(200, { metadata: { name: "x", resourceVersion: "1", labels: { "parley.dev/credential": "key" } } }),
      "labelled",
    ],
    [((response) => response.destroy()) satisfies Handler, "unknown"],
  ])("tells what is there (%#)", async (handler, expected) => {
    server = await startScriptedServer(handler);
    expect(await lookAtSecret(server.client, "agents", "x", signal)).toBe(expected);
  });
});
