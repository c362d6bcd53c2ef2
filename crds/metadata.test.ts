import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkMetadata } from "./metadata.ts";

const faultsOf = (metadata: unknown): string[] =>
  checkMetadata(metadata).map(({ path, message }) => `${path}: ${message}`);
const pathsOf = (metadata: object): string[] => checkMetadata({ name: "a", ...metadata }).map(({ path }) => path);

describe("names", () => {
  test.each(["a", "0", "a-b.c", "a".repeat(253)])("%s is one", (name) => {
    expect(faultsOf({ name })).toEqual([]);
  });

  test.each(["A", "a_b", "-a", "a-", ".a", "a..b", "a/b", "ä", "a\n", "a".repeat(254)])("%j is none", (name) => {
    expect(pathsOf({ name })).toEqual(["metadata.name"]);
  });

  test("a namespace has no dot and at most 63 characters", () => {
    expect(pathsOf({ namespace: "a".repeat(63) })).toEqual([]);
    expect(pathsOf({ namespace: "a.b" })).toEqual(["metadata.namespace"]);
    expect(pathsOf({ namespace: "a".repeat(64) })).toEqual(["metadata.namespace"]);
  });
});

describe("labels and annotations", () => {
  test("keys are names, with or without a prefix", () => {
    expect(pathsOf({ labels: { team: "a", "example.com/Team_1": "" } })).toEqual([]);
    expect(pathsOf({ labels: { "Example.com/team": "a", "a/b/c": "a", "": "a" } })).toEqual([
      "metadata.labels[Example.com/team]",
      "metadata.labels[a/b/c]",
      "metadata.labels[]",
    ]);
  });

  test("values of labels are short and plain, those of annotations are anything", () => {
    expect(pathsOf({ labels: { a: "a b" }, annotations: { a: "a b\nä" } })).toEqual(["metadata.labels[a]"]);
    expect(pathsOf({ labels: { a: "a".repeat(64) } })).toEqual(["metadata.labels[a]"]);
  });

  test("annotations have at most 256Ki, keys included, in bytes", () => {
    expect(pathsOf({ annotations: { a: "ä".repeat(128 * 1024 - 1) } })).toEqual([]);
    expect(pathsOf({ annotations: { a: "ä".repeat(128 * 1024) } })).toEqual(["metadata.annotations"]);
  });
});

describe("members", () => {
  test("an exported manifest is taken as it is", () => {
    const metadata = {
      name: "a",
      uid: "x",
      resourceVersion: "5",
      generation: 2,
      creationTimestamp: null,
      managedFields: [{}],
      ownerReferences: [],
    };
    expect(faultsOf(metadata)).toEqual([]);
  });

  test("unknown ones and wrong types are faults", () => {
    expect(faultsOf({ name: 5, anotations: {}, labels: { a: 1 } })).toEqual([
      "metadata.name: must be a string (in quotes)",
      'metadata.anotations: is not a known field; did you mean "annotations"?',
      "metadata.labels: must be an object of strings",
    ]);
  });

  test("never throws", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(checkMetadata(value)).toBeInstanceOf(Array);
      }),
    );
  });
});
