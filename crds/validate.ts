// Judges manifests outside a cluster as the API server would. In: an object as parsed from YAML or JSON.
// Out: the object with the schema's defaults, or everything that is wrong with it.
import { createCel } from "./cel.ts";
import { unknownFields, withDefaults } from "./defaults.ts";
import { type Fault, isObject, member, pathOf, type Place } from "./fault.ts";
import { checkMetadata } from "./metadata.ts";
import { checkRules } from "./rules.ts";
import { API_VERSION, readSchemas, type Schema } from "./schema.ts";
import { createStructure } from "./structure.ts";
import { didYouMean } from "./suggest.ts";
import type { A2AAgent, VirtualKey } from "./types.ts";

export type Validated =
  | { readonly ok: true; readonly object: A2AAgent | VirtualKey }
  | { readonly ok: false; readonly faults: readonly Fault[] };

export interface Validator {
  /**
   * Strict, as `fieldValidation=Strict` is: an unknown field is a fault. A `status` is dropped, as on creating. The name must be
   * given (no generateName). Never throws, and leaves the object given as it is.
   */
  validate(object: unknown): Validated;
}

/** Reads the CRDs; throws when they cannot be read. What a kind needs more is made at its first object. */
export function createValidator(): Validator {
  const check = createSchemaCheck();
  const schemas = new Map(readSchemas().map(({ kind, schema }): [string, Schema] => [kind, withOpenMetadata(schema)]));
  const withoutStatus = new Map([...schemas].map(([kind, schema]) => [kind, dropStatus(schema)]));
  return {
    validate(object) {
      const kind = member(object, "kind");
      const schema = typeof kind === "string" ? schemas.get(kind) : undefined;
      const judged = typeof kind === "string" ? withoutStatus.get(kind) : undefined;
      if (!isObject(object) || schema === undefined || judged === undefined || object["apiVersion"] !== API_VERSION) {
        return { ok: false, faults: checkKind(object, [...schemas.keys()]) };
      }
      const { status: _, ...kept } = object;
      const unknown = unknownFields(schema, object).map(({ place, name, known }) => ({
        path: pathOf(schema, place),
        message: `is not a known field${didYouMean(name, known)}`,
      }));
      const { value, faults } = check(judged, kept);
      // Of one place, the schema's word is kept, which says more; but of a name that is not there it can say nothing.
      const name = member(object["metadata"], "name");
      const named = typeof name === "string" && name !== "";
      const kindFaults = faults.filter(({ path }) => named || !path.startsWith("metadata"));
      const told = new Set(kindFaults.map(({ path }) => path));
      const metadata = checkMetadata(object["metadata"]).filter(({ path }) => !told.has(path));
      const all = [...metadata, ...unknown, ...kindFaults];
      if (all.length > 0) return { ok: false, faults: all };
      return { ok: true, object: value as A2AAgent | VirtualKey };
    },
  };
}

/**
 * Defaults, structure and rules of one schema. Rules are kept from values that are of a wrong type or too large;
 * everything else is judged, so that all faults are told at once.
 */
export function createSchemaCheck(): (
  schema: Schema,
  value: unknown,
) => { readonly value: unknown; readonly faults: readonly Fault[] } {
  const cel = createCel();
  const structures = new Map<Schema, ReturnType<typeof createStructure>>();
  return (schema, given) => {
    let structure = structures.get(schema);
    if (structure === undefined) {
      structure = createStructure(schema);
      structures.set(schema, structure);
    }
    const value = withDefaults(schema, given);
    const found = structure(value);
    const blocking = found.filter((fault) => fault.blocking).map((fault) => fault.place);
    const blocked = (place: Place): boolean => blocking.some((at) => within(at, place));
    const rules = checkRules(cel, schema, value, blocked);
    return {
      value,
      faults: [...found, ...rules].map(({ place, message }) => ({ path: pathOf(schema, place), message })),
    };
  };
}

/** What metadata may hold is Kubernetes' to say, and judged apart. */
function withOpenMetadata(schema: Schema): Schema {
  return { ...schema, properties: { ...schema.properties, metadata: { type: "object" } } };
}

function dropStatus(schema: Schema): Schema {
  const { status: _, ...properties } = schema.properties ?? {};
  return { ...schema, properties };
}

const within = (inner: Place, outer: Place): boolean => outer.every((step, index) => inner[index] === step);

function checkKind(object: unknown, kinds: readonly string[]): Fault[] {
  if (!isObject(object)) return [{ path: "", message: "must be an object with apiVersion, kind, metadata and spec" }];
  const { apiVersion, kind } = object;
  const faults: Fault[] = [];
  if (apiVersion !== API_VERSION) faults.push({ path: "apiVersion", message: `must be ${API_VERSION}` });
  if (typeof kind !== "string" || !kinds.some((known) => known === kind)) {
    const meant = typeof kind === "string" ? didYouMean(kind, kinds) : "";
    faults.push({ path: "kind", message: `must be ${kinds.join(" or ")}${meant}` });
  }
  return faults;
}
