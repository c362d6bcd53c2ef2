// What the API server does to an object before it judges it. In: schema and value. Out: a copy with the schema's defaults,
// and the fields that the schema does not know (refused, as with fieldValidation=Strict).
import { isObject, type Place } from "./fault.ts";
import { memberSchema, type Schema } from "./schema.ts";

/** A deep copy with defaults. A member that is null counts as absent, since nothing in these schemas is nullable. */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => withDefaults(items, item));
  }
  if (!isObject(value)) return value;
  const copy = Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
    const inner = memberSchema(schema, name);
    if (inner === undefined) return [[name, member]];
    return member === null ? [] : [[name, withDefaults(inner, member)]];
  });
  const given = new Set(copy.map(([name]) => name));
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    if (inner.default !== undefined && !given.has(name)) copy.push([name, inner.default]);
  }
  return Object.fromEntries(copy);
}

/** Every member that the schema does not name, with the names that it could have had. */
export function unknownFields(
  schema: Schema,
  value: unknown,
  place: Place = [],
): { readonly place: Place; readonly name: string; readonly known: readonly string[] }[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? [] : value.flatMap((item, index) => unknownFields(items, item, [...place, index]));
  }
  if (!isObject(value) || (schema.properties === undefined && schema.additionalProperties === undefined)) return [];
  const known = Object.keys(schema.properties ?? {});
  return Object.entries(value).flatMap(([name, member]) => {
    const inner = memberSchema(schema, name);
    return inner === undefined
      ? [{ place: [...place, name], name, known }]
      : unknownFields(inner, member, [...place, name]);
  });
}
