import { beforeEach, describe, expect, it } from "vitest";
import type { RowChange } from "../proxy/table/contract.ts";
import { createLoop } from "./loop.ts";
import type { Scope } from "./loop.ts";
import type { NamespaceObject, Ref } from "./objects.ts";
import { createStore } from "./store.ts";
import type { ObjectResult, TranslateOutput } from "./translate/result.ts";

const silent = (): void => undefined;

const namespace = (name: string, resourceVersion: string, labels: Record<string, string> = {}): NamespaceObject => ({
  kind: "Namespace",
  metadata: {
    namespace: "",
    name,
    uid: name,
    generation: 0,
    resourceVersion,
    creationTimestamp: "2026-01-01T00:00:00Z",
    labels,
  },
});
const service = (ns: string, name: string) =>
  ({
    kind: "Service",
    metadata: { ...namespace(name, "1").metadata, namespace: ns },
    type: "ClusterIP",
    ports: [],
  }) as const;
const result: ObjectResult = {
  kind: "A2AAgent",
  namespace: "agents",
  name: "travel",
  uid: "u",
  generation: 1,
  conditions: [],
  fields: {},
  rowId: null,
};
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe("createLoop", () => {
  const all: Scope = { kind: "Namespace" };
  let calls: unknown[];
  let errors: number;
  let fail = false;

  beforeEach(() => {
    calls = [];
    errors = 0;
    fail = false;
  });

  function start(scopes: readonly Scope[] = [all]) {
    const store = createStore({ gatewayName: "default" });
    const output = (what: string, refs: Iterable<Ref>): TranslateOutput => {
      if (fail) throw new Error("a bug");
      calls.push([what, ...refs]);
      return {
        changes: [{ id: "gateway", row: null }],
        results: [result],
        removed: [{ kind: "VirtualKey", namespace: "agents", name: "alice" }],
      };
    };
    const loop = createLoop({
      store,
      translation: { update: (refs) => output("update", refs), rebuild: () => output("rebuild", []) },
      publisher: {
        apply: (changes: readonly RowChange[]) => {
          calls.push(["publish", ...changes.map(({ id }) => id)]);
          return 7;
        },
        open: () => calls.push("open"),
      },
      status: {
        results: (results, sequence) => calls.push(["status", results.length, sequence]),
        removed: (ref) => calls.push(["removed", ref]),
        stored: (ref) => calls.push(["stored", ref]),
      },
      onTurn: (refs) => calls.push(["turn", ...refs]),
      scopes,
      now: () => 0,
      log: { trace: silent, debug: silent, info: silent, warn: silent, error: () => errors++ },
      translated: silent,
    });
    const heard = (): unknown[] => calls.splice(0).filter((call) => !(Array.isArray(call) && call[0] === "stored"));
    return { store, loop, heard };
  }

  it("publishes nothing before every kind was listed, then everything, and opens only after that", async () => {
    const secrets: Scope = { kind: "Secret" };
    const { loop, heard } = start([all, secrets]);
    loop.take(all, { type: "replaced", objects: [namespace("a", "1")] });
    await turn();
    expect([heard(), loop.synced, loop.missing, loop.isSynced("Namespace"), loop.isSynced("Secret")]).toEqual([
      [],
      false,
      ["Secret"],
      true,
      false,
    ]);
    loop.take(secrets, { type: "replaced", objects: [] });
    await turn();
    expect(heard()).toEqual([
      ["rebuild"],
      ["publish", "gateway"],
      ["removed", "VirtualKey/agents/alice"],
      ["status", 1, 7],
      ["turn", "Namespace//a"],
      "open",
    ]);
    expect([loop.synced, loop.missing]).toEqual([true, []]);
  });

  it("begins with an empty cluster too", async () => {
    const { loop, heard } = start();
    loop.take(all, { type: "replaced", objects: [] });
    await turn();
    expect(heard()).toContain("open");
  });

  it("translates together what comes together, and only what matters", async () => {
    const { loop, heard } = start();
    loop.take(all, { type: "replaced", objects: [namespace("a", "1"), namespace("b", "1")] });
    await turn();
    heard();
    loop.take(all, { type: "upsert", object: namespace("a", "2", { team: "x" }) });
    loop.take(all, { type: "upsert", object: namespace("b", "2") });
    loop.take(all, { type: "delete", namespace: "", name: "never there" });
    loop.take(all, { type: "delete", namespace: "", name: "b" });
    await turn();
    expect(heard()[0]).toEqual(["update", "Namespace//a", "Namespace//b"]);
    loop.take(all, { type: "upsert", object: namespace("a", "3", { team: "x" }) });
    await turn();
    expect(heard()).toEqual([]);
  });

  it("tells statuses of every object that was read, also where nothing that matters changed", async () => {
    const { loop } = start();
    loop.take(all, { type: "replaced", objects: [namespace("a", "1")] });
    loop.take(all, { type: "upsert", object: namespace("a", "2") });
    expect(calls).toEqual([
      ["stored", "Namespace//a"],
      ["stored", "Namespace//a"],
    ]);
    await turn();
  });

  it("finds by a list what the watch has missed", async () => {
    const { loop, heard, store } = start();
    loop.take(all, { type: "replaced", objects: [namespace("a", "1"), namespace("b", "1")] });
    await turn();
    heard();
    loop.take(all, { type: "replaced", objects: [namespace("b", "1"), namespace("c", "9")] });
    await turn();
    expect(new Set(heard()[0] as string[])).toEqual(new Set(["update", "Namespace//a", "Namespace//c"]));
    expect(store.size("Namespace")).toBe(2);
  });

  it("keeps the objects of other namespaces when one of them is listed again", async () => {
    const [one, two]: [Scope, Scope] = [
      { kind: "Service", namespace: "one" },
      { kind: "Service", namespace: "two" },
    ];
    const { loop, store } = start([one, two]);
    loop.take(one, { type: "replaced", objects: [service("one", "a")] });
    expect(loop.isSynced("Service")).toBe(false);
    loop.take(two, { type: "replaced", objects: [service("two", "b")] });
    await turn();
    loop.take(one, { type: "replaced", objects: [service("one", "c")] });
    await turn();
    expect([...store.list("Service")].map(({ metadata }) => metadata.name).sort()).toEqual(["b", "c"]);
  });

  it("survives a bug in translation and makes everything anew at the next change", async () => {
    const { loop, heard } = start();
    loop.take(all, { type: "replaced", objects: [] });
    await turn();
    heard();
    fail = true;
    loop.take(all, { type: "upsert", object: namespace("a", "1") });
    await turn();
    expect([heard(), errors]).toEqual([[], 1]);
    fail = false;
    loop.take(all, { type: "upsert", object: namespace("b", "1") });
    await turn();
    expect(heard()[0]).toEqual(["rebuild"]);
  });
});
