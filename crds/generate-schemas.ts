// The schemas for programs. In: the CRDs as YAML. Out: schemas as objects, and the text of schemas.json.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { KindSchema } from "./schema.ts";

const FILES = ["a2aagents.yaml", "virtualkeys.yaml"] as const;

/** Both kinds, A2AAgent first, with everything that the YAML says of them. */
export function readCrds(): readonly KindSchema[] {
  return FILES.map((name) => {
    const crd = parse(readFileSync(join(import.meta.dirname, name), "utf8"));
    return { kind: crd.spec.names.kind, schema: crd.spec.versions[0].schema.openAPIV3Schema };
  });
}

/** One line of JSON, without what only people read. */
export function generateSchemas(kinds: readonly KindSchema[]): string {
  const text = JSON.stringify(kinds, (name, value: unknown) => {
    const isText = (name === "description" || name === "title") && typeof value === "string";
    return isText ? undefined : value;
  });
  return `${text}\n`;
}
