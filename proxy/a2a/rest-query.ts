// The query of the HTTP+JSON binding. In: a raw query. Out: its parameters once decoded, and the query built again of them;
// or nothing where two parsers could read it differently (repeated names, brackets, spellings beside the exact ones).
import { foldName } from "./json-shape.ts";

export interface RestQuery {
  /** Built again: every name and value encoded in one way, order and number kept. */
  readonly query: string;
  /** By the name of the known parameter. */
  readonly known: ReadonlyMap<KnownParameter, string>;
}

/** In this spelling only: the snake case of protobuf JSON is read by some servers in a query and passed over by others. */
const PARAMETERS = ["id", "taskId", "contextId", "tenant", "name", "parent"] as const;
export type KnownParameter = (typeof PARAMETERS)[number] | "version";

const RAW_QUERY = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*$/;
const byFold = new Map(PARAMETERS.map((parameter) => [foldName(parameter), parameter]));
/** Header names ignore case, and so does their query form (A2A 1.0 section 3.6). */
const VERSION = "a2a-version";

/** Undefined: ambiguous or malformed. */
export function parseRestQuery(raw: string): RestQuery | undefined {
  const known = new Map<KnownParameter, string>();
  if (raw === "") return { query: "", known };
  if (!RAW_QUERY.test(raw)) return undefined;
  const seen = new Set<string>();
  const built: string[] = [];
  for (const part of raw.split("&")) {
    const equals = part.indexOf("=");
    const name = decode(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? "" : decode(part.slice(equals + 1));
    if (name === undefined || value === undefined || name === "" || /[[\]\p{Cc}]/u.test(name)) return undefined;
    const folded = foldName(name);
    if (seen.has(folded)) return undefined;
    seen.add(folded);
    if (folded === VERSION && value !== "") known.set("version", value);
    const parameter = byFold.get(folded);
    if (parameter !== undefined) {
      if (parameter !== name) return undefined;
      if (value !== "") known.set(parameter, value);
    }
    built.push(equals === -1 ? encodeURIComponent(name) : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  }
  return { query: built.join("&"), known };
}

/** application/x-www-form-urlencoded, once; undefined if the bytes are not UTF-8. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
