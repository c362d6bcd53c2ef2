// What stays in use of a folder whose files change, break and vanish.
import { describe, expect, test } from "vitest";
import { createValidator } from "../crds/validate.ts";
import { EMPTY_STATE, mergeFolder } from "./last-good.ts";
import type { FolderState } from "./last-good.ts";
import { readManifest } from "./manifest.ts";

const validator = createValidator();

const agent = (name: string, port: number | string = 1) =>
  `apiVersion: parley.dev/v1alpha1\nkind: A2AAgent\nmetadata: { name: ${name} }\nspec: { backends: [{ name: b, url: "http://127.0.0.1:${port}" }] }\n`;

/** `undefined` as text: the file cannot be read. */
const merge = (previous: FolderState, files: Record<string, string | undefined>): FolderState =>
  mergeFolder(
    previous,
    Object.entries(files).map(([file, text]) => ({
      file,
      manifest: text === undefined ? undefined : readManifest(file, text, validator),
    })),
  );
const names = (state: FolderState): string[] =>
  [...state.objects.keys()].map((ref) => ref.split("/")[2] ?? "").toSorted();
const urlOf = (state: FolderState, name: string): string | undefined => {
  const object = state.objects.get(`A2AAgent/default/${name}`)?.object;
  return object?.kind === "A2AAgent" ? object.spec.backends[0]?.url : undefined;
};
const metadataOf = (state: FolderState, name: string) => state.objects.get(`A2AAgent/default/${name}`)?.object.metadata;

describe("edits", () => {
  test("a valid edit counts and raises the generation; the same content keeps the very object", () => {
    const first = merge(EMPTY_STATE, { "a.yaml": agent("x") });
    const same = merge(first, { "a.yaml": `# new comment\n${agent("x")}` });
    const edited = merge(same, { "a.yaml": agent("x", 2) });
    expect(same.objects.get("A2AAgent/default/x")?.object).toBe(first.objects.get("A2AAgent/default/x")?.object);
    expect([metadataOf(first, "x")?.generation, metadataOf(edited, "x")?.generation]).toEqual([1, 2]);
    expect(urlOf(edited, "x")).toBe("http://127.0.0.1:2");
  });

  test("an edit that is not valid keeps the object as it was, says so, and harms no other", () => {
    const first = merge(EMPTY_STATE, { "a.yaml": `${agent("x")}---\n${agent("why")}` });
    const broken = merge(first, { "a.yaml": `${agent("x", "no-port")}---\n${agent("why", 2)}` });
    expect([urlOf(broken, "x"), urlOf(broken, "why")]).toEqual(["http://127.0.0.1:1", "http://127.0.0.1:2"]);
    expect(broken.problems.map(({ severity }) => severity)).toContain("error");
    expect(broken.problems.map(({ message }) => message)).toContain("stays in use as it was last valid");
    const mended = merge(broken, { "a.yaml": `${agent("x", 3)}---\n${agent("why", 2)}` });
    expect(urlOf(mended, "x")).toBe("http://127.0.0.1:3");
    expect(mended.problems).toEqual([]);
  });

  test("an object that was never valid is not there", () => {
    const state = merge(EMPTY_STATE, { "a.yaml": agent("x", "no-port"), "b.yaml": agent("why") });
    expect(names(state)).toEqual(["why"]);
    expect(state.problems.length).toBeGreaterThan(0);
  });

  test("broken YAML keeps all that the file held and cannot be seen now", () => {
    const first = merge(EMPTY_STATE, { "a.yaml": `${agent("x")}---\n${agent("why")}`, "b.yaml": agent("z") });
    const broken = merge(first, { "a.yaml": `${agent("x", 2)}---\nkind: [A2AAgent\n`, "b.yaml": agent("z") });
    expect(names(broken)).toEqual(["why", "x", "z"]);
    expect(urlOf(broken, "x")).toBe("http://127.0.0.1:2");
  });

  test("a document whose name was lost keeps what the file held", () => {
    const first = merge(EMPTY_STATE, { "a.yaml": agent("x") });
    expect(names(merge(first, { "a.yaml": agent("x").replace("name: x", "nmae: x") }))).toEqual(["x"]);
    expect(names(merge(first, { "a.yaml": agent("x").replace("A2AAgent", "A2AAgnet") }))).toEqual(["x"]);
  });
});

