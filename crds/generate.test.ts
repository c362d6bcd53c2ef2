import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { generateSchemas, readCrds } from "./generate-schemas.ts";
import { generateTypes } from "./generate-types.ts";
import { readSchemas, type KindSchema, type Schema } from "./schema.ts";

const file = (name: string): string => readFileSync(join(import.meta.dirname, name), "utf8");
const agent = (properties: Record<string, Schema>): KindSchema[] => [
  { kind: "A2AAgent", schema: { title: "A2AAgent", type: "object", properties } },
];
const typesOf = (properties: Record<string, Schema>): string => generateTypes(agent(properties));

describe("what is generated", () => {
  test("types.ts is fresh", () => {
    expect(file("types.ts") === generateTypes(readCrds()), "run `npm run generate`").toBe(true);
  });

  test("schemas.json is fresh", () => {
    expect(file("schemas.json") === generateSchemas(readCrds()), "run `npm run generate`").toBe(true);
  });

  test("schemas.json loses nothing that judges", () => {
    const words = new Set<string>();
    for (const { schema } of readCrds()) visit(schema, (node) => Object.keys(node).forEach((word) => words.add(word)));
    for (const { schema } of readSchemas())
      visit(schema, (node) => Object.keys(node).forEach((word) => words.delete(word)));
    expect([...words].sort()).toEqual(["description", "title"]);
  });

  test("a field may be named description", () => {
    const kinds = agent({ description: { type: "string", description: "lost", title: "Lost" } });
    expect(generateSchemas(kinds)).toBe(
      '[{"kind":"A2AAgent","schema":{"type":"object","properties":{"description":{"type":"string"}}}}]\n',
    );
  });
});

describe("types", () => {
  test("what is required or has a default is always there", () => {
    const schema: Schema = {
      title: "Inner",
      type: "object",
      required: ["a"],
      properties: { a: { type: "string" }, b: { type: "integer", default: 3 }, c: { type: "boolean" } },
    };
    expect(typesOf({ inner: schema })).toContain(
      [
        "export interface Inner {",
        "  readonly a: string;",
        "  /** Always there: the API server supplies 3. */",
        "  readonly b: number;",
        "  readonly c?: boolean;",
        "}",
      ].join("\n"),
    );
  });

  test("lists, maps, unions and what may be a number or a string", () => {
    const text = typesOf({
      list: { type: "array", items: { type: "string" } },
      either: { type: "array", items: { type: "string", enum: ["A", "B"] } },
      map: { type: "object", additionalProperties: { type: "string" } },
      size: { "x-kubernetes-int-or-string": true },
    });
    expect(text).toContain("readonly list?: readonly string[];");
    expect(text).toContain('readonly either?: readonly ("A" | "B")[];');
    expect(text).toContain("readonly map?: Readonly<Record<string, string>>;");
    expect(text).toContain("readonly size?: number | string;");
  });

  test("one title is one interface", () => {
    const ref = (type: "string" | "integer"): Schema => ({
      title: "Ref",
      type: "object",
      properties: { name: { type } },
    });
    expect(typesOf({ a: ref("string"), b: ref("string") }).match(/interface Ref /g)).toHaveLength(1);
    expect(() => typesOf({ a: ref("string"), b: ref("integer") })).toThrow("A2AAgent.b: Ref differs");
  });

  test("a description cannot end the comment that it stands in", () => {
    expect(typesOf({ a: { type: "string", description: "x */ y" } })).toContain("/** x *\\/ y */");
  });

  test("an object without a title, and a value without a type, are mistakes", () => {
    expect(() => typesOf({ a: { type: "object" } })).toThrow("A2AAgent.a: an object needs a title");
    expect(() => typesOf({ a: {} })).toThrow("A2AAgent.a: the schema has no type");
    expect(() => typesOf({ a: { type: "array" } })).toThrow("A2AAgent.a: the list has no items");
  });
});

