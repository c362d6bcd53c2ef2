// What the API server does to an object before it judges it. In: schema and value. Out: a copy with the schema's defaults,
// and the fields that the schema does not know (refused, as with fieldValidation=Strict).
import { isObject, type Place } from "./fault.ts";
import type { Schema } from "./schema.ts";

/** A deep copy with defaults. A null where the schema has a default counts as absent; other nulls stay, and are faults later. */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => withDefaults(items, item));
  }
  if (!isObject(value)) return value;
  const copy: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    const inner = schema.properties?.[name] ?? schema.additionalProperties;
    if (inner === undefined) copy.push([name, member]);
    else if (member !== null || inner.default === undefined) copy.push([name, withDefaults(inner, member)]);
  }
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (inner.default !== undefined && (given === undefined || given === null)) copy.push([name, inner.default]);
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
    const inner =
      schema.properties !== undefined && Object.hasOwn(schema.properties, name)
        ? schema.properties[name]
        : schema.additionalProperties;
    return inner === undefined
      ? [{ place: [...place, name], name, known }]
      : unknownFields(inner, member, [...place, name]);
  });
}
