// An agent card as its agent serves it, in the shape of 0.3, of 1.0 or of both. In: bytes. Out: the few facts that Parley keeps.
// Of an interface only binding, version and path are taken: hosts are what the agent thinks of itself.
import type { InterfaceStatus } from "../../crds/types.ts";
import { withoutTrailingSlashes } from "../translate/backend-url.ts";

export interface ParsedCard {
  /** Those that Parley serves, in the card's order: one of each binding and version. */
  readonly interfaces: readonly InterfaceStatus[];
  readonly name?: string;
  readonly version?: string;
  readonly signed: boolean;
}

export type CardParse = { readonly ok: true; readonly card: ParsedCard } | { readonly ok: false; readonly why: string };

/** As in the API. */
const MAX_INTERFACES = 16;
const MAX_PATH = 2048;
/** Longer URLs are not looked at: an agent writes them. */
const MAX_URL = 8192;
/** Of each list in a card; a card may be 1 MiB of them. */
const MAX_LISTED = 256;
const MAX_TEXT = 256;
/** What a 0.3 card speaks at its `url` when it does not say (A2A 0.3, section 5.6). */
const DEFAULT_TRANSPORT = "JSONRPC";

type Members = Readonly<Record<string, unknown>>;

/** @param from URL that the card was read from: relative URLs in it are meant from there. */
export function parseCard(bytes: Uint8Array, from: string): CardParse {
  const card = parseJson(bytes);
  if (!isMembers(card)) return { ok: false, why: "it is not a JSON object in UTF-8" };
  const interfaces = unique([...currentInterfaces(card, from), ...legacyInterfaces(card, from)]);
  if (interfaces.length === 0) {
    return { ok: false, why: "it names no interface with the binding JSONRPC or HTTP+JSON" };
  }
  const name = plainText(card["name"]);
  const version = plainText(card["version"]);
  const { signatures } = card;
  return {
    ok: true,
    card: {
      interfaces,
      ...(name === undefined ? {} : { name }),
      ...(version === undefined ? {} : { version }),
      signed: Array.isArray(signatures) && signatures.length > 0,
    },
  };
}

/** Several cards of one agent as one: interfaces of all, names of the first. */
export function mergeCards(first: ParsedCard, second: ParsedCard): ParsedCard {
  return {
    ...second,
    ...first,
    interfaces: unique([...first.interfaces, ...second.interfaces]),
    signed: first.signed || second.signed,
  };
}

/** Bounded text without control characters, fit for a status; undefined if nothing is left, or if it is no text. */
export function plainText(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value
    .slice(0, MAX_TEXT * 2)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, MAX_TEXT)
    .toWellFormed();
  return text === "" ? undefined : text;
}

/** `supportedInterfaces` of 1.0, which may name 0.3 interfaces too. */
function currentInterfaces(card: Members, from: string): InterfaceStatus[] {
  return membersIn(card["supportedInterfaces"])
    .slice(0, MAX_LISTED)
    .flatMap((one) =>
      interfaceOf(
        one["protocolBinding"] ?? one["protocol_binding"],
        majorMinor(one["protocolVersion"] ?? one["protocol_version"]) ?? "1.0",
        one["url"],
        from,
      ),
    );
}

/** `url`, `preferredTransport` and `additionalInterfaces`, which always speak 0.3 (or 0.2, which is 0.3 on the wire). */
function legacyInterfaces(card: Members, from: string): InterfaceStatus[] {
  const { url } = card;
  if (typeof url !== "string") return [];
  const said = card["preferredTransport"];
  const preferred = said === undefined || said === "" ? DEFAULT_TRANSPORT : said;
  const additional = membersIn(card["additionalInterfaces"]).slice(0, MAX_LISTED);
  return [
    ...interfaceOf(preferred, "0.3", url, from),
    ...additional.flatMap((one) => interfaceOf(one["transport"], "0.3", one["url"], from)),
  ];
}

function interfaceOf(binding: unknown, version: string, url: unknown, from: string): InterfaceStatus[] {
  if (binding !== "JSONRPC" && binding !== "HTTP+JSON") return [];
  const parsed = typeof url === "string" && url.length <= MAX_URL ? URL.parse(url, from) : null;
  if (parsed === null || (parsed.protocol !== "http:" && parsed.protocol !== "https:")) return [];
  const path = withoutTrailingSlashes(parsed.pathname);
  return path.length > MAX_PATH ? [] : [{ binding, version, path: path === "" ? "/" : path }];
}

function unique(interfaces: readonly InterfaceStatus[]): InterfaceStatus[] {
  const byKind = new Map<string, InterfaceStatus>();
  for (const one of interfaces) {
    const kind = `${one.binding} ${one.version}`;
    if (!byKind.has(kind)) byKind.set(kind, one);
  }
  return [...byKind.values()].slice(0, MAX_INTERFACES);
}

/** Only Major.Minor counts (A2A 1.0, section 3.6); all of 0.x is 0.3 to the gateway. */
function majorMinor(version: unknown): string | undefined {
  if (typeof version !== "string") return undefined;
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})(?:\.|$)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return Number(major) === 0 ? "0.3" : `${Number(major)}.${Number(minor)}`;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const membersIn = (list: unknown): readonly Members[] =>
  Array.isArray(list) ? (list as readonly unknown[]).filter(isMembers) : [];
