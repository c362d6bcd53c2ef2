// One file of manifests: kinds that count, kinds that do not, lists, faults with their place, metadata that an API server would make.
import { describe, expect, test } from "vitest";
import { createValidator } from "../crds/validate.ts";
import { readManifest } from "./manifest.ts";

const validator = createValidator();
const read = (text: string) => readManifest("f.yaml", text, validator);

const agent = (name: string, url = "http://127.0.0.1:1", head = "") => `apiVersion: parley.dev/v1alpha1
kind: A2AAgent
metadata: { name: ${name}${head} }
spec:
  backends:
    - name: one
      url: ${url}
`;
const secret = (label: string) => `apiVersion: v1
kind: Secret
metadata: { name: s, labels: { ${label} } }
stringData: { token: plain }
data: { other: cGxhaW4= }
`;

test("an agent gets what an API server would give it", () => {
  const { entries, problems, incomplete } = read(agent("hello", undefined, ", namespace: team, labels: { a: b }"));
  expect({ problems, incomplete }).toEqual({ problems: [], incomplete: false });
  expect(entries[0]).toMatchObject({ ref: "A2AAgent/team/hello", file: "f.yaml" });
  expect(entries[0]?.object).toMatchObject({
    metadata: { namespace: "team", name: "hello", generation: 1, labels: { a: "b" } },
    spec: { gatewayName: "default", backends: [{ name: "one", url: "http://127.0.0.1:1" }] },
  });
});

test("the namespace is `default` where none is written, and the uid follows from kind and name alone", () => {
  const [first] = read(agent("hello")).entries;
  const [second] = read(agent("hello", "http://127.0.0.1:2")).entries;
  expect(first?.ref).toBe("A2AAgent/default/hello");
  expect(first?.object?.metadata.uid).toBe(second?.object?.metadata.uid);
  expect(read(agent("other")).entries[0]?.object?.metadata.uid).not.toBe(first?.object?.metadata.uid);
});

test("a Secret's values are decoded, whichever way they were written", () => {
  expect(read(secret("parley.dev/credential: key")).entries[0]?.object).toMatchObject({
    kind: "Secret",
    credential: "key",
    data: { token: "plain", other: "plain" },
  });
});

test("a List is unfolded, and faults in it have their place", () => {
  const items = [agent("one"), agent("two", "ftp://x")].map((each) => `  - ${each.trim().replaceAll("\n", "\n    ")}`);
  const { entries, problems } = read(`apiVersion: v1\nkind: List\nitems:\n${items.join("\n")}\n`);
  expect(entries.map(({ ref, object }) => [ref, object !== undefined])).toEqual([
    ["A2AAgent/default/one", true],
    ["A2AAgent/default/two", false],
  ]);
  expect(problems[0]).toMatchObject({ line: 17, column: 16, path: "spec.backends[0].url" });
});

describe("what is passed over", () => {
  test.each([
    ["apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\n", "ConfigMap is none of Parley's kinds"],
    [secret("app: x"), "has no label parley.dev/credential"],
  ])("%#: is noted, and nothing is wrong", (text, message) => {
    const { entries, problems, incomplete } = read(text);
    expect({ entries, incomplete }).toEqual({ entries: [], incomplete: false });
    expect(problems).toEqual([
      expect.objectContaining({ severity: "note", message: expect.stringContaining(message) }),
    ]);
  });
});

describe("what is wrong", () => {
  test("an invalid field: file, line, column, object, path and message; the object is known by name", () => {
    const { entries, problems, incomplete } = read(agent("hello", "ftp://x"));
    expect(entries).toEqual([expect.objectContaining({ ref: "A2AAgent/default/hello", object: undefined })]);
    expect(incomplete).toBe(false);
    expect(problems[0]).toMatchObject({
      file: "f.yaml",
      line: 7,
      column: 12,
      object: "A2AAgent default/hello",
      severity: "error",
      path: "spec.backends[0].url",
    });
  });

  test("an unknown field is told where it stands, with the one that was meant", () => {
    const { problems } = read(`${agent("hello")}  publicname: x\n`);
    expect(problems[0]).toMatchObject({ line: 8, path: "spec.publicname" });
    expect(problems[0]?.message).toContain("publicName");
  });

  test.each([
    ["a mistyped kind of our group", agent("hello").replace("A2AAgent", "A2AAgnet"), "A2AAgent"],
    ["another apiVersion", agent("hello").replace("v1alpha1", "v1"), "parley.dev/v1alpha1"],
    ["no kind at all", "metadata: { name: x }\n", "apiVersion and kind"],
    ["a list at the top", "- a\n- b\n", "must be an object"],
    ["an agent without a name", agent("hello").replace("name: hello", "labels: {}"), "is required"],
  ])("%s", (_, text, message) => {
    const { problems } = read(text);
    expect(problems.map((each) => each.message).join("\n")).toContain(message);
    expect(problems[0]?.severity).toBe("error");
  });

  test("what has no readable name leaves the file incomplete; so does broken YAML", () => {
    expect(read(agent("hello").replace("name: hello", "labels: {}")).incomplete).toBe(true);
    expect(read("a: [").incomplete).toBe(true);
  });

  test("a faulty Secret never shows its values", () => {
    const { problems } = read(secret("parley.dev/credential: key").replace("cGxhaW4=", '"not-base-64!"'));
    expect(problems[0]?.path).toBe("data[other]");
    expect(JSON.stringify(problems)).not.toMatch(/not-base|plain/);
  });
});
