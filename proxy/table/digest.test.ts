import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketOf, createDigest, type Digest } from "./digest.ts";

const hashOf = (text: string): Buffer => createHash("sha256").update(text).digest();
const rowHashOf = (text: string): string => hashOf(text).toString("latin1");

/** The definition of the version, written out. */
function versionOf(rows: ReadonlyMap<string, string>): string {
  const buckets = Array.from({ length: 1024 }, (): string[] => []);
  for (const id of rows.keys()) buckets[hashOf(id).readUInt16BE(0) >> 6]?.push(id);
  const digests = buckets.map((ids) =>
    ids.length === 0 ? Buffer.alloc(32) : hashOfAll(ids.sort().map((id) => hashOf(rows.get(id) ?? ""))),
  );
  return hashOfAll(digests).toString("hex");
}

function hashOfAll(parts: readonly Buffer[]): Buffer {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(part);
  return sum.digest();
}

type Edit = readonly [id: string, value: string | null];
// Few ids and long ones, so that rows are replaced, removed, and share buckets.
const edit = fc.tuple(
  fc.integer({ min: 0, max: 3000 }).map((n) => `agent/ns/${n}`),
  fc.option(fc.string(), { nil: null }),
);

function apply(digest: Digest, rows: Map<string, string>, [id, value]: Edit): void {
  if (value !== null) {
    digest.set(id, rowHashOf(value));
    rows.set(id, value);
  } else if (digest.delete(id) !== rows.delete(id)) {
    throw new Error("delete did not say whether the row was there");
  }
}

describe("the version", () => {
  test("of an empty table is fixed", () => {
    expect(createDigest().version()).toBe(hashOfAll([Buffer.alloc(32 * 1024)]).toString("hex"));
  });

  test("is what its definition says, after any history of edits", () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 400 }), fc.nat(), (edits, look) => {
        const digest = createDigest();
        const rows = new Map<string, string>();
        for (const [index, one] of edits.entries()) {
          apply(digest, rows, one);
          if (index % (1 + (look % 50)) === 0) digest.version();
        }
        expect(digest.version()).toBe(versionOf(rows));
        expect(digest.size()).toBe(rows.size);
        expect([...digest.ids()].sort()).toStrictEqual([...rows.keys()].sort());
      }),
      { numRuns: 40 },
    );
  });

  test("is right when buckets are full", () => {
    const digest = createDigest();
    const rows = new Map<string, string>();
    for (let n = 0; n < 20_000; n += 1) apply(digest, rows, [`key/ns/${n}`, `${n}`]);
    for (let n = 0; n < 20_000; n += 3) apply(digest, rows, [`key/ns/${n}`, n % 2 === 0 ? null : "again"]);
    expect(digest.version()).toBe(versionOf(rows));
  });
});

describe("a fork", () => {
  test("and its origin do not see each other's edits", () => {
    fc.assert(
      fc.property(fc.array(edit), fc.array(edit), fc.array(edit), (before, left, right) => {
        const origin = createDigest();
        const originRows = new Map<string, string>();
        for (const one of before) apply(origin, originRows, one);
        const fork = origin.fork();
        const forkRows = new Map(originRows);
        for (const one of left) apply(origin, originRows, one);
        for (const one of right) apply(fork, forkRows, one);
        expect(origin.version()).toBe(versionOf(originRows));
        expect(fork.version()).toBe(versionOf(forkRows));
        expect(fork.size()).toBe(forkRows.size);
      }),
      { numRuns: 40 },
    );
  });
});

test("holds tells an equal row from a changed one", () => {
  const digest = createDigest();
  digest.set("a", rowHashOf("1"));
  expect([digest.has("a"), digest.has("b")]).toStrictEqual([true, false]);
  expect(digest.holds("a", rowHashOf("1"))).toBe(true);
  expect(digest.holds("a", rowHashOf("2"))).toBe(false);
  expect(digest.holds("b", rowHashOf("1"))).toBe(false);
  expect(() => digest.set("a", "x".repeat(31))).toThrow(RangeError);
});

describe("buckets", () => {
  test("that differ are found by the prefixes of their digests, whatever was edited since", () => {
    fc.assert(
      fc.property(fc.array(edit), fc.array(edit), (common, more) => {
        const ours = createDigest();
        const rows = new Map<string, string>();
        for (const one of common) apply(ours, rows, one);
        const theirs = ours.fork();
        const theirRows = new Map(rows);
        for (const one of more) apply(theirs, theirRows, one);
        const changed = [...new Set([...rows.keys(), ...theirRows.keys()])].filter(
          (id) => rows.get(id) !== theirRows.get(id),
        );
        const wanted = [...new Set(changed.map(bucketOf))].sort((a, b) => a - b);
        expect(theirs.differing(ours.prefixes())).toStrictEqual(wanted);
      }),
      { numRuns: 40 },
    );
  });

  test("have prefixes of four bytes each, in base64; anything else is not compared", () => {
    const digest = createDigest();
    expect(Buffer.from(digest.prefixes(), "base64")).toHaveLength(4096);
    expect(digest.differing("")).toBeUndefined();
    expect(digest.differing(digest.prefixes().slice(8))).toBeUndefined();
  });

  test("are hashed some at a time", () => {
    const digest = createDigest();
    const rows = new Map<string, string>();
    for (let n = 0; n < 3000; n += 1) apply(digest, rows, [`key/ns/${n}`, `${n}`]);
    let turns = 1;
    while (!digest.refreshSome()) turns += 1;
    expect(turns).toBeGreaterThan(4);
    expect([digest.version(), digest.size()]).toStrictEqual([versionOf(rows), rows.size]);
  });
});