describe("what goes", () => {
  test("an object that its readable file holds no more is gone, and so is what a deleted file held", () => {
    const first = merge(EMPTY_STATE, { "a.yaml": `${agent("x")}---\n${agent("why")}`, "b.yaml": agent("z") });
    expect(names(merge(first, { "a.yaml": agent("x") }))).toEqual(["x"]);
    expect(names(merge(first, {}))).toEqual([]);
  });

  test("what an unreadable file held stays", () => {
    const first = merge(EMPTY_STATE, { "a.yaml": agent("x"), "b.yaml": agent("why") });
    expect(names(merge(first, { "a.yaml": undefined, "b.yaml": agent("why") }))).toEqual(["why", "x"]);
  });

  test("an object that moved to another file is not taken from the broken one", () => {
    const first = merge(EMPTY_STATE, { "a.yaml": agent("x") });
    const moved = merge(first, { "a.yaml": "kind: [", "b.yaml": agent("x", 2) });
    expect(names(moved)).toEqual(["x"]);
    expect(urlOf(moved, "x")).toBe("http://127.0.0.1:2");
    expect(moved.problems.filter(({ message }) => message.includes("stands in"))).toEqual([]);
  });
});

describe("doubles and order", () => {
  test("of an object that stands twice the first file counts, and the second is told", () => {
    const state = merge(EMPTY_STATE, { "a.yaml": agent("x", 1), "b.yaml": `\n${agent("x", 2)}` });
    expect(urlOf(state, "x")).toBe("http://127.0.0.1:1");
    expect(state.problems).toEqual([
      expect.objectContaining({ file: "b.yaml", line: 2, message: "stands in a.yaml:1 already; that one is used" }),
    ]);
  });

  test("when the first goes, the second takes its place", () => {
    const first = merge(EMPTY_STATE, { "a.yaml": agent("x", 1), "b.yaml": agent("x", 2) });
    expect(urlOf(merge(first, { "b.yaml": agent("x", 2) }), "x")).toBe("http://127.0.0.1:2");
  });

  test("the file in use stays in use when an earlier one claims its object, and is the one that is named", () => {
    const first = merge(EMPTY_STATE, { "b.yaml": agent("x", 1) });
    const both = { "a.yaml": agent("x", 2), "b.yaml": agent("x", 1) };
    const state = merge(first, both);
    expect(urlOf(state, "x")).toBe("http://127.0.0.1:1");
    expect(state.problems).toEqual([
      expect.objectContaining({ file: "a.yaml", message: "stands in b.yaml:1 already; that one is used" }),
    ]);
    expect(merge(state, both).problems).toEqual(state.problems);
    expect(urlOf(merge(state, { "a.yaml": agent("x", 2) }), "x")).toBe("http://127.0.0.1:2");
  });

  test("an object that moved out of a broken file is not said to stay as it was", () => {
    const first = merge(EMPTY_STATE, { "a.yaml": agent("x") });
    const { problems } = merge(first, { "a.yaml": "kind: [", "b.yaml": agent("x", 2) });
    expect(problems.map(({ message }) => message)).not.toContain("stays in use as it was last valid");
  });

  test("what was there is older than what comes, wherever that stands, and keeps its age when it is edited or breaks", () => {
    const first = merge(EMPTY_STATE, { "b.yaml": agent("x"), "c.yaml": agent("why") });
    const states = [
      merge(first, { "a.yaml": agent("new"), "b.yaml": agent("x", 2), "c.yaml": agent("why", "no-port") }),
      merge(first, { "a.yaml": agent("new"), "b.yaml": undefined, "d.yaml": agent("why") }),
    ];
    for (const state of states) {
      const ages = ["x", "why", "new"].map((name) => metadataOf(state, name)?.creationTimestamp ?? "");
      expect(ages.slice(0, 2)).toEqual(["x", "why"].map((name) => metadataOf(first, name)?.creationTimestamp));
      expect(ages).toEqual(ages.toSorted());
      expect(new Set(ages).size).toBe(3);
    }
  });

  test("age follows the order of files and documents", () => {
    const state = merge(EMPTY_STATE, { "a.yaml": `${agent("why")}---\n${agent("x")}`, "b.yaml": agent("w") });
    const ages = ["why", "x", "w"].map((name) => metadataOf(state, name)?.creationTimestamp);
    expect(ages).toEqual(ages.toSorted((a = "", b = "") => a.localeCompare(b)));
    expect(new Set(ages).size).toBe(3);
  });
});
