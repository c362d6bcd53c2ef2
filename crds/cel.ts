// The rules of the schema (x-kubernetes-validations), outside a cluster. In: a rule's text, a value. Out: whether it holds.
// The language is cel-js; the one Kubernetes library that the rules use, quantities, is registered here.
import { Environment } from "@marcbachmann/cel-js";
import { isObject } from "./fault.ts";
import { parseQuantity } from "./quantity.ts";
import { memberSchema, type Schema } from "./schema.ts";

export interface Cel {
  /** Whether the rule holds for `self`, a value made by `celValue`. Throws when the rule cannot be evaluated. */
  holds(rule: string, self: unknown): boolean;
}

class Quantity {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** Rules are parsed at their first use and kept. */
export function createCel(): Cel {
  const environment = new Environment({ unlistedVariablesAreDyn: true })
    .registerType("Quantity", { ctor: Quantity, fields: {} })
    .registerFunction("quantity(string): Quantity", (text: string) => {
      const value = parseQuantity(text);
      if (value === undefined) throw new Error("not a quantity");
      return new Quantity(value);
    })
    .registerFunction("Quantity.compareTo(Quantity): int", (a: Quantity, b: Quantity) =>
      a.value === b.value ? 0n : a.value < b.value ? -1n : 1n,
    );
  const parsed = new Map<string, (context: { readonly self: unknown }) => unknown>();
  return {
    holds(rule, self) {
      let run = parsed.get(rule);
      if (run === undefined) {
        run = environment.parse(rule);
        parsed.set(rule, run);
      }
      return run({ self }) === true;
    },
  };
}

/** A value as rules see it: integers as 64-bit, times as times, maps as maps, members that clash with words of the language escaped. */
export function celValue(schema: Schema, value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (schema.format === "date-time" && typeof value === "string") return new Date(value);
  if (Array.isArray(value)) return value.map((item) => celValue(schema.items ?? {}, item));
  if (!isObject(value)) return value;
  const { properties, additionalProperties } = schema;
  if (additionalProperties !== undefined) {
    return new Map(Object.entries(value).map(([key, item]) => [key, celValue(additionalProperties, item)]));
  }
  // Of `metadata`, whose schema is the API server's own, rules may read only the name.
  if (properties === undefined) return { name: value["name"] };
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => {
      const inner = memberSchema(schema, name);
      return inner === undefined || member === null ? [] : [[escapeName(name), celValue(inner, member)]];
    }),
  );
}

/** Words of the language that the API server lets no member be named by. */
const RESERVED: ReadonlySet<string> = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

const escapeName = (name: string): string => (RESERVED.has(name) ? `__${name}__` : name);
