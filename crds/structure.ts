// Types, bounds, enums and formats of a structural schema, judged by ajv. In: schema, value with defaults. Out: faults.
// Unknown fields are found in defaults.ts, list keys and rules in rules.ts.
import { Ajv, type ErrorObject } from "ajv";
import { isDateTime } from "./date-time.ts";
import { member, type Place } from "./fault.ts";
import type { Schema } from "./schema.ts";
import { didYouMean } from "./suggest.ts";

export interface StructureFault {
  readonly place: Place;
  readonly message: string;
  /** The value cannot be given to rules: of a wrong type, or over a bound that keeps rules cheap. */
  readonly blocking: boolean;
}

/** Compiles at once; both kinds take about 20 ms. */
export function createStructure(schema: Schema): (value: unknown) => StructureFault[] {
  // What is ours to keep right (the schema itself) is tested, not checked at every start: that would double the time.
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: false,
    validateSchema: false,
    meta: false,
    addUsedSchema: false,
    code: { optimize: false },
    formats: {
      "date-time": { type: "string", validate: isDateTime },
      // The API server does not hold integers to their formats.
      int32: true,
      int64: true,
    },
  });
  const validate = ajv.compile(jsonSchema(schema));
  return (value) => (validate(value) ? [] : toldOnce(validate.errors ?? []).map((error) => faultOf(error, value)));
}

/** What is no time is not told to match the pattern of times as well. */
function toldOnce(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const noTime = new Set(errors.filter(({ keyword }) => keyword === "format").map(({ instancePath }) => instancePath));
  return errors.filter(({ keyword, instancePath }) => keyword !== "pattern" || !noTime.has(instancePath));
}

/** JSON Schema with the same meaning; what has none of it there is left out. */
function jsonSchema(schema: Schema): Record<string, unknown> {
  const { format, pattern, minLength, maxLength, minimum, maximum, minItems, maxItems, maxProperties } = schema;
  return {
    type: typesOf(schema),
    ...withoutUndefined({ format, pattern, minLength, maxLength, minimum, maximum, minItems, maxItems, maxProperties }),
    // Beyond 64 bits the API server reads no integer.
    ...(schema.type === "integer" ? { exclusiveMaximum: 2 ** 63, exclusiveMinimum: -(2 ** 63) } : {}),
    ...withoutUndefined({ enum: schema.enum, required: schema.required }),
    ...(schema.items === undefined ? {} : { items: jsonSchema(schema.items) }),
    ...(schema.properties === undefined ? {} : { properties: mapValues(schema.properties) }),
    ...(schema.additionalProperties === undefined
      ? {}
      : { additionalProperties: jsonSchema(schema.additionalProperties) }),
  };
}

function typesOf(schema: Schema): string | readonly string[] | undefined {
  if (schema["x-kubernetes-int-or-string"] === true) return ["integer", "string"];
  // The API server lets a list pass for a time; rules refuse it, here as there.
  return schema.format === "date-time" ? ["string", "array"] : schema.type;
}

const mapValues = (properties: Readonly<Record<string, Schema>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, jsonSchema(schema)]));

const withoutUndefined = (members: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

function faultOf(error: ErrorObject, root: unknown): StructureFault {
  const place = placeOf(error.instancePath, root);
  const limit = Number(error.params["limit"]);
  const at = (message: string, blocking: boolean): StructureFault => ({ place, message, blocking });
  switch (error.keyword) {
    case "type":
      return at(`must be ${typeName(error.params["type"])}, not ${typeName(typeOf(error.data))}`, true);
    case "required":
      return { place: [...place, String(error.params["missingProperty"])], message: "is required", blocking: true };
    case "enum": {
      const allowed: string[] = error.params["allowedValues"];
      const value = String(error.data);
      return at(`does not know ${quote(value)}; use one of: ${allowed.join(", ")}${didYouMean(value, allowed)}`, true);
    }
    case "format":
      return at("must be a time, as in: 2027-01-01T00:00:00Z", true);
    case "pattern":
      return at(`must match ${String(error.params["pattern"])}`, false);
    case "maxLength":
      return at(`is too long: at most ${count(limit, "character")}`, true);
    case "minLength":
      return at(limit === 1 ? "must not be empty" : `is too short: at least ${count(limit, "character")}`, false);
    case "maxItems":
      return at(`has too many items: at most ${limit}`, true);
    case "minItems":
      return at(`needs at least ${count(limit, "item")}`, false);
    case "maxProperties":
      return at(`has too many entries: at most ${limit}`, true);
    case "exclusiveMinimum":
    case "exclusiveMaximum":
      return at("must be a whole number of at most 64 bits", true);
    case "minimum":
      return at(`must be ${limit} or more`, false);
    case "maximum":
      return at(`must be ${limit} or less`, false);
    default:
      return at(error.message ?? error.keyword, true);
  }
}

/** Steps of a JSON Pointer (RFC 6901) into the value; positions in lists become numbers. */
function placeOf(pointer: string, root: unknown): Place {
  let value = root;
  return pointer
    .split("/")
    .slice(1)
    .map((escaped) => {
      const step = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
      if (Array.isArray(value)) {
        value = value[Number(step)];
        return Number(step);
      }
      value = member(value, step);
      return step;
    });
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: "an object",
  array: "a list",
  string: "a string (in quotes)",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  null: "null",
};
const typeName = (type: unknown): string =>
  (Array.isArray(type) ? type : [type]).map((name) => TYPE_NAMES[String(name)] ?? String(name)).join(" or ");

const quote = (value: string): string => JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;
