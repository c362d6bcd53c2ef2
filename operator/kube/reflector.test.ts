import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { FakeClock } from "../../proxy/table/clock.test-support.ts";
import { reflect } from "./reflector.ts";
import type { WatchError } from "./pages.ts";
import type { KindChange } from "./reflector.ts";
import { answer, namespace, page, refusal, startScriptedServer, watch } from "./scripted-server.test-support.ts";
import type { Handler, ScriptedServer } from "./scripted-server.test-support.ts";

const silent = (): void => undefined;
const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
const SILENCE = 90_000;

describe("reflect", () => {
  let server: ScriptedServer;
  let stop: AbortController;
  let clock: FakeClock;
  let errors: WatchError[];
  let lists: number;
  let reached: string[];

  beforeEach(() => {
    stop = new AbortController();
    clock = createFakeClock();
    errors = [];
    lists = 0;
    reached = [];
  });
  afterEach(async () => {
    stop.abort();
    await server.close();
  });

  /** An API server that cannot begin a watch with all objects. */
  const start = (...script: Handler[]): Promise<AsyncGenerator<KindChange, void>> =>
    startStreaming(refusal(422, "Invalid"), ...script);

  async function startStreaming(...script: Handler[]): Promise<AsyncGenerator<KindChange, void>> {
    server = await startScriptedServer(...script);
    return reflect({
      client: server.client,
      kind: "Namespace",
      clock,
      random: () => 0.5,
      log,
      signal: stop.signal,
      reached: (version) => reached.push(version),
      observe: { listed: () => lists++, failed: (error) => errors.push(error) },
    });
  }

  /** The next change, a list as one; the waits between tries pass by themselves, the limit on silence does not. */
  async function next(changes: AsyncGenerator<KindChange, void>): Promise<unknown> {
    const objects: string[] = [];
    for (;;) {
      const change = await nextPiece(changes);
      if (change?.type === "listing") objects.length = 0;
      else if (change?.type === "listed") objects.push(...change.objects.map(({ metadata }) => metadata.name));
      else if (change?.type === "replaced") return ["replaced", ...objects];
      else if (change?.type === "upsert")
        return ["upsert", change.object.metadata.name, change.object.metadata.resourceVersion];
      else return change === undefined ? undefined : ["delete", change.name];
    }
  }

  async function nextPiece(changes: AsyncGenerator<KindChange, void>): Promise<KindChange | undefined> {
    const result = changes.next();
    const isPause = (ms: number): boolean => ms < SILENCE;
    const isDone = (): Promise<boolean> =>
      Promise.race([result.then(() => true), clock.scheduled(isPause).then(() => false)]);
    while (!(await isDone())) for (const ms of clock.pending.filter(isPause)) clock.advance(ms);
    const { value } = await result;
    return value === undefined ? undefined : value;
  }
  const watches = (): (string | null)[] =>
    server.asked
      .filter(({ url }) => url.searchParams.has("watch") && !url.searchParams.has("sendInitialEvents"))
      .map(({ url }) => url.searchParams.get("resourceVersion"));

  const added = (name: string, version: string): unknown => ({ type: "ADDED", object: namespace(name, version) });
  const bookmark = (resourceVersion: string, annotations?: unknown): unknown => ({
    type: "BOOKMARK",
    object: { metadata: { resourceVersion, ...(annotations === undefined ? {} : { annotations }) } },
  });
  const listEnd = (version: string): unknown => bookmark(version, { "k8s.io/initial-events-end": "true" });

  it("begins its watch with all objects, and follows it from there", async () => {
    const changes = await startStreaming(
      watch(
        [
          added("b", "7"),
          added("a", "2"),
          listEnd("10"),
          { type: "MODIFIED", object: namespace("a", "11") },
          bookmark("12"),
        ],
        "reset",
      ),
      watch([{ type: "DELETED", object: namespace("b", "13") }]),
    );
    expect(await next(changes)).toEqual(["replaced", "b", "a"]);
    expect(await next(changes)).toEqual(["upsert", "a", "11"]);
    expect(await next(changes)).toEqual(["delete", "b"]);
    const [first, second] = server.asked.map(({ url }) => Object.fromEntries(url.searchParams));
    expect(first).toEqual({
      watch: "true",
      allowWatchBookmarks: "true",
      sendInitialEvents: "true",
      resourceVersionMatch: "NotOlderThan",
      timeoutSeconds: "360",
    });
    expect(second).toMatchObject({ watch: "true", resourceVersion: "12" });
    expect([lists, errors]).toEqual([1, ["connection"]]);
  });

  it("gives all objects in pieces, and what happens before their end in its order", async () => {
    const names = Array.from({ length: 250 }, (_, index) => `n-${index}`);
    const changes = await startStreaming(
      watch([
        ...names.map((name, index) => added(name, String(index + 1))),
        { type: "DELETED", object: namespace("n-3", "300") },
        { type: "MODIFIED", object: namespace("n-4", "301") },
        listEnd("301"),
      ]),
    );
    const seen: (string | number)[] = [];
    for (let change = await nextPiece(changes); ; change = await nextPiece(changes)) {
      seen.push(change?.type === "listed" ? change.objects.length : (change?.type ?? "end"));
      if (change === undefined || change.type === "replaced") break;
    }
    expect(seen).toEqual(["listing", 100, 100, 50, "delete", 1, "replaced"]);
    expect(lists).toBe(1);
  });

  it.each([
    ["is reset", "reset" as const, "connection"],
    ["ends", "end" as const, "connection"],
  ])("begins anew when the watch %s before all objects were sent", async (_, how, error) => {
    const changes = await startStreaming(
      watch([added("a", "2"), added("gone", "3")], how),
      watch([added("a", "2"), listEnd("10")]),
    );
    expect(await next(changes)).toEqual(["replaced", "a"]);
    expect([lists, errors, watches()]).toEqual([1, [error], []]);
    expect(server.asked).toHaveLength(2);
  });

  it("reads pages from an API server that does not know how to begin a watch with all objects", async () => {
    const changes = await startStreaming(
      watch([added("a", "2"), bookmark("9")]),
      page([namespace("a", "2"), namespace("b", "3")], "10"),
      watch([]),
    );
    expect(await next(changes)).toEqual(["replaced", "a", "b"]);
    expect([lists, errors]).toEqual([1, []]);
    expect(server.asked[1]?.url.searchParams.get("limit")).toBe("100");
  });

  it("begins with all objects again once its version has expired", async () => {
    const changes = await startStreaming(
      watch([added("a", "1"), listEnd("10"), { type: "ERROR", object: { code: 410, reason: "Expired" } }]),
      watch([added("b", "80"), listEnd("90")]),
    );
    expect(await next(changes)).toEqual(["replaced", "a"]);
    expect(await next(changes)).toEqual(["replaced", "b"]);
    expect([lists, errors]).toEqual([2, ["expired"]]);
  });

  it("reads a list page by page and gives it whole, then follows the watch", async () => {
    const changes = await start(
      page([namespace("a", "1"), namespace("b", "2")], "10", "more"),
      page([namespace("c", "3")], "10"),
      watch([
        { type: "MODIFIED", object: namespace("a", "11") },
        { type: "ADDED", object: namespace("d", "12") },
        { type: "DELETED", object: namespace("b", "13") },
      ]),
    );
    expect(await next(changes)).toEqual(["replaced", "a", "b", "c"]);
    expect(reached).toEqual([]);
    expect(await next(changes)).toEqual(["upsert", "a", "11"]);
    expect(reached).toEqual(["10"]);
    expect(await next(changes)).toEqual(["upsert", "d", "12"]);
    expect(await next(changes)).toEqual(["delete", "b"]);
    // What was given last may not have been taken yet.
    expect(reached).toEqual(["10", "11", "12"]);
    const [, first, second, third] = server.asked.map(({ url }) => Object.fromEntries(url.searchParams));
    expect(first).toEqual({ limit: "100" });
    expect(second).toEqual({ limit: "500", continue: "more" });
    expect(third).toEqual({ watch: "true", allowWatchBookmarks: "true", resourceVersion: "10", timeoutSeconds: "360" });
    expect(server.asked[0]?.headers["authorization"]).toBe("Bearer tester-token");
    expect([lists, errors]).toEqual([1, []]);
  });

  it("lists again when the token of a page has expired on the way", async () => {
    const changes = await start(
      page([namespace("a", "1")], "10", "more"),
      refusal(410, "Expired"),
      page([namespace("a", "1"), namespace("b", "2")], "20"),
    );
    expect(await next(changes)).toEqual(["replaced", "a", "b"]);
    expect(errors).toEqual(["expired"]);
  });

  it("goes on after a reset from the last version, bookmarks included, without a list", async () => {
    const changes = await start(
      page([], "10"),
      watch([{ type: "ADDED", object: namespace("a", "11") }], "reset"),
      watch([{ type: "BOOKMARK", object: { metadata: { resourceVersion: "40" } } }], "reset"),
      watch([{ type: "ADDED", object: namespace("b", "41") }]),
    );
    expect(await next(changes)).toEqual(["replaced"]);
    expect(await next(changes)).toEqual(["upsert", "a", "11"]);
    expect(await next(changes)).toEqual(["upsert", "b", "41"]);
    expect(watches()).toEqual(["10", "11", "40"]);
    expect([lists, errors]).toEqual([1, ["connection", "connection"]]);
  });

  it("takes a clean end of a watch for what it is", async () => {
    const changes = await start(
      page([], "10"),
      watch([], "end"),
      watch([{ type: "ADDED", object: namespace("a", "11") }], "end"),
    );
    expect(await next(changes)).toEqual(["replaced"]);
    expect(await next(changes)).toEqual(["upsert", "a", "11"]);
    expect([watches(), errors]).toEqual([["10", "10"], []]);
  });

  it.each([
    ["as a line of the watch", watch([{ type: "ERROR", object: { code: 410, reason: "Expired" } }])],
    ["as the status of the watch", refusal(410, "Gone")],
  ])("lists again on 410 %s", async (_, gone) => {
    const changes = await start(page([namespace("a", "1")], "10"), gone, page([namespace("b", "2")], "90"), watch([]));
    expect(await next(changes)).toEqual(["replaced", "a"]);
    expect(await next(changes)).toEqual(["replaced", "b"]);
    expect([lists, errors]).toEqual([2, ["expired"]]);
  });

  it("takes a watch that has gone silent for dead and makes a new one", async () => {
    const changes = await start(page([], "10"), watch([{ type: "ADDED", object: namespace("a", "11") }]));
    expect(await next(changes)).toEqual(["replaced"]);
    expect(await next(changes)).toEqual(["upsert", "a", "11"]);
    server.next(watch([{ type: "ADDED", object: namespace("b", "12") }]));
    const coming = next(changes);
    await clock.scheduled((ms) => ms === SILENCE);
    clock.advance(SILENCE);
    expect(await coming).toEqual(["upsert", "b", "12"]);
    expect([watches(), errors]).toEqual([["10", "11"], ["silence"]]);
  });

  it("does not step over a line that it cannot read: it asks for it again", async () => {
    const changes = await start(
      page([], "10"),
      watch([
        { type: "ADDED", object: namespace("a", "11") },
        '{"type":"ADDED","obj',
        { type: "ADDED", object: namespace("c", "13") },
      ]),
      watch([{ type: "ADDED", object: namespace("b", "12") }]),
    );
    expect(await next(changes)).toEqual(["replaced"]);
    expect(await next(changes)).toEqual(["upsert", "a", "11"]);
    expect(await next(changes)).toEqual(["upsert", "b", "12"]);
    expect([watches(), errors]).toEqual([["10", "11"], ["malformed"]]);
  });

  it("lists again when watches keep failing", async () => {
    const reset: Handler = (response) => response.destroy();
    const changes = await start(page([], "10"), reset, reset, reset, reset, reset, page([namespace("a", "1")], "20"));
    expect(await next(changes)).toEqual(["replaced"]);
    expect(await next(changes)).toEqual(["replaced", "a"]);
    expect(watches()).toEqual(["10", "10", "10", "10", "10"]);
  });

  it("waits for an API server that refuses, fails and answers nonsense, for as long as it takes", async () => {
    const changes = await start(
      refusal(403, "Forbidden"),
      refusal(500, "InternalError"),
      (response) => response.destroy(),
      answer(200, "nonsense"),
      answer(200, { metadata: {} }),
      page([namespace("a", "1")], "10"),
    );
    expect(await next(changes)).toEqual(["replaced", "a"]);
    expect(errors).toEqual(["refused", "refused", "connection", "malformed", "malformed"]);
  });

  it("ends with its signal while it waits for a line, and between two tries", async () => {
    const changes = await start(page([], "10"), watch([]));
    expect(await next(changes)).toEqual(["replaced"]);
    const coming = changes.next();
    await clock.scheduled((ms) => ms === SILENCE);
    stop.abort();
    expect(await coming).toEqual({ done: true, value: undefined });

    stop = new AbortController();
    await server.close();
    const failing = await startStreaming(refusal(503, "ServiceUnavailable"));
    expect((await failing.next()).value).toEqual({ type: "listing" });
    const never = failing.next();
    await clock.scheduled((ms) => ms < SILENCE);
    stop.abort();
    expect(await never).toEqual({ done: true, value: undefined });
  });
});
