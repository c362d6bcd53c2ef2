// Which agent a request is for. In: the raw request target. Out: the agent's name, and what follows it, both as sent.

export type Target =
  | {
      readonly ok: true;
      /** Of `/a2a/{publicName}`. */
      readonly publicName?: string;
      /** Of `/ns/{namespace}/a2a/{name}`: both or neither. */
      readonly namespace?: string;
      readonly name?: string;
      /** Raw path after the agent: "" or "/…". */
      readonly rest: string;
      /** Raw query without "?"; "" if there is none. */
      readonly query: string;
    }
  /** `InvalidPath`: it can be read in more than one way; `PathNotFound`: there is nothing here. */
  | { readonly ok: false; readonly reason: "InvalidPath" | "PathNotFound" };

const invalid: Target = { ok: false, reason: "InvalidPath" };
const notFound: Target = { ok: false, reason: "PathNotFound" };

/** Visible ASCII but "#" and "\": what some parsers cut at or turn into "/" is not let in (RFC 3986 section 2, RFC 9112 section 3.2). */
const origin = /^\/[!"$-[\]-~]*$/;
/** A segment that is "." or "..", plain or encoded: a parser in front or behind may have resolved it. */
const dotSegment = /\/(?:\.|%2e){1,2}(?:\/|$)/i;
/** An encoded slash, backslash or NUL where an agent should be named: a parser in front may have seen another path. */
const encodedSeparator = /%(?:2f|5c|00)/i;

/**
 * Reads the origin-form target (RFC 9112 section 3.2.1) of a request. Absolute, authority and asterisk form are refused, as are dot
 * segments, and any encoding in the part that names the agent. No percent-decoding happens here: `rest` and `query` are raw.
 *
 * `/a2a/{publicName}…`, `/ns/{namespace}/a2a/{name}…`, and `/v1/a2a/{publicName}/message/send`.
 */
export function parseTarget(target: string): Target {
  if (!origin.test(target)) return invalid;
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? "" : target.slice(mark + 1);
  if ((path.includes("/.") || path.includes("%")) && dotSegment.test(path)) return invalid;
  if (path.startsWith("/a2a/")) return publicTarget(path, 5, query);
  if (path.startsWith("/ns/")) return longTarget(path, query);
  if (path.startsWith("/v1/a2a/")) {
    const found = publicTarget(path, 8, query);
    return found.ok && found.rest !== "/message/send" && found.rest !== "/message/send/" ? notFound : found;
  }
  return encodedSeparator.test(path) ? invalid : notFound;
}

function publicTarget(path: string, from: number, query: string): Target {
  const end = segmentEnd(path, from);
  if (end === from) return notFound;
  const publicName = path.slice(from, end);
  if (publicName.includes("%")) return invalid;
  return { ok: true, publicName, rest: path.slice(end), query };
}

function longTarget(path: string, query: string): Target {
  const namespaceEnd = segmentEnd(path, 4);
  if (namespaceEnd === 4) return notFound;
  const namespace = path.slice(4, namespaceEnd);
  if (namespace.includes("%")) return invalid;
  if (!path.startsWith("/a2a/", namespaceEnd)) return notFound;
  const from = namespaceEnd + 5;
  const end = segmentEnd(path, from);
  if (end === from) return notFound;
  const name = path.slice(from, end);
  if (name.includes("%")) return invalid;
  return { ok: true, namespace, name, rest: path.slice(end), query };
}

function segmentEnd(path: string, from: number): number {
  const slash = path.indexOf("/", from);
  return slash === -1 ? path.length : slash;
}
