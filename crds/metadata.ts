// Names and labels as Kubernetes takes them. In: the `metadata` of an object. Out: faults.
import { type Fault, isObject, shown } from "./fault.ts";
import type { ObjectMeta } from "./types.ts";
import { didYouMean } from "./suggest.ts";

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const NAME_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
/** Bytes of all annotations of an object, keys and values. */
const ANNOTATIONS_LIMIT = 256 * 1024;

/** Members of metav1.ObjectMeta. What only the API server writes is let through as exported manifests hold it. */
const MEMBERS: Readonly<Record<keyof ObjectMeta | ServerMember, "string" | "number" | "map" | "list">> = {
  name: "string",
  namespace: "string",
  labels: "map",
  annotations: "map",
  generateName: "string",
  uid: "string",
  resourceVersion: "string",
  generation: "number",
  creationTimestamp: "string",
  deletionTimestamp: "string",
  deletionGracePeriodSeconds: "number",
  selfLink: "string",
  finalizers: "list",
  ownerReferences: "list",
  managedFields: "list",
};
type ServerMember =
  | "generateName"
  | "deletionGracePeriodSeconds"
  | "selfLink"
  | "finalizers"
  | "ownerReferences"
  | "managedFields";

const WORDS = { string: "a string (in quotes)", number: "a number", map: "an object of strings", list: "a list" };

/** Faults of `metadata`, with paths from the object's root. A null member counts as absent. */
export function checkMetadata(metadata: unknown): Fault[] {
  if (!isObject(metadata)) return [{ path: "metadata", message: "is required, as in: {name: travel}" }];
  const faults: Fault[] = [];
  for (const [member, value] of Object.entries(metadata)) {
    if (!isMember(member)) {
      faults.push({
        path: `metadata.${shown(member)}`,
        message: `is not a known field${didYouMean(member, Object.keys(MEMBERS))}`,
      });
    } else if (value !== null && value !== undefined && !fits(MEMBERS[member], value)) {
      faults.push({ path: `metadata.${shown(member)}`, message: `must be ${WORDS[MEMBERS[member]]}` });
    }
  }
  if (faults.length > 0) return faults;
  return [
    ...checkName(metadata["name"]),
    ...checkNamespace(metadata["namespace"]),
    ...checkLabels(metadata["labels"]),
    ...checkAnnotations(metadata["annotations"]),
  ];
}

const isMember = (name: string): name is keyof typeof MEMBERS => Object.hasOwn(MEMBERS, name);

function fits(type: keyof typeof WORDS, value: unknown): boolean {
  if (type === "list") return Array.isArray(value);
  if (type === "map")
    return isObject(value) && Object.values(value).every((item) => typeof item === "string" || item === null);
  return typeof value === type;
}

function checkName(name: unknown): Fault[] {
  const path = "metadata.name";
  if (typeof name !== "string" || name === "") return [{ path, message: "is required" }];
  if (name.length > 253) return [{ path, message: "is too long: at most 253 characters" }];
  if (SUBDOMAIN.test(name)) return [];
  return [{ path, message: "may hold lower-case letters, digits, '-' and '.', with a letter or digit at both ends" }];
}

function checkNamespace(namespace: unknown): Fault[] {
  if (typeof namespace !== "string" || namespace === "") return [];
  if (namespace.length <= 63 && LABEL.test(namespace)) return [];
  return [{ path: "metadata.namespace", message: "may hold at most 63 lower-case letters, digits and '-'" }];
}

function checkLabels(labels: unknown): Fault[] {
  return entries(labels).flatMap(([key, value]) => {
    const path = `metadata.labels[${shown(key)}]`;
    const faults = checkKey(path, key);
    if (value !== "" && (value.length > 63 || !NAME_PART.test(value))) {
      const message =
        "may hold at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends; longer text is for annotations";
      faults.push({ path, message });
    }
    return faults;
  });
}

function checkAnnotations(annotations: unknown): Fault[] {
  const all = entries(annotations);
  const size = all.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  const faults = all.flatMap(([key]) => checkKey(`metadata.annotations[${shown(key)}]`, key.toLowerCase()));
  if (size > ANNOTATIONS_LIMIT)
    faults.push({ path: "metadata.annotations", message: "are too long: at most 256Ki in all" });
  return faults;
}

/** A qualified name: `{DNS subdomain}/{name}` or `{name}`. */
function checkKey(path: string, key: string): Fault[] {
  const parts = key.split("/");
  const name = parts.at(-1) ?? "";
  const prefix = parts.length > 1 ? parts[0] : undefined;
  const good =
    parts.length <= 2 &&
    name.length <= 63 &&
    NAME_PART.test(name) &&
    (prefix === undefined || (prefix.length <= 253 && SUBDOMAIN.test(prefix)));
  return good ? [] : [{ path, message: "the key must be as in: team or example.com/team" }];
}

function entries(map: unknown): [string, string][] {
  return isObject(map) ? Object.entries(map).map(([key, value]) => [key, typeof value === "string" ? value : ""]) : [];
}
