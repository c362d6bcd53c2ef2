// The reverse index against a plain model of it.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createReads } from "./reads.ts";

test("readers, and facts that nobody reads any more", () => {
  const reads = createReads();
  expect(reads.set("a", new Set(["x", "y"]))).toEqual([]);
  expect(reads.set("b", new Set(["y"]))).toEqual([]);
  expect([...reads.readersOf("y")].sort()).toEqual(["a", "b"]);
  expect(reads.set("a", new Set(["z"]))).toEqual(["x"]);
  expect(reads.set("b", new Set())).toEqual(["y"]);
  expect(reads.isRead("y")).toBe(false);
  expect([...reads.readersOf("nothing")]).toEqual([]);
  reads.clear();
  expect(reads.isRead("z")).toBe(false);
});

test("in any history it is what the last sets say", () => {
  // What is read may read, as what is derived does.
  const names = ["a", "b", "c", "d", "__proto__"];
  const step = fc.tuple(fc.constantFrom(...names), fc.uniqueArray(fc.constantFrom(...names)));
  fc.assert(
    fc.property(fc.array(step), (history) => {
      const reads = createReads();
      const model = new Map<string, readonly string[]>();
      for (const [reader, facts] of history) {
        const before = model.get(reader) ?? [];
        model.set(reader, facts);
        const readersOf = (fact: string) => [...model].filter(([, of]) => of.includes(fact)).map(([name]) => name);
        const abandoned = before.filter((fact) => readersOf(fact).length === 0);
        expect(reads.set(reader, new Set(facts)).sort()).toEqual([...abandoned].sort());
        for (const name of names) {
          expect([...reads.readersOf(name)].sort()).toEqual(readersOf(name).sort());
          expect([...reads.factsOf(name)].sort()).toEqual([...(model.get(name) ?? [])].sort());
        }
      }
    }),
  );
});

test("a fact has as many readers as there are", () => {
  const reads = createReads();
  const all = Array.from({ length: 200 }, (_, at) => `reader-${at}`);
  for (const reader of all) reads.set(reader, new Set(["x"]));
  expect([...reads.readersOf("x")].sort()).toEqual(all.toSorted());
  for (const reader of all.slice(1)) expect(reads.set(reader, new Set())).toEqual([]);
  expect([...reads.readersOf("x")]).toEqual(["reader-0"]);
  expect(reads.set("reader-0", new Set())).toEqual(["x"]);
});
