// TypeScript from structural schemas. In: the schemas of the kinds. Out: the text of types.ts.
// An object schema becomes an interface named by its `title`; equal titles must have equal shapes, whatever their descriptions.
import type { KindSchema, Schema } from "./schema.ts";

/** The whole file, in the order in which names are first met, parents before children. Throws on a schema it cannot name. */
export function generateTypes(kinds: readonly KindSchema[]): string {
  const interfaces = new Map<string, { readonly doc: string; readonly body: string; readonly origin: string }>();
  for (const { kind, schema } of kinds) declare(schema, kind);
  const head = "// Generated from the CRDs by generate.ts. Do not edit: run `npm run generate`.\n";
  return (
    head + [...interfaces].map(([name, { doc, body }]) => `\n${doc}export interface ${name} {\n${body}}\n`).join("")
  );

  function declare(schema: Schema, origin: string): string {
    const name = schema.title;
    if (name === undefined || !/^[A-Z][A-Za-z0-9]*$/.test(name)) {
      throw new Error(`${origin}: an object needs a title to be named by, as in: title: Backend`);
    }
    const known = interfaces.get(name);
    // The place is taken before children are met, so that parents stand before them.
    if (known === undefined) interfaces.set(name, { doc: "", body: "", origin });
    const shared = known !== undefined;
    const body = Object.entries(schema.properties ?? {})
      .map(([property, value]) => member(property, value, schema.required ?? [], `${origin}.${property}`))
      .join("");
    if (shared && known.body !== body) {
      throw new Error(`${origin}: ${name} differs from the one at ${known.origin}`);
    }
    interfaces.set(name, known ?? { doc: "", body, origin });
    return name;
  }

  function member(property: string, schema: Schema, required: readonly string[], origin: string): string {
    const there = required.includes(property) || schema.default !== undefined || ALWAYS.has(property);
    const optional = there ? "" : "?";
    return `${comment(describe(schema), "  ")}  readonly ${property}${optional}: ${typeOf(property, schema, origin)};\n`;
  }

  function typeOf(property: string, schema: Schema, origin: string): string {
    if (schema["x-kubernetes-int-or-string"] === true) return "number | string";
    if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    switch (schema.type) {
      case "string":
        if (property === "apiVersion" || property === "kind") return literal(property, origin);
        return "string";
      case "integer":
        return "number";
      case "boolean":
        return "boolean";
      case "array":
        return arrayOf(schema, origin);
      case "object":
        if (schema.additionalProperties !== undefined) {
          return `Readonly<Record<string, ${typeOf("", schema.additionalProperties, `${origin}.*`)}>>`;
        }
        return property === "metadata" ? metadata() : declare(schema, origin);
      default:
        throw new Error(`${origin}: the schema has no type`);
    }
  }

  function arrayOf(schema: Schema, origin: string): string {
    if (schema.items === undefined) throw new Error(`${origin}: the list has no items`);
    const item = typeOf("", schema.items, `${origin}[]`);
    return item.includes(" ") ? `readonly (${item})[]` : `readonly ${item}[]`;
  }

  function literal(property: "apiVersion" | "kind", origin: string): string {
    return property === "kind" ? `"${origin.split(".")[0] ?? ""}"` : '"parley.dev/v1alpha1"';
  }

  function metadata(): string {
    if (!interfaces.has("ObjectMeta")) interfaces.set("ObjectMeta", { doc: META_DOC, body: META, origin: "metadata" });
    return "ObjectMeta";
  }
}

/** Members that every object has; the API server does not want to read of them in a schema. */
const ALWAYS: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

const META_DOC = "/** The part of metav1.ObjectMeta that stands in manifests; the API server adds the rest. */\n";
const META = [
  "name: string",
  "namespace?: string",
  "uid?: string",
  "generation?: number",
  "resourceVersion?: string",
  "creationTimestamp?: string",
  "deletionTimestamp?: string",
  "labels?: Readonly<Record<string, string>>",
  "annotations?: Readonly<Record<string, string>>",
]
  .map((line) => `  readonly ${line};\n`)
  .join("");

function describe(schema: Schema): string | undefined {
  if (schema.default === undefined) return schema.description;
  return `${schema.description ?? ""} Always there: the API server supplies ${JSON.stringify(schema.default)}.`.trim();
}

function comment(text: string | undefined, indent: string): string {
  return text === undefined ? "" : `${indent}/** ${text.replaceAll("*/", "*\\/")} */\n`;
}
