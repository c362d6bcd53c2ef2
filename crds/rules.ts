// What a structural schema says beyond types and bounds: unique list keys, and rules. In: schema, value. Out: faults.
import { type Cel, celValue } from "./cel.ts";
import { isObject, member, type Place } from "./fault.ts";
import { memberSchema, type Rule, type Schema } from "./schema.ts";

export interface RuleFault {
  readonly place: Place;
  readonly message: string;
}

/**
 * Judges a value and all that is in it. `blocked` says that a value, or something in it, cannot be given to rules.
 */
export function checkRules(
  cel: Cel,
  schema: Schema,
  value: unknown,
  blocked: (place: Place) => boolean,
  place: Place = [],
): RuleFault[] {
  if (value === null || value === undefined) return [];
  const faults: RuleFault[] = [];
  if (Array.isArray(value)) faults.push(...duplicates(schema, value, place));
  const rules = schema["x-kubernetes-validations"];
  if (rules !== undefined && !blocked(place)) {
    const self = celValue(schema, value);
    for (const rule of rules) faults.push(...check(cel, rule, self, place));
  }
  if (Array.isArray(value) && schema.items !== undefined) {
    const { items } = schema;
    value.forEach((item, index) => faults.push(...checkRules(cel, items, item, blocked, [...place, index])));
  } else if (isObject(value)) {
    for (const [name, inner] of Object.entries(value)) {
      const below = memberSchema(schema, name);
      if (below !== undefined) faults.push(...checkRules(cel, below, inner, blocked, [...place, name]));
    }
  }
  return faults;
}

function check(cel: Cel, rule: Rule, self: unknown, place: Place): RuleFault[] {
  const at = rule.fieldPath === undefined ? place : [...place, ...rule.fieldPath.split(".").slice(1)];
  try {
    return cel.holds(rule.rule, self) ? [] : [{ place: at, message: rule.message }];
  } catch {
    // The API server takes a rule that fails to run for one that does not hold, too.
    return [{ place: at, message: rule.message }];
  }
}

function duplicates(schema: Schema, list: readonly unknown[], place: Place): RuleFault[] {
  const keys = schema["x-kubernetes-list-map-keys"];
  const identity = (item: unknown): string | undefined => {
    if (schema["x-kubernetes-list-type"] === "set") return JSON.stringify(item);
    if (schema["x-kubernetes-list-type"] !== "map" || keys === undefined || !isObject(item)) return undefined;
    return JSON.stringify(keys.map((key) => member(item, key)));
  };
  const seen = new Set<string>();
  const what = keys === undefined ? "is there already" : `has the ${keys.join(", ")} of one before it`;
  return list.flatMap((item, index) => {
    const id = identity(item);
    if (id === undefined) return [];
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [{ place: [...place, index], message: `${what}: each may stand once` }];
  });
}
