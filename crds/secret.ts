// Judges a Secret (v1) of a folder as the API server would. In: an object as parsed from YAML. Out: its values, decoded.
// No message shows a value.
import { type Fault, isObject, shown } from "./fault.ts";
import { checkMetadata } from "./metadata.ts";
import { didYouMean } from "./suggest.ts";
import type { ObjectMeta } from "./types.ts";

/** Marks the Secrets that Parley may read; the value says what for: `key` or `upstream`. */
export const CREDENTIAL_LABEL = "parley.dev/credential";

export interface Secret {
  readonly apiVersion: "v1";
  readonly kind: "Secret";
  readonly metadata: ObjectMeta;
  /** `data` decoded, with `stringData` over it; UTF-8. */
  readonly values: Readonly<Record<string, string>>;
}

const MEMBERS = ["apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData"];
const KEY = /^[-._A-Za-z0-9]{1,253}$/;
/** RFC 4648, section 4, padded; line breaks are passed over. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Bytes of all values. */
const LIMIT = 1024 * 1024;

/** Never throws. */
export function validateSecret(
  object: unknown,
): { readonly ok: true; readonly object: Secret } | { readonly ok: false; readonly faults: readonly Fault[] } {
  if (!isObject(object)) return { ok: false, faults: [{ path: "", message: "must be an object" }] };
  const faults: Fault[] = [];
  if (object["apiVersion"] !== "v1") faults.push({ path: "apiVersion", message: "must be v1" });
  if (object["kind"] !== "Secret") faults.push({ path: "kind", message: "must be Secret" });
  for (const name of Object.keys(object)) {
    if (MEMBERS.includes(name)) continue;
    faults.push({ path: shown(name), message: `is not a known field${didYouMean(name, MEMBERS)}` });
  }
  faults.push(...checkMetadata(object["metadata"]));
  if (!["string", "undefined"].includes(typeof (object["type"] ?? undefined))) {
    faults.push({ path: "type", message: "must be a string (in quotes)" });
  }
  if (!["boolean", "undefined"].includes(typeof (object["immutable"] ?? undefined))) {
    faults.push({ path: "immutable", message: "must be true or false" });
  }
  const values = { ...read("data", object["data"], faults), ...read("stringData", object["stringData"], faults) };
  const size = Object.values(values).reduce((sum, value) => sum + value.length, 0);
  if (size > LIMIT) faults.push({ path: "data", message: "is too long: at most 1Mi in all" });
  if (faults.length > 0) return { ok: false, faults };
  const decoded = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value.toString("utf8")]));
  const metadata = object["metadata"] as ObjectMeta;
  return { ok: true, object: { apiVersion: "v1", kind: "Secret", metadata, values: decoded } };
}

function read(path: "data" | "stringData", map: unknown, faults: Fault[]): Record<string, Buffer> {
  if (map === undefined || map === null) return {};
  if (!isObject(map)) {
    faults.push({ path, message: "must be an object of strings" });
    return {};
  }
  const values: [string, Buffer][] = [];
  for (const [key, value] of Object.entries(map)) {
    const at = `${path}[${shown(key)}]`;
    if (!KEY.test(key) || key === "." || key.startsWith("..")) {
      faults.push({ path: at, message: "the key may hold letters, digits, '-', '_' and '.', as in: token" });
    }
    if (typeof value !== "string" && value !== null) {
      faults.push({ path: at, message: "must be a string (in quotes)" });
    } else if (path === "stringData") {
      values.push([key, Buffer.from(value ?? "", "utf8")]);
    } else {
      const text = (value ?? "").replaceAll(/[\r\n]/g, "");
      if (BASE64.test(text)) values.push([key, Buffer.from(text, "base64")]);
      else faults.push({ path: at, message: "is not base64; write the value itself under stringData" });
    }
  }
  return Object.fromEntries(values);
}
