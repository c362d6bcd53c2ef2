// Which headers pass. In: headers of one side. Out: names and values in turn for the other side, built by allow list: what is not
// named here stays behind, above all credentials, cookies, Location, forwarding headers and everything hop-by-hop.
import type { IncomingHttpHeaders } from "node:http";

/** From client to agent. `traceparent` is ours; `authorization` is the virtual key and never passes. */
const TO_AGENT = [
  "content-type",
  "accept",
  "accept-language",
  "a2a-extensions",
  "x-a2a-extensions",
  "user-agent",
] as const;

/** From agent to client, besides every `a2a-*`. */
const TO_CLIENT: ReadonlySet<string> = new Set([
  "content-type",
  "content-language",
  "content-encoding",
  "cache-control",
  "retry-after",
  "x-a2a-extensions",
]);

const none: ReadonlySet<string> = new Set();

/** Header names that a Connection header takes off the message (RFC 9110 section 7.6.1). */
export function connectionNamed(connection: string | readonly string[] | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === "keep-alive" || connection === "close") return none;
  return new Set(
    connection
      .toString()
      .split(",")
      .map((name) => name.trim().toLowerCase()),
  );
}

/**
 * Headers of a request to an agent.
 *
 * @param options.version A2A-Version, from the header or the query; undefined for a client that named none
 * @param options.without names that are set by the gateway for this agent
 */
export function requestHeaders(
  headers: IncomingHttpHeaders,
  options: {
    readonly version: string | undefined;
    readonly traceparent: string;
    readonly tracestate: boolean;
    readonly without?: ReadonlySet<string>;
  },
): string[] {
  const dropped = connectionNamed(headers.connection);
  const { without = none } = options;
  const passes = (name: string): boolean => !without.has(name) && (dropped.size === 0 || !dropped.has(name));
  // Results are read on their way, so no coding is asked for.
  const built = ["accept-encoding", "identity", "traceparent", options.traceparent];
  for (const name of TO_AGENT) {
    const value = headers[name];
    if (typeof value === "string" && (passes(name) || name === "content-type")) built.push(name, value);
  }
  // This and Content-Type were judged, so the client cannot take them off.
  if (options.version !== undefined && !without.has("a2a-version")) built.push("a2a-version", options.version);
  const { tracestate } = headers;
  if (options.tracestate && typeof tracestate === "string" && passes("tracestate")) {
    built.push("tracestate", tracestate);
  }
  return built;
}

/**
 * Headers of an answer to the client; Content-Length is left to the caller, who knows what is sent.
 *
 * @param fields lower-case names and values in turn
 * @param connection what Connection said
 * @param without a name that the caller sets itself
 */
export function responseHeaders(
  { fields, connection }: { readonly fields: readonly string[]; readonly connection: string | undefined },
  without?: string,
): string[] {
  const dropped = connectionNamed(connection);
  const built: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? "";
    if (!TO_CLIENT.has(name) && !name.startsWith("a2a-")) continue;
    if (name === without || (dropped.size > 0 && dropped.has(name))) continue;
    const value = fields[index + 1] ?? "";
    built.push(name, name === "cache-control" && isShared.test(value) ? "private" : value);
  }
  return built;
}

/** What lets shared caches keep the answer to a request with credentials (RFC 9111 section 3.5). */
const isShared = /\b(?:public|s-maxage|must-revalidate)\b/i;

const versionForm = /^[0-9A-Za-z.]{1,16}$/;

/**
 * The version that a request names: A2A-Version as header, else as query parameter. `ok: false`: the query's is no version. None at
 * all means 0.3 and stays none (A2A specification section 3.6).
 */
export function requestedVersion(
  headers: IncomingHttpHeaders,
  query: string,
): { readonly ok: true; readonly version: string | undefined } | { readonly ok: false } {
  const header = headers["a2a-version"];
  if (typeof header === "string") return { ok: true, version: header.trim() };
  if (query === "" || !/a2a-version/i.test(query)) return { ok: true, version: undefined };
  for (const [name, value] of new URLSearchParams(query)) {
    if (name.toLowerCase() !== "a2a-version") continue;
    return versionForm.test(value) ? { ok: true, version: value } : { ok: false };
  }
  return { ok: true, version: undefined };
}

/** Whether a body with these headers can be read: JSON by its media type, UTF-8, no content coding. */
export function isReadable(headers: IncomingHttpHeaders): boolean {
  const coding = headers["content-encoding"];
  if (coding !== undefined && coding.trim().toLowerCase() !== "identity") return false;
  const type = headers["content-type"];
  return type !== undefined && (type === "application/json" || isJsonType(type));
}

/** Parameters mean nothing for JSON (RFC 8259 section 11), but agents honour `charset`: it may only say UTF-8. */
function isJsonType(type: string): boolean {
  const [name = "", ...parameters] = type.toLowerCase().split(";");
  const media = name.trim();
  if (media !== "application/json" && media !== "application/a2a+json") return false;
  return parameters.every((parameter) => {
    if (parameter.trim() === "") return true;
    const match = /^\s*([!#$%&'*+.^_`|~0-9a-z-]+)\s*=([^,]*)$/.exec(parameter);
    if (match === null) return false;
    const [, key = "", said = ""] = match;
    // `charset*`, `charset*0` (RFC 2231) are charsets to some.
    if (!key.startsWith("charset")) return true;
    const value = said.trim();
    return key === "charset" && (value === "utf-8" || value === '"utf-8"' || value === "utf8");
  });
}

/** Whether a media type is that of server-sent events. */
export function isEventStream(type: string | undefined): boolean {
  return type !== undefined && /^[\t ]*text\/event-stream[\t ]*(?:;|$)/i.test(type);
}
