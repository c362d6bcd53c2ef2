// The loop over the real store, translation, publisher and status writer; only the API server is played.
import { beforeEach, describe, expect, it } from "vitest";
import { createFakeClock } from "../proxy/table/clock.test-support.ts";
import { createLoop } from "./loop.ts";
import type { Kind, Ref, StoredObject } from "./objects.ts";
import { createPublisher } from "./publish/publisher.ts";
import { quietMetrics } from "./publish/quiet.test-support.ts";
import { createRelists } from "./relists.ts";
import type { Scope } from "./relists.ts";
import { createStatusWriter } from "./status/writer.ts";
import { createStore } from "./store.ts";
import { createTranslation } from "./translate/engine.ts";
import { agent, key, metadata, secret, service } from "./translate/objects.test-support.ts";
import type { ObjectResult } from "./translate/result.ts";

const silent = (): void => undefined;
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const of = (kind: Kind): Scope => ({ kind });
const namespace = (name: string, labels: Record<string, string> = {}): StoredObject => ({
  kind: "Namespace",
  metadata: metadata("", name, { labels }),
});

describe("createLoop", () => {
  let errors: number;
  /** Parts that throw when they are called next, once each. */
  let failing: Set<"update" | "publish" | "status" | "turn">;

  beforeEach(() => {
    errors = 0;
    failing = new Set();
  });
  const perhaps = (part: "update" | "publish" | "status" | "turn"): void => {
    if (failing.delete(part)) throw new Error("a bug");
  };

  function start(scopes: readonly Scope[] = [of("A2AAgent"), of("VirtualKey"), of("Secret")]) {
    const clock = createFakeClock();
    const log = { trace: silent, debug: silent, info: silent, warn: silent, error: () => errors++ };
    const store = createStore({ gatewayName: "default" });
    const relists = createRelists(store);
    const settings = {
      gatewayName: "default",
      publicUrl: undefined,
      trustedProxies: [],
      allowedUpstreams: [],
      exemptTokens: [],
      selectors: true,
    };
    const translation = createTranslation({ store, settings, onError: () => errors++ });
    const publisher = createPublisher({
      gateway: "default",
      replica: "r1",
      holder: () => undefined,
      clock,
      log,
      metrics: quietMetrics,
    });
    const written = new Map<string, string | undefined>();
    const status = createStatusWriter({
      read: (ref) => store.get(ref),
      proxies: () => publisher.proxies(),
      mayWrite: () => true,
      sent: () => publisher.state.sequence,
      write: ({ name }, { conditions }) => {
        written.set(name, conditions?.find(({ type }) => type === "Accepted")?.reason);
        return Promise.resolve({ ok: true, resourceVersion: `w${written.size}` });
      },
      emit: silent,
      clock,
      random: () => 0.5,
      log,
      metrics: { written: silent },
    });
    status.lead(true);
    const read: Ref[] = [];
    const turns: { readonly refs: readonly Ref[]; readonly results: readonly string[] }[] = [];
    const loop = createLoop({
      store,
      relists,
      onHeld: silent,
      translation: {
        ...translation,
        get idle() {
          return translation.idle;
        },
        work: () => {
          const output = translation.work();
          perhaps("update");
          return output;
        },
      },
      publisher: {
        apply: (changes) => {
          perhaps("publish");
          return publisher.apply(changes);
        },
        settle: () => publisher.settle(),
        open: () => publisher.open(),
      },
      status: {
        results: (results, sequence) => {
          perhaps("status");
          status.results(results, sequence);
        },
        removed: (ref) => status.removed(ref),
        stored: (ref) => {
          read.push(ref);
          status.stored(ref);
        },
      },
      onTurn: (refs, results: readonly ObjectResult[]) => {
        perhaps("turn");
        turns.push({ refs: [...refs], results: results.map(({ name }) => name) });
      },
      scopes,
      now: () => clock.elapsed(),
      log,
      translated: silent,
    });
    const listIn = (scope: Scope, ...objects: StoredObject[]): void => {
      loop.take(scope, { type: "listing" });
      for (const object of objects) loop.take(scope, { type: "listed", objects: [object] });
      loop.take(scope, { type: "replaced" });
    };
    const list = (kind: Kind, ...objects: StoredObject[]): void => listIn(of(kind), ...objects);
    const upsert = (object: StoredObject): void => loop.take(of(object.kind), { type: "upsert", object });
    const remove = (kind: Kind, name: string): void =>
      loop.take(of(kind), { type: "delete", namespace: "agents", name });
    return {
      clock,
      store,
      loop,
      publisher,
      status,
      written,
      read,
      turns,
      list,
      listIn,
      upsert,
      remove,
      rows: () =>
        [...publisher.lines()]
          .map(([id]) => id)
          .filter((id) => id.startsWith("agent/") || id.startsWith("key/"))
          .sort(),
      /** Lets statuses be written that nobody acknowledges. */
      writeAll: async () => {
        clock.advance(6_000);
        await turn();
      },
      begin: async (...agents: StoredObject[]) => {
        for (const { kind } of scopes) list(kind, ...(kind === "A2AAgent" ? agents : []));
        await turn();
        turns.length = 0;
      },
    };
  }

  it("says how far it has read once that is translated, and not while a list is read or held", async () => {
    const { loop, list, upsert, remove, publisher } = start([of("A2AAgent"), of("VirtualKey"), of("EndpointSlice")]);
    list("A2AAgent", ...Array.from({ length: 30 }, (_, n) => agent({ name: `a${n}` })));
    loop.reached(of("A2AAgent"), "10");
    list("VirtualKey");
    loop.reached(of("VirtualKey"), "12");
    expect(loop.reach).toBeUndefined();
    list("EndpointSlice");
    await turn();
    expect(loop.reach).toEqual({ "A2AAgent/": 10, "VirtualKey/": 12 });
    upsert(agent());
    loop.reached(of("A2AAgent"), "20");
    expect(loop.reach).toBeUndefined();
    await turn();
    expect(loop.reach).toEqual({ "A2AAgent/": 20, "VirtualKey/": 12 });
    // Of what changes nothing, and of bookmarks, at once.
    loop.reached(of("VirtualKey"), "30");
    expect(loop.reach).toEqual({ "A2AAgent/": 20, "VirtualKey/": 30 });
    loop.take(of("A2AAgent"), { type: "listing" });
    expect(loop.reach).toBeUndefined();
    loop.take(of("A2AAgent"), { type: "replaced" });
    loop.reached(of("A2AAgent"), "40");
    await turn();
    // It lacks everything: that is held.
    expect([loop.reach, publisher.state.rows > 20]).toEqual([undefined, true]);
    for (let n = 0; n < 30; n++) remove("A2AAgent", `a${n}`);
    remove("A2AAgent", agent().metadata.name);
    loop.reached(of("A2AAgent"), "50");
    await turn();
    expect(loop.reach).toEqual({ "A2AAgent/": 50, "VirtualKey/": 30 });
    loop.reached(of("A2AAgent"), "not a number");
    expect(loop.reach).toBeUndefined();
  });

  it("publishes nothing before every kind was listed, then everything, and opens only then", async () => {
    const { loop, list, publisher, rows, turns } = start();
    list("A2AAgent", agent());
    list("VirtualKey", key());
    await turn();
    expect([loop.synced, loop.missing, loop.isSynced("A2AAgent"), loop.isSynced("Secret")]).toEqual([
      false,
      ["Secret"],
      true,
      false,
    ]);
    expect([publisher.isOpen, rows(), turns]).toEqual([false, [], []]);
    list("Secret", secret());
    await turn();
    expect([loop.synced, loop.missing]).toEqual([true, []]);
    expect([publisher.isOpen, publisher.state.sequence, rows()]).toEqual([
      true,
      1,
      ["agent/agents/travel", "key/agents/alice"],
    ]);
    expect(turns).toEqual([
      {
        refs: ["A2AAgent/agents/travel", "VirtualKey/agents/alice", "Secret/agents/alice-key"],
        results: ["travel", "alice"],
      },
    ]);
  });

  it("begins with an empty cluster too", async () => {
    const { begin, publisher } = start();
    await begin();
    expect(publisher.isOpen).toBe(true);
  });

  it("translates together what comes together, and only what matters", async () => {
    const { begin, upsert, remove, turns } = start();
    await begin(agent(), agent({ name: "weather" }));
    upsert(agent({}, { publicName: "journeys" }));
    upsert(agent({ name: "weather", metadata: { resourceVersion: "2" } }));
    remove("A2AAgent", "never-there");
    remove("A2AAgent", "weather");
    await turn();
    expect(turns).toEqual([{ refs: ["A2AAgent/agents/travel", "A2AAgent/agents/weather"], results: ["travel"] }]);
    upsert(agent({ metadata: { resourceVersion: "3" } }, { publicName: "journeys" }));
    await turn();
    expect(turns).toHaveLength(1);
  });

  it("writes statuses of what it translated, and none of what is gone", async () => {
    const { begin, remove, written, writeAll } = start();
    await begin(agent(), agent({ name: "weather" }));
    remove("A2AAgent", "weather");
    await turn();
    await writeAll();
    expect([...written]).toEqual([["travel", "Accepted"]]);
  });

  it("tells statuses of every object that was read, also where nothing that matters changed", async () => {
    const { list, upsert, read } = start();
    list("A2AAgent", agent());
    upsert(agent({ metadata: { resourceVersion: "2" } }));
    expect(read).toEqual(["A2AAgent/agents/travel", "A2AAgent/agents/travel"]);
    await turn();
  });

  it("finds by a list what the watch has missed", async () => {
    const { begin, list, rows, turns } = start();
    await begin(agent({ name: "a" }), agent({ name: "b" }));
    list("A2AAgent", agent({ name: "b" }), agent({ name: "c" }));
    await turn();
    expect(new Set(turns[0]?.refs)).toEqual(new Set(["A2AAgent/agents/a", "A2AAgent/agents/c"]));
    expect(rows()).toEqual(["agent/agents/b", "agent/agents/c"]);
  });

  it("keeps the objects of other namespaces when one of them is listed again", async () => {
    const [one, two]: [Scope, Scope] = [
      { kind: "Service", namespace: "one" },
      { kind: "Service", namespace: "two" },
    ];
    const { loop, listIn, store } = start([one, two]);
    listIn(one, service({ namespace: "one", name: "a" }));
    expect(loop.isSynced("Service")).toBe(false);
    listIn(two, service({ namespace: "two", name: "b" }));
    await turn();
    listIn(one, service({ namespace: "one", name: "c" }));
    await turn();
    expect([...store.list("Service")].map(({ metadata: { name } }) => name).sort()).toEqual(["b", "c"]);
  });

  describe.each(["update", "publish", "status", "turn"] as const)("after a bug in the part %s", (part) => {
    it("hands everything over once more, without waiting for a change", async () => {
      const { begin, upsert, remove, rows, turns, written, writeAll } = start();
      await begin(agent({ name: "a" }), agent({ name: "b" }));
      failing.add(part);
      upsert(agent({ name: "c" }));
      remove("A2AAgent", "a");
      await turn();
      await turn();
      expect([errors, rows()]).toEqual([1, ["agent/agents/b", "agent/agents/c"]]);
      // Nobody missed what changed, and nothing of the turn that failed is left behind.
      expect(turns).toEqual([{ refs: ["A2AAgent/agents/c", "A2AAgent/agents/a"], results: ["b", "c"] }]);
      await writeAll();
      expect([...written.keys()].sort()).toEqual(["b", "c"]);
      remove("A2AAgent", "c");
      await turn();
      expect([errors, rows()]).toEqual([1, ["agent/agents/b"]]);
    });
  });

  it("tries again once by itself after a failure, and then with the next change", async () => {
    const { begin, upsert, remove, rows, turns } = start();
    await begin(agent({ name: "a" }));
    failing.add("publish");
    upsert(agent({ name: "b" }));
    remove("A2AAgent", "a");
    await turn();
    failing.add("publish");
    await turn();
    await turn();
    expect([errors, rows(), turns]).toEqual([2, ["agent/agents/a"], []]);
    upsert(agent({ name: "c" }));
    await turn();
    expect([errors, rows()]).toEqual([2, ["agent/agents/b", "agent/agents/c"]]);
    expect(turns[0]?.refs).toEqual(["A2AAgent/agents/b", "A2AAgent/agents/a", "A2AAgent/agents/c"]);
  });

  it("does not open before a turn has come through", async () => {
    const { begin, upsert, publisher, rows } = start();
    failing.add("status");
    await begin(agent());
    expect([publisher.isOpen, errors]).toEqual([false, 1]);
    upsert(agent({ name: "b" }));
    await turn();
    expect([publisher.isOpen, publisher.state.sequence, rows()]).toEqual([
      true,
      1,
      ["agent/agents/b", "agent/agents/travel"],
    ]);
  });

  it("takes labels of Namespaces along", async () => {
    const { list, upsert, loop, turns } = start([of("Namespace")]);
    list("Namespace", namespace("a"));
    await turn();
    upsert(namespace("a", { team: "x" }));
    await turn();
    expect([loop.synced, turns.at(-1)?.refs]).toEqual([true, ["Namespace//a"]]);
  });
});
