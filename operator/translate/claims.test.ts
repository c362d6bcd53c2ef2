// Who holds a claim, and who is told.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { refOf } from "../objects.ts";
import type { Ref } from "../objects.ts";
import { hashOfName } from "../../proxy/table/name-hash.ts";
import { createClaims } from "./claims.ts";
import { metadata } from "./objects.test-support.ts";

const at = (name: string, day: number, namespace = "agents") =>
  metadata(namespace, name, { creationTimestamp: `2026-01-0${day}T00:00:00Z` });

const ref = (name: string, namespace = "agents"): Ref => refOf("A2AAgent", namespace, name);

test("the oldest holds, then the first by namespace and name", () => {
  const claims = createClaims();
  expect(claims.set(ref("b"), "travel", at("b", 2))).toEqual(["travel"]);
  expect(claims.holder("travel")).toMatchObject({ name: "b" });
  // A younger one changes nothing for anybody.
  expect(claims.set(ref("c"), "travel", at("c", 3))).toEqual([]);
  expect(claims.set(ref("a"), "travel", at("a", 2))).toEqual(["travel"]);
  expect(claims.holder("travel")).toMatchObject({ name: "a" });
  expect(claims.set(ref("z", "zulu"), "travel", at("z", 1, "zulu"))).toEqual(["travel"]);
  expect(claims.holder("travel")).toMatchObject({ namespace: "zulu", name: "z" });
});

test("a claim goes to the next, and is free in the end", () => {
  const claims = createClaims();
  claims.set(ref("a"), "travel", at("a", 1));
  claims.set(ref("b"), "travel", at("b", 2));
  expect(claims.set(ref("a"), "journeys", at("a", 1)).sort()).toEqual(["journeys", "travel"]);
  expect(claims.holder("travel")).toMatchObject({ name: "b" });
  expect(claims.set(ref("b"), undefined, undefined)).toEqual(["travel"]);
  expect(claims.holder("travel")).toBeUndefined();
  expect(claims.set(ref("b"), undefined, undefined)).toEqual([]);
});

test("one that is made anew is as old as it is now", () => {
  const claims = createClaims();
  claims.set(ref("a"), "travel", at("a", 1));
  claims.set(ref("b"), "travel", at("b", 2));
  expect(claims.set(ref("a"), "travel", at("a", 3))).toEqual(["travel"]);
  expect(claims.holder("travel")).toMatchObject({ name: "b" });
});

test("a time that cannot be read loses", () => {
  const claims = createClaims();
  claims.set(ref("a"), "travel", metadata("agents", "a", { creationTimestamp: "" }));
  claims.set(ref("b"), "travel", at("b", 9));
  expect(claims.holder("travel")).toMatchObject({ name: "b" });
});

test("in any history the holder is the first of those who claim, and every change of holder is told", () => {
  const step = fc.record({
    name: fc.constantFrom("a", "b", "c", "d"),
    claim: fc.constantFrom(undefined, "x", "y"),
    day: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step), (history) => {
      const claims = createClaims();
      const now = new Map<string, { readonly claim: string; readonly day: number }>();
      for (const { name, claim, day } of history) {
        const before = { x: claims.holder("x")?.name, y: claims.holder("y")?.name };
        const told = claims.set(ref(name), claim, at(name, day));
        if (claim === undefined) now.delete(name);
        else now.set(name, { claim, day });
        for (const one of ["x", "y"] as const) {
          const [first] = [...now]
            .filter(([, of]) => of.claim === one)
            .sort(([a, of], [b, other]) => of.day - other.day || (a < b ? -1 : 1));
          expect(claims.holder(one)?.name).toBe(first?.[0]);
          expect(told.includes(one)).toBe(before[one] !== first?.[0]);
        }
      }
    }),
  );
});

test("of a claim that thousands make, in whatever order, it is soon said who holds it", () => {
  const claims = createClaims();
  const names = Array.from({ length: 8000 }, (_, index) => `agent-${(index * 7919) % 8000}`);
  for (const name of names) {
    claims.set(ref(name), "travel", at(name, 1));
    claims.holder("travel");
  }
  const sorted = names.map((name) => ref(name)).sort();
  expect(claims.claimants("travel")).toEqual(sorted);
  for (const [index, one] of sorted.slice(0, 3).entries()) {
    expect(claims.set(one, undefined, undefined)).toEqual(["travel"]);
    expect(claims.claimants("travel")).toEqual(sorted.slice(index + 1));
  }
  // Half a second; minutes, where each claimant is looked at for each.
}, 20_000);

test("claims of one hash are apart", () => {
  const seen = new Map<number, string>();
  const pair = ((): [string, string] => {
    for (let at = 0; ; at += 1) {
      const known = seen.get(hashOfName(`claim-${at}`));
      if (known !== undefined) return [known, `claim-${at}`];
      seen.set(hashOfName(`claim-${at}`), `claim-${at}`);
    }
  })();
  const claims = createClaims();
  expect(claims.set(ref("a"), pair[0], at("a", 1))).toEqual([pair[0]]);
  expect(claims.set(ref("b"), pair[1], at("b", 2))).toEqual([pair[1]]);
  expect(pair.map((claim) => claims.holder(claim)?.name)).toEqual(["a", "b"]);
  expect(pair.map((claim) => claims.claimants(claim))).toEqual([[ref("a")], [ref("b")]]);
  expect(claims.set(ref("a"), undefined, undefined)).toEqual([pair[0]]);
  expect(pair.map((claim) => claims.holder(claim)?.name)).toEqual([undefined, "b"]);
});
