import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAffinity } from "./affinity.ts";

describe("an owner", () => {
  test("is found by agent, kind and id, and by nothing less", () => {
    const affinity = createAffinity(100);
    affinity.learn("agents/a", "task", "1", "pod:80", "main");
    expect(affinity.find("agents/a", "task", "1")).toEqual({ identity: "pod:80", backend: "main", confirmed: true });
    expect(affinity.find("agents/b", "task", "1")).toBeUndefined();
    expect(affinity.find("agents/a", "context", "1")).toBeUndefined();
    expect(affinity.find("agents/a", "task", "2")).toBeUndefined();
  });

  test("is the first one, for good", () => {
    const affinity = createAffinity(100);
    affinity.learn("a", "context", "c", "one", "main");
    affinity.learn("a", "context", "c", "two", "main");
    affinity.claim("a", "c", "three", "main");
    affinity.release("a", "c", "one");
    expect(affinity.find("a", "context", "c")?.identity).toBe("one");
  });

  test("by claim may be given up until an answer confirmed it", () => {
    const affinity = createAffinity(100);
    affinity.claim("a", "c", "one", "main");
    expect(affinity.find("a", "context", "c")?.confirmed).toBe(false);
    affinity.release("a", "c", "two");
    expect(affinity.find("a", "context", "c")?.identity).toBe("one");
    affinity.release("a", "c", "one");
    expect(affinity.find("a", "context", "c")).toBeUndefined();
    affinity.claim("a", "c", "two", "main");
    affinity.learn("a", "context", "c", "two", "main");
    affinity.release("a", "c", "two");
    expect(affinity.find("a", "context", "c")).toMatchObject({ identity: "two", confirmed: true });
  });

  test("that no answer confirmed is nobody: the next who claims or answers has it", () => {
    const affinity = createAffinity(100);
    affinity.claim("a", "c", "one", "main");
    affinity.claim("a", "c", "two", "canary");
    expect(affinity.find("a", "context", "c")).toEqual({ identity: "two", backend: "canary", confirmed: false });
    affinity.learn("a", "context", "c", "three", "main");
    expect(affinity.find("a", "context", "c")).toEqual({ identity: "three", backend: "main", confirmed: true });
    affinity.claim("a", "c", "four", "main");
    affinity.learn("a", "context", "c", "four", "main");
    expect(affinity.find("a", "context", "c")?.identity).toBe("three");
    expect(affinity.size).toBe(1);
  });

  test("of a very long id is kept, and not confused with others", () => {
    const affinity = createAffinity(100);
    const long = "x".repeat(100_000);
    affinity.learn("a", "task", `${long}1`, "one", "main");
    expect(affinity.find("a", "task", `${long}1`)?.identity).toBe("one");
    expect(affinity.find("a", "task", `${long}2`)).toBeUndefined();
  });
});

describe("the bound", () => {
  test("holds, and what is used stays", () => {
    const affinity = createAffinity(100);
    affinity.learn("a", "task", "used", "one", "main");
    for (let index = 0; index < 10_000; index++) {
      affinity.learn("a", "task", `t${index}`, "one", "main");
      expect(affinity.find("a", "task", "used")).toBeDefined();
      expect(affinity.size).toBeLessThanOrEqual(101);
    }
    expect(affinity.find("a", "task", "t0")).toBeUndefined();
    expect(affinity.find("a", "task", "t9999")).toBeDefined();
  });

  test("of random histories: whatever is found is the first that was learnt since it was last unknown", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(3)), { maxLength: 400 }), (history) => {
        const affinity = createAffinity(10);
        const model = new Map<string, string>();
        for (const [id, endpoint] of history) {
          const before = affinity.find("a", "task", String(id));
          if (before === undefined) model.set(String(id), String(endpoint));
          affinity.learn("a", "task", String(id), String(endpoint), "main");
          expect(affinity.find("a", "task", String(id))?.identity).toBe(model.get(String(id)));
        }
      }),
    );
  });
});
