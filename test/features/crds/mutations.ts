// Makes cases from a schema: every field of a good object is put to every kind of value that the schema speaks of.
// In: schema and a good object that holds every field. Out: changed copies, each with what was changed.
import type { Schema } from "../../../crds/schema.ts";

export interface Case {
  readonly name: string;
  readonly object: unknown;
}

type Place = readonly (string | number)[];

/** Cases for everything below `place` of `object`, whose schema is `schema`. */
export function mutations(schema: Schema, object: unknown, place: Place): Case[] {
  const value = read(object, place);
  if (value === undefined) throw new Error(`the good object lacks ${place.join(".")}`);
  const here = [
    ...types(schema),
    ...strings(schema),
    ...numbers(schema),
    ...lists(schema, value),
    ...maps(schema, value),
    ["removed", undefined],
  ] as const;
  return [
    ...here.map(([what, changed]) => ({
      name: `${place.join(".")}: ${what}`,
      object: write(object, place, changed),
    })),
    ...below(schema, object, place, value),
  ];
}

function below(schema: Schema, object: unknown, place: Place, value: unknown): Case[] {
  const { items, properties, additionalProperties } = schema;
  if (Array.isArray(value) && items !== undefined) {
    // Every item, so that each arm of a union is met.
    return value.flatMap((_, index) => mutations(items, object, [...place, index]));
  }
  if (additionalProperties !== undefined) {
    return Object.keys(value as object).flatMap((key) => mutations(additionalProperties, object, [...place, key]));
  }
  if (properties === undefined) return [];
  const present = Object.entries(properties).filter(([name]) => read(object, [...place, name]) !== undefined);
  return [
    { name: `${place.join(".")}: unknown field`, object: write(object, [...place, "nobodyKnowsMe"], "x") },
    ...present.flatMap(([name, inner]) => mutations(inner, object, [...place, name])),
  ];
}

type Change = readonly [what: string, value: unknown];

function types(schema: Schema): Change[] {
  const all: Change[] = [
    ["null", null],
    ["a boolean", true],
    ["a string", "a"],
    ["an empty string", ""],
    ["an integer", 1],
    ["a fraction", 1.5],
    ["a list", []],
    ["a list of null", [null]],
    ["a list of strings", ["a"]],
    ["an object", {}],
    ["an object with a member", { a: "b" }],
    ["an object with a null", { a: null }],
  ];
  if (schema.format === "date-time") all.push(...TIMES.map((time): Change => [`the time ${time}`, time]));
  return all;
}

const TIMES = [
  "2027-01-01T00:00:00Z",
  "2027-01-01T00:00:00.123456789Z",
  "2027-01-01T00:00:00.1234567890Z",
  "2027-01-01T00:00:00.Z",
  "2027-01-01t00:00:00z",
  "2027-01-01T00:00:00+01:30",
  "2027-01-01T00:00:00+0130",
  "2027-01-01T00:00:00+99:99",
  "2027-01-01T00:00:00",
  "2027-01-01 00:00:00Z",
  "2027-01-01",
  "2027-02-28T23:59:59Z",
  "2027-02-29T00:00:00Z",
  "2028-02-29T00:00:00Z",
  "2027-13-01T00:00:00Z",
  "2027-00-10T00:00:00Z",
  "2027-01-00T00:00:00Z",
  "2027-01-01T24:00:00Z",
  "2027-01-01T23:60:00Z",
  "2027-01-01T23:59:60Z",
  "0000-01-01T00:00:00Z",
  "10000-01-01T00:00:00Z",
  " 2027-01-01T00:00:00Z",
  "2027-01-01T00:00:00Z\n",
];

function strings({ type, enum: values, maxLength, minLength }: Schema): Change[] {
  const changes: Change[] = [];
  for (const value of values ?? []) {
    changes.push([`the value ${value}`, value], [`the value ${value} in lower case`, value.toLowerCase()]);
  }
  if (maxLength !== undefined) {
    changes.push(["as long as may be", "a".repeat(maxLength)], ["too long by one", "a".repeat(maxLength + 1)]);
    changes.push(["characters of two units, as many as may be", "😀".repeat(maxLength)]);
  }
  if (minLength !== undefined) changes.push(["as short as may be", "a".repeat(minLength)]);
  if (type === "string" && values === undefined) {
    for (const text of ["A", "a b", " a", "a ", "a\n", "\n", "é", "a.b", "a/b", "a_b", "-a", "a-", "0", "00", "日本"]) {
      changes.push([JSON.stringify(text), text]);
    }
  }
  return changes;
}

function numbers(schema: Schema): Change[] {
  const isNumber = schema.type === "integer" || schema["x-kubernetes-int-or-string"] === true;
  if (!isNumber) return [];
  const bounds = [schema.minimum, schema.maximum].filter((bound) => bound !== undefined);
  const numbers = [-1, 0, 1, 65_535, 65_536, 2 ** 20, 2 ** 20 + 1, 2 ** 30, 2 ** 30 + 1, 2 ** 31, 2 ** 53, 1e20, -0.5];
  for (const bound of bounds) numbers.push(bound - 1, bound, bound + 1);
  return [...new Set(numbers)].map((number): Change => [String(number), number]);
}

function lists(schema: Schema, value: unknown): Change[] {
  const { items, maxItems } = schema;
  if (!Array.isArray(value) || items === undefined || value.length === 0) return [];
  const item: unknown = value[0];
  const changes: Change[] = [
    ["an item twice", [item, item]],
    ["a null after a good item", [item, null]],
  ];
  if (maxItems !== undefined) {
    changes.push([`${maxItems} items`, distinct(schema, item, maxItems)]);
    changes.push([`${maxItems + 1} items`, distinct(schema, item, maxItems + 1)]);
  }
  return changes;
}

/** Items that differ in what makes them one of a list, so that only their number can be wrong. */
function distinct(schema: Schema, item: unknown, count: number): unknown[] {
  const key = schema["x-kubernetes-list-map-keys"]?.[0];
  return Array.from({ length: count }, (_, index) => (key === undefined ? item : write(item, [key], `n${index}`)));
}

function maps({ additionalProperties, maxProperties }: Schema, value: unknown): Change[] {
  if (additionalProperties === undefined || maxProperties === undefined) return [];
  const [first] = Object.values(value as Record<string, unknown>);
  const of = (count: number): unknown =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, first]));
  return [
    [`${maxProperties} entries`, of(maxProperties)],
    [`${maxProperties + 1} entries`, of(maxProperties + 1)],
  ];
}

export function read(object: unknown, place: Place): unknown {
  let value = object;
  for (const step of place) value = (value as Record<string | number, unknown> | undefined)?.[step];
  return value;
}

/** A copy with one value put in place; undefined removes it. */
export function write(object: unknown, place: Place, value: unknown): unknown {
  const [step, ...rest] = place;
  if (step === undefined) return value;
  if (Array.isArray(object)) {
    const copy = [...object];
    if (rest.length === 0 && value === undefined) copy.splice(Number(step), 1);
    else copy[Number(step)] = write(copy[Number(step)], rest, value);
    return copy;
  }
  const copy: Record<string, unknown> = { ...(object as Record<string, unknown>) };
  if (rest.length === 0 && value === undefined) delete copy[step];
  else copy[step] = write(copy[step], rest, value);
  return copy;
}
