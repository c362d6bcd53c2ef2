import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createTextMap } from "./text-map.ts";

const names = fc.oneof(fc.constantFrom("", "team/a", "team/b", "é/日本", "__proto__"), fc.string({ maxLength: 6 }));
const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  // Of many of these a slab is full, of one of those it has more than it can bear.
  fc.constantFrom(3_000, 30_000, 300_000).map((length) => "x".repeat(length)),
);

test("is what a Map of strings is, and what was given stays as it was", () => {
  const steps = fc.array(fc.tuple(names, fc.oneof(texts, fc.constant(undefined))), { maxLength: 200, size: "max" });
  fc.assert(
    fc.property(steps, fc.nat(200), (history, at) => {
      const map = createTextMap();
      const model = new Map<string, string>();
      const given: (readonly [ReturnType<typeof map.texts>, readonly string[]])[] = [];
      for (const [step, [name, text]] of history.entries()) {
        const was = model.has(name);
        if (text === undefined) model.delete(name);
        else model.set(name, text);
        if (text !== undefined) map.set(name, text);
        expect(text === undefined ? map.delete(name) : was).toBe(was);
        expect(map.get(name)).toBe(text);
        if (step === at) given.push([map.texts(), [...model.values()].sort()]);
      }
      given.push([map.texts(), [...model.values()].sort()]);
      expect(map.size).toBe(model.size);
      expect([...map.names()].sort()).toEqual([...model.keys()].sort());
      expect([...map.names()].map((name) => map.get(name))).toEqual([...map.names()].map((name) => model.get(name)));
      for (const [got, held] of given) {
        const read = Array.from({ length: got.length }, (_, index) => got.at(index) ?? "");
        expect(read.toSorted()).toEqual(held);
      }
    }),
  );
});

test("keeps ten thousand apart, takes little more than they are long, whatever is set anew, and gives room back", () => {
  const map = createTextMap();
  const before = process.memoryUsage().arrayBuffers;
  const taken = (): number => process.memoryUsage().arrayBuffers - before;
  const name = (at: number): string => `team-${at % 20}/key-${at}`;
  for (let at = 0; at < 10_000; at++) map.set(name(at), `${at} ${"x".repeat(1000)}`);
  for (let at = 0; at < 10_000; at++) expect(map.get(name(at))).toBe(`${at} ${"x".repeat(1000)}`);
  expect(taken()).toBeLessThan(12_000_000);
  for (let edit = 0; edit < 30_000; edit++) {
    const at = (edit * 7919) % 10_000;
    map.set(name(at), `${at} ${"y".repeat(900 + (edit % 200))}`);
  }
  expect(map.get(name(42))).toMatch(/^42 y+$/);
  expect(taken()).toBeLessThan(16_000_000);
  let seen = 0;
  for (const one of map.names()) {
    // An edit while they are walked.
    map.set(one, "z");
    seen += 1;
  }
  expect(seen).toBe(10_000);
  const given = map.texts();
  for (let at = 0; at < 10_000; at++) expect(map.delete(name(at))).toBe(true);
  expect([map.size, [...map.names()]]).toEqual([0, []]);
  expect([given.at(9_999), given.at(10_000)]).toEqual(["z", undefined]);
  // But for what the index takes, what is kept to be used again, and what was given.
  expect(taken()).toBeLessThan(4_000_000);
});

test("names are walked once each, however many come in between", () => {
  const map = createTextMap();
  const old = Array.from({ length: 1000 }, (_, at) => `old-${at}`);
  for (const one of old) map.set(one, one);
  const walked: string[] = [];
  for (const one of map.names()) {
    walked.push(one);
    if (!one.startsWith("old-")) continue;
    for (let at = 0; at < 20; at++) map.set(`new-${one}-${at}`, "");
    map.set(one, "again");
  }
  expect(walked.filter((one) => one.startsWith("old-")).sort()).toEqual(old.sort());
  expect(new Set(walked).size).toBe(walked.length);
});

test("marks tell what came since they were taken off, of all names or of those that begin alike", () => {
  const step = fc.oneof(
    fc.record({ name: names, what: fc.constantFrom("set", "mark", "delete") }),
    fc.record({ name: fc.constantFrom("", "team/", "t"), what: fc.constant("unmark") }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), (history) => {
      const map = createTextMap();
      const model = new Map<string, boolean>();
      const without = (prefix: string) =>
        [...model].flatMap(([name, marked]) => (!marked && name.startsWith(prefix) ? [name] : []));
      for (const { name, what } of history) {
        const known = [...model.keys()].filter((one) => one.startsWith(name));
        if (what === "set") map.set(name, "x".repeat(3_000));
        else if (what === "mark") map.mark(name);
        else if (what === "delete") map.delete(name);
        expect(what === "unmark" ? map.unmark(name) : known.length).toBe(known.length);
        if (what === "set") model.set(name, model.get(name) ?? true);
        else if (what === "mark" && model.has(name)) model.set(name, true);
        else if (what === "delete") model.delete(name);
        else if (what === "unmark") for (const one of known) model.set(one, false);
        for (const prefix of ["", "team/"]) expect([...map.unmarked(prefix)].sort()).toEqual(without(prefix).sort());
      }
    }),
  );
});
