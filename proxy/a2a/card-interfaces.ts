// The interfaces of a card. In: the members of a card that name them. Out: the same members, pointing at the gateway, without
// what it does not carry and without what the new URL made equal.
import { foldName } from "./json-shape.ts";

type Members = Readonly<Record<string, unknown>>;

export interface RewrittenInterfaces {
  /** `url`, `preferredTransport`, `additionalInterfaces`, `supportedInterfaces`; undefined: to be left out. */
  readonly members: Members;
  /** The card has 0.3 interfaces, 1.0 interfaces. */
  readonly legacy: boolean;
  readonly current: boolean;
}

/** Bindings that the gateway carries. */
const SERVED: ReadonlySet<unknown> = new Set(["JSONRPC", "HTTP+JSON"]);
/** What a 0.3 card speaks at its `url` when it does not say. */
const DEFAULT_TRANSPORT = "JSONRPC";

/** Undefined: the card names no interface that the gateway carries. */
export function rewriteInterfaces(card: Members, url: string): RewrittenInterfaces | undefined {
  const legacy = rewriteLegacy(card, url);
  const supported = served(card["supportedInterfaces"], url, binding, [binding, version, tenant]);
  if (legacy === undefined && supported === undefined) return undefined;
  return {
    members: { ...legacy, supportedInterfaces: supported },
    legacy: legacy !== undefined,
    current: supported !== undefined,
  };
}

/** The 0.3 members. When the preferred transport is not carried, the first that is takes its place. */
function rewriteLegacy(card: Members, url: string): Members | undefined {
  if (typeof card["url"] !== "string") return undefined;
  const additional = served(card["additionalInterfaces"], url, transport, [transport]);
  const said = card["preferredTransport"];
  const preferred = said === undefined || said === "" ? DEFAULT_TRANSPORT : said;
  if (SERVED.has(preferred)) return { url, preferredTransport: said, additionalInterfaces: additional };
  const first = additional?.[0];
  if (first === undefined) return undefined;
  return { url, preferredTransport: transport(first), additionalInterfaces: additional };
}

const transport = (one: Members): unknown => one["transport"];
const binding = (one: Members): unknown => one["protocolBinding"] ?? one["protocol_binding"];
const version = (one: Members): unknown => one["protocolVersion"] ?? one["protocol_version"];
const tenant = (one: Members): unknown => one["tenant"];

/** The carried ones of a list at their new URL, each kind once; undefined if none is left. */
function served(
  list: unknown,
  url: string,
  kind: (one: Members) => unknown,
  identity: readonly ((one: Members) => unknown)[],
): readonly Members[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const seen = new Set<string>();
  const kept: Members[] = [];
  for (const one of list as readonly unknown[]) {
    if (!isMembers(one) || !SERVED.has(kind(one))) continue;
    const key = JSON.stringify(identity.map((part) => part(one) ?? ""));
    if (seen.has(key)) continue;
    seen.add(key);
    kept.push(withUrl(one, url));
  }
  return kept.length === 0 ? undefined : kept;
}

/** Case variants of `url` go: some clients ignore case. */
function withUrl(one: Members, url: string): Members {
  const entries = Object.entries(one).filter(([key]) => key === "url" || foldName(key) !== "url");
  const members = Object.fromEntries(entries.map(([key, value]) => [key, key === "url" ? url : value]));
  return Object.hasOwn(members, "url") ? members : { url, ...members };
}

const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);
