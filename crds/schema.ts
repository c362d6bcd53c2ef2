// The structural schema of each kind, as the API server sees it. In: schemas.json, generated from the CRDs: reading the YAML
// takes 40 ms, which every start would pay. Out: the schemas.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const API_VERSION = "parley.dev/v1alpha1";

/** A rule of `x-kubernetes-validations`. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  /** Path from the value that has the rule to the one at fault, as `.selector`. */
  readonly fieldPath?: string;
  readonly reason?: string;
}

/** The part of a structural schema (apiextensions.k8s.io/v1 JSONSchemaProps) that the CRDs use. */
export interface Schema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "boolean";
  readonly format?: "date-time" | "int32" | "int64";
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly "x-kubernetes-int-or-string"?: true;
  readonly "x-kubernetes-list-type"?: "atomic" | "map" | "set";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic";
  readonly "x-kubernetes-validations"?: readonly Rule[];
}

export interface KindSchema {
  readonly kind: "A2AAgent" | "VirtualKey";
  readonly schema: Schema;
}

/** Both kinds, A2AAgent first, without descriptions. Throws when the file is missing: that is a broken installation. */
export function readSchemas(): readonly KindSchema[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, "schemas.json"), "utf8"));
}

/** The schema of a member: of a field that is named, else of the entries of a map; undefined when nothing is said of it. */
export function memberSchema({ properties, additionalProperties }: Schema, name: string): Schema | undefined {
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
}
