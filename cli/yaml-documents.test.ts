// YAML with places: what is read, where it stands, what is refused, and that no message shows a piece of the text.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readYaml } from "./yaml-documents.ts";

const text = `# a comment
apiVersion: parley.dev/v1alpha1
kind: A2AAgent
spec:
  backends:
    - name: one
      url: http://127.0.0.1:1
    - { name: two, url: "x" }
  matchLabels:
    example.com/team: blue
---
kind: Second
`;

describe("positions", () => {
  test.each([
    ["", 2, 1],
    ["kind", 3, 7],
    ["spec", 4, 1],
    ["spec.backends", 5, 3],
    ["spec.backends[0]", 6, 7],
    ["spec.backends[0].url", 7, 12],
    ["spec.backends[1].url", 8, 25],
    ["spec.matchLabels[example.com/team]", 10, 23],
  ])("%j stands at %i:%i", (path, line, column) => {
    expect(readYaml(text).documents[0]?.position(path)).toEqual({ line, column });
  });

  test.each([
    ["spec.nothing", 4, 1],
    ["spec.backends[7].url", 5, 3],
    ["spec.backends[0].name.deeper", 6, 13],
  ])("of %j, which is not there, the nearest above is told", (path, line, column) => {
    expect(readYaml(text).documents[0]?.position(path)).toEqual({ line, column });
  });

  test("of a later document and of an alias", () => {
    const { documents } = readYaml(`${text}---\nbase: &b { x: 1 }\nuse: *b\n`);
    expect(documents[1]).toMatchObject({ line: 12, value: { kind: "Second" } });
    expect(documents[2]?.position("use.x")).toEqual({ line: 14, column: 15 });
  });
});

test("empty documents and comments count for nothing; a byte order mark is passed over", () => {
  expect(readYaml("# nothing\n---\n---\n# more\n").documents).toEqual([]);
  expect(readYaml("").faults).toEqual([]);
  expect(readYaml("\uFEFFkind: A\n").documents[0]?.value).toEqual({ kind: "A" });
});

test("words that the API server reads as booleans are booleans; quoted ones and others are not", () => {
  expect(readYaml('a: yes\nb: Off\nc: y\nd: "no"\ne: yesterday\nf: 2027-01-01T00:00:00Z').documents[0]?.value).toEqual({
    a: true,
    b: false,
    c: true,
    d: "no",
    e: "yesterday",
    f: "2027-01-01T00:00:00Z",
  });
});

describe("faults", () => {
  test.each([
    ["kind: A\nkind: B\n", 2, "the key stands twice"],
    ["a:\n\t- b\n", 2, "use blanks, not tabs"],
    ["a:\n  - b\n c: d\n", 3, "the indentation does not fit"],
    ["a: [1, 2\nb: 3\n", 2, "a [ is not closed"],
    ['a: [{ name: a, url: "x" ]\nb: 3\n', 1, "a { is not closed: a } is missing before this"],
    ["a:\n  name: {{ .Values.name }}\n", 2, "a template with {{ }} has to be rendered first"],
    ["a: 1\n{{- if .Values.x }}\nb: 2\n{{- end }}\n", 2, "a template with {{ }} has to be rendered first"],
    ["a: &x { y: 1 }\n*x : 2\n", 2, "a key cannot be { }"],
    ['a: "open\n', 2, "something is missing here"],
    ["a: *nobody\n", 1, "the alias (*name) has no anchor"],
    ['a: "\\q"\n', 1, "an escape"],
  ])("%j is told at line %i", (broken, line, message) => {
    const { documents, faults } = readYaml(broken);
    expect(documents).toEqual([]);
    expect(faults).toEqual([{ line, column: expect.any(Number), message: expect.stringContaining(message) }]);
  });

  test("of keys that stand twice each is told; {{ }} in quotes is text", () => {
    expect(readYaml("a: 1\na: 2\nb: 1\nb: 2\n").faults.map(({ line }) => line)).toEqual([2, 4]);
    expect(readYaml('a: "{{ x }}"\n').documents[0]?.value).toEqual({ a: "{{ x }}" });
  });

  test("a broken document does not take the others with it", () => {
    const { documents, faults } = readYaml("a: 1\n---\na: {\n---\na: 3\n");
    expect(documents.map(({ value }) => value)).toContainEqual({ a: 1 });
    expect(faults.length).toBeGreaterThan(0);
  });

  test("aliases that unfold to too much are refused", () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i}: &l${i} [${`*l${i - 1},`.repeat(9)}]`).slice(1);
    const { documents, faults } = readYaml(`l0: &l0 [x,x,x]\n${levels.join("\n")}\n`);
    expect(documents).toEqual([]);
    expect(faults[0]?.message).toContain("unfold to too much");
  });

  test("no message shows a secret, whatever is broken around it", () => {
    const secret = "sk-PLAINLYSECRET";
    const marks = fc.constantFrom(...Array.from("\"'[]{}*&!|>%@`:,-? \t\n#"), "---", "\\x");
    fc.assert(
      fc.property(fc.array(marks), fc.array(marks), (before, after) => {
        const broken = `stringData:\n  token: ${before.join("")}${secret}${after.join("")}\n`;
        for (const { message } of readYaml(broken).faults) expect(message).not.toContain("PLAINLY");
      }),
      { numRuns: 500 },
    );
  });
});

test("any text is read without an exception, and every position is within it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), fc.string({ maxLength: 20 }), (any, path) => {
      const lines = any.split(/\r\n?|\n/).length;
      const { documents, faults } = readYaml(any);
      for (const { line } of [...faults, ...documents.map((each) => each.position(path))]) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines + 1);
      }
    }),
    { numRuns: 500 },
  );
});