describe("the CRDs", () => {
  const nodes: { readonly path: string; readonly node: Schema; readonly inList: boolean }[] = [];
  for (const { kind, schema } of readCrds())
    visit(schema, (node, path, inList) => nodes.push({ path, node, inList }), kind);
  const without = (wrong: (node: Schema, inList: boolean) => boolean): string[] =>
    nodes.filter(({ node, inList }) => wrong(node, inList)).map(({ path }) => path);

  test("every string, list and map is bounded", () => {
    expect(without(({ type, maxItems }) => type === "array" && maxItems === undefined)).toEqual([]);
    expect(
      without(
        ({ additionalProperties, maxProperties }) => additionalProperties !== undefined && maxProperties === undefined,
      ),
    ).toEqual([]);
    const open = without((node) => {
      const isText = node.type === "string" || node["x-kubernetes-int-or-string"] === true;
      return isText && node.enum === undefined && node.maxLength === undefined;
    });
    // Kubernetes itself bounds these.
    expect(open.filter((path) => !/^(A2AAgent|VirtualKey)\.(apiVersion|kind|metadata\.name)$/.test(path))).toEqual([]);
  });

  test("no default stands inside a list: it would look like drift to GitOps", () => {
    expect(without((node, inList) => inList && node.default !== undefined)).toEqual([]);
  });

  test("every list says how it is merged", () => {
    expect(without((node) => node.type === "array" && node["x-kubernetes-list-type"] === undefined)).toEqual([]);
  });

  test("what the operator says in a list is owned entry by entry, not member by member", () => {
    const entries = nodes.filter(({ path }) => /\.status\.[a-z]+\[\]$/.test(path));
    expect(entries.map(({ path }) => path)).toEqual([
      "A2AAgent.status.conditions[]",
      "A2AAgent.status.backends[]",
      "VirtualKey.status.conditions[]",
    ]);
    expect(entries.filter(({ node }) => node["x-kubernetes-map-type"] !== "atomic")).toEqual([]);
  });

  test("every rule has a message of one line", () => {
    const rules = nodes.flatMap(({ node }) => node["x-kubernetes-validations"] ?? []);
    expect(rules.length).toBeGreaterThan(60);
    expect(rules.filter(({ message }) => message === "" || message.includes("\n"))).toEqual([]);
  });

  test("every field is described, but for parts that their names say", () => {
    const silent = nodes.filter(({ node, path }) => {
      const plain = /\[\]$|\{\}$|\.metadata(\.name)?$|\.conditions\[\]\.(type|status|observedGeneration)$/.test(path);
      return !plain && node.description === undefined;
    });
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test.each([
    ["a2aagents.yaml", ["URL", "Endpoints", "Ready", "Versions", "Age"], ["Known", "Reason"], ["a2a"]],
    ["virtualkeys.yaml", ["User", "Team", "Expires", "Ready", "Age"], [], ["vk"]],
  ])("%s: columns, short names, category, status", (name, columns, wide, shortNames) => {
    const { spec } = parse(file(name));
    const [version] = spec.versions;
    const named = (priority: number): string[] =>
      version.additionalPrinterColumns
        .filter((column: { priority?: number }) => (column.priority ?? 0) === priority)
        .map((column: { name: string }) => column.name);
    expect(named(0)).toEqual(columns);
    expect(named(1)).toEqual(wide);
    expect(version.subresources).toEqual({ status: {} });
    expect(spec.names).toMatchObject({ shortNames, categories: ["parley"] });
  });
});

function visit(
  schema: Schema,
  seen: (node: Schema, path: string, inList: boolean) => void,
  path = "",
  inList = false,
): void {
  seen(schema, path, inList);
  for (const [name, inner] of Object.entries(schema.properties ?? {})) visit(inner, seen, `${path}.${name}`, inList);
  if (schema.items !== undefined) visit(schema.items, seen, `${path}[]`, true);
  if (schema.additionalProperties !== undefined) visit(schema.additionalProperties, seen, `${path}{}`, inList);
}
