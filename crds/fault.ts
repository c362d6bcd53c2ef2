// What is wrong with an object, and where. In: a place in it. Out: the place as the API server writes it.
import { memberSchema, type Schema } from "./schema.ts";

export interface Fault {
  /** As in spec.backends[0].url; "" is the object itself. */
  readonly path: string;
  /** What to write instead. Never shows a value that may be a secret. */
  readonly message: string;
}

/** Steps from the object to a value in it: member names and list positions. */
export type Place = readonly (string | number)[];

/** `spec.backends[0].url`; keys of maps stand in brackets: `matchLabels[example.com/team]`. */
export function pathOf(root: Schema, place: Place): string {
  let path = "";
  let schema: Schema | undefined = root;
  for (const step of place) {
    if (typeof step === "number") {
      path += `[${step}]`;
      schema = schema?.items;
    } else if (schema?.additionalProperties !== undefined) {
      path += `[${shown(step)}]`;
      schema = schema.additionalProperties;
    } else {
      path += path === "" ? shown(step) : `.${shown(step)}`;
      schema = schema === undefined ? undefined : memberSchema(schema, step);
    }
  }
  return path;
}

/** A name that somebody made up, fit for one line of a terminal. */
export function shown(name: string): string {
  const cut = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return cut.replaceAll(/\p{Cc}/gu, "?");
}

/** A member of an object of unknown shape; undefined when there is none of its own. */
export function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
