// One file of manifests into objects. In: its name and text. Out: objects as the store knows them, and everything that is wrong, with
// file, line and column.
import { hash } from "node:crypto";
import { CREDENTIAL_LABEL, validateSecret } from "../crds/secret.ts";
import type { ObjectMeta } from "../crds/types.ts";
import type { Validator } from "../crds/validate.ts";
import { refOf } from "../operator/objects.ts";
import type { AgentObject, KeyObject, Metadata, Ref, SecretObject } from "../operator/objects.ts";
import { readYaml } from "./yaml-documents.ts";
import type { Position } from "./yaml-documents.ts";

/** Objects that a folder can hold. */
export type ManifestObject = AgentObject | KeyObject | SecretObject;

/** Something to tell the author of a file. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `A2AAgent default/hello`; undefined while it is not known. */
  readonly object: string | undefined;
  /** Field path; "" is the object itself. */
  readonly path: string;
  readonly message: string;
  /** `note`: nothing is wrong. */
  readonly severity: "error" | "warning" | "note";
}

export interface ManifestEntry {
  readonly ref: Ref;
  /** Undefined: the object is there, but not valid. */
  readonly object: ManifestObject | undefined;
  readonly file: string;
  /** Where a field stands. */
  readonly position: (path: string) => Position;
}

export interface Manifest {
  readonly entries: readonly ManifestEntry[];
  readonly problems: readonly Problem[];
  /** True: something stands in the file whose name could not be read, so that it is unknown what is not there. */
  readonly incomplete: boolean;
}

const API_GROUP = "parley.dev/";
const KINDS: ReadonlySet<string> = new Set(["A2AAgent", "VirtualKey"]);
/** What stands in a folder has no age: it gets one that follows the order in which it was seen. */
const EPOCH = Date.UTC(2000, 0, 1);

/** Never throws. `List` is unfolded; kinds of others are noted and left alone. */
export function readManifest(file: string, text: string, validator: Validator): Manifest {
  const { documents, faults } = readYaml(text);
  const problems: Problem[] = faults.map((fault) => ({
    file,
    ...fault,
    object: undefined,
    path: "",
    severity: "error",
  }));
  const entries: ManifestEntry[] = [];
  let incomplete = faults.length > 0;

  function take(value: unknown, prefix: string, place: (path: string) => Position): void {
    const position = (path: string): Position => place(joinPath(prefix, path));
    if (isObject(value) && value["kind"] === "List" && Array.isArray(value["items"])) {
      for (const [index, item] of value["items"].entries()) take(item, joinPath(prefix, `items[${index}]`), place);
      return;
    }
    const judged = judge(value, validator);
    const told = (severity: Problem["severity"], path: string, message: string): number =>
      problems.push({ file, ...position(path), object: judged.shown, path, message, severity });
    if (judged.ref === undefined && judged.faults.length > 0) incomplete = true;
    for (const fault of judged.faults) told("error", fault.path, fault.message);
    for (const note of judged.notes) told("note", "", note);
    if (judged.ref !== undefined) entries.push({ ref: judged.ref, object: judged.object, file, position });
  }
  for (const document of documents) take(document.value, "", (path) => document.position(path));
  return { entries, problems, incomplete };
}

interface Judged {
  readonly ref: Ref | undefined;
  readonly shown: string | undefined;
  readonly object: ManifestObject | undefined;
  readonly faults: readonly { readonly path: string; readonly message: string }[];
  readonly notes: readonly string[];
}

function judge(value: unknown, validator: Validator): Judged {
  const none: Judged = { ref: undefined, shown: undefined, object: undefined, faults: [], notes: [] };
  if (!isObject(value))
    return { ...none, faults: [{ path: "", message: "must be an object with apiVersion and kind" }] };
  const { apiVersion, kind } = value;
  const shownKind = typeof kind === "string" ? kind.slice(0, 64) : "an object without kind";
  const ours = KINDS.has(shownKind) || (typeof apiVersion === "string" && apiVersion.startsWith(API_GROUP));
  const isSecret = kind === "Secret";
  if (!ours && !isSecret) {
    if (kind === "Service" && apiVersion === "v1") {
      return { ...none, notes: ["a Service counts for parley check alone: there is no cluster behind parley serve"] };
    }
    if (typeof kind === "string" && typeof apiVersion === "string") {
      return { ...none, notes: [`${shownKind} is none of Parley's kinds and is passed over`] };
    }
    return { ...none, faults: [{ path: "", message: "apiVersion and kind are missing" }] };
  }
  const identity = identityOf(value["metadata"]);
  const shown = identity === undefined ? shownKind : `${shownKind} ${identity.namespace}/${identity.name}`;
  const known = kind === "A2AAgent" || kind === "VirtualKey" || kind === "Secret" ? kind : undefined;
  const ref =
    known === undefined || identity === undefined ? undefined : refOf(known, identity.namespace, identity.name);
  const found = { ...none, ref, shown };
  if (isSecret) {
    const result = validateSecret(value);
    if (!result.ok) return { ...found, faults: result.faults };
    const { metadata, values } = result.object;
    const credential = metadata.labels?.[CREDENTIAL_LABEL];
    if (credential === undefined) {
      const note = `has no label ${CREDENTIAL_LABEL} (key or upstream) and is passed over`;
      return { ...none, shown, notes: [note] };
    }
    return { ...found, object: { kind: "Secret", metadata: metadataOf("Secret", metadata), credential, data: values } };
  }
  const result = validator.validate(value);
  if (!result.ok) return { ...found, faults: result.faults };
  const { object } = result;
  const metadata = metadataOf(object.kind, object.metadata);
  return {
    ...found,
    object:
      object.kind === "A2AAgent"
        ? { kind: object.kind, metadata, spec: object.spec }
        : { kind: object.kind, metadata, spec: object.spec },
  };
}

/** Metadata that an API server would have made; generation and age come later. */
function metadataOf(kind: string, meta: ObjectMeta): Metadata {
  const namespace = namespaceOf(meta.namespace);
  return {
    namespace,
    name: meta.name,
    uid: hash("sha256", `${kind}/${namespace}/${meta.name}`, "hex").slice(0, 32),
    generation: 1,
    resourceVersion: "",
    creationTimestamp: new Date(EPOCH).toISOString(),
    // As the API server has it, a label without a value is empty.
    labels: Object.fromEntries(Object.entries(meta.labels ?? {}).map(([key, value]) => [key, value ?? ""])),
  };
}

/** The time of creation that stands for a place in the order of ages: 0 is the oldest. */
export const creationOf = (order: number): string => new Date(EPOCH + order * 1_000).toISOString();
export const orderOf = (creationTimestamp: string): number => (Date.parse(creationTimestamp) - EPOCH) / 1_000;

function identityOf(metadata: unknown): { namespace: string; name: string } | undefined {
  if (!isObject(metadata)) return undefined;
  const { name, namespace } = metadata;
  if (typeof name !== "string" || name === "" || name.length > 253) return undefined;
  if (namespace !== undefined && namespace !== null && typeof namespace !== "string") return undefined;
  return { namespace: namespaceOf(namespace), name };
}

const namespaceOf = (namespace: string | null | undefined): string =>
  namespace === undefined || namespace === null || namespace === "" ? "default" : namespace;

const joinPath = (prefix: string, path: string): string =>
  prefix === "" || path === "" ? prefix + path : `${prefix}.${path}`;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
