// Agent cards as the gateway shows them. In: a card of 0.3, of 1.0, or of both at once. Out: the same card with the gateway's
// URL at every interface and the gateway's key as the way in; what the gateway does not carry is left out.
import { hash } from "node:crypto";
import type { Binding } from "../table/contract.ts";
import { rewriteInterfaces } from "./card-interfaces.ts";
import { securityMembers } from "./card-security.ts";
import { foldName } from "./json-shape.ts";

export interface CardTarget {
  /** The agent's public base URL, without a trailing slash. */
  readonly url: string;
}

type Members = Readonly<Record<string, unknown>>;

/** Members that are rewritten; both spellings of protobuf JSON are taken, other variants of these names are dropped. */
const REWRITTEN = new Map(
  [
    "url",
    "preferredTransport",
    "additionalInterfaces",
    "supportedInterfaces",
    "securitySchemes",
    "security",
    "securityRequirements",
    "signatures",
    "skills",
  ].map((name) => [foldName(name), name]),
);

/**
 * Rewrites a public card; not ok if it is no card or has no interface that the gateway carries. Signatures are of the card
 * as it was and go (A2A 1.0 section 8.4). The ETag is a strong one of the bytes that are returned.
 */
export function rewriteCard(
  card: Uint8Array,
  to: CardTarget,
): { readonly ok: true; readonly body: Buffer; readonly etag: string } | { readonly ok: false } {
  const members = parse(card);
  const rewritten = members === undefined ? undefined : rewrite(members, to, false);
  if (rewritten === undefined) return { ok: false };
  const body = Buffer.from(JSON.stringify(rewritten));
  return { ok: true, body, etag: `"${hash("sha256", body, "hex").slice(0, 32)}"` };
}

/**
 * Rewrites the card in an agent's answer to GetExtendedAgentCard: the `result` of JSON-RPC, or the whole of HTTP+JSON.
 * An error passes as it is; not ok if there is neither error nor card.
 */
export function rewriteExtendedCard(
  answer: Uint8Array,
  binding: Binding,
  to: CardTarget,
): { readonly ok: true; readonly body: Buffer } | { readonly ok: false } {
  const members = parse(answer);
  if (members === undefined) return { ok: false };
  const card = binding === "JSONRPC" ? members["result"] : members;
  const rewritten = isMembers(card) ? rewrite(card, to, binding === "HTTP+JSON") : undefined;
  if (rewritten === undefined) {
    return isMembers(members["error"]) ? { ok: true, body: Buffer.from(answer) } : { ok: false };
  }
  const whole = binding === "JSONRPC" ? replace(members, "result", rewritten) : rewritten;
  return { ok: true, body: Buffer.from(JSON.stringify(whole)) };
}

/** `proto`: a 0.3 card is in its protobuf form, whose security members look like those of 1.0. */
function rewrite(card: Members, to: CardTarget, proto: boolean): Members | undefined {
  const interfaces = rewriteInterfaces(known(card), to.url);
  if (interfaces === undefined) return undefined;
  const made: Members = {
    ...interfaces.members,
    ...securityMembers({ legacy: interfaces.legacy, current: interfaces.current, proto }),
  };
  const entries: [string, unknown][] = [];
  const done = new Set<string>();
  for (const [key, value] of Object.entries(card)) {
    const name = REWRITTEN.get(foldName(key));
    if (name === undefined) entries.push([key, value]);
    else if (!done.has(name)) {
      done.add(name);
      if (name === "skills") {
        if (key === name) entries.push([key, withoutSecurity(value)]);
      } else if (made[name] !== undefined) entries.push([name, made[name]]);
    }
  }
  for (const [name, value] of Object.entries(made)) {
    if (!done.has(name) && value !== undefined) entries.push([name, value]);
  }
  // Not by assignment: a member may be called `__proto__`.
  return Object.fromEntries(entries);
}

/** The members to be rewritten by their names, the first spelling of two that decoders take. */
function known(card: Members): Members {
  const found: Record<string, unknown> = {};
  for (const name of REWRITTEN.values()) found[name] = card[name] ?? card[snakeCase(name)];
  return found;
}

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Skills without requirements of their own: the gateway's key is the only one. */
function withoutSecurity(skills: unknown): unknown {
  if (!Array.isArray(skills)) return skills;
  return skills.map((skill: unknown) => {
    if (!isMembers(skill)) return skill;
    const kept = Object.entries(skill).filter(([key]) => !["security", "securityrequirements"].includes(foldName(key)));
    return Object.fromEntries(kept);
  });
}

const replace = (members: Members, name: string, value: unknown): Members =>
  Object.fromEntries(Object.entries(members).map(([key, old]) => [key, key === name ? value : old]));

const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text = new TextDecoder("utf-8", { fatal: true });
/** ECMAScript 2026: a number keeps its source text, so that ids and counters stay as they were written. */
const exact = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source: string }) => unknown): unknown;
  rawJSON(source: string): unknown;
};

const keepSource = (_key: string, value: unknown, { source }: { readonly source: string }): unknown =>
  typeof value === "number" && String(value) !== source ? exact.rawJSON(source) : value;

/**
 * Whether a number may stand in this valid JSON text that JavaScript would write otherwise. A reviver costs many times the parsing, for every
 * value, and no common card needs one.
 */
const hasInexactNumber = (source: string): boolean =>
  /-0|[0-9][.eE]|[0-9]{16}/.test(source.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"/g, '""'));

/** A JSON object; undefined for anything else. Throws nothing. */
function parse(bytes: Uint8Array): Members | undefined {
  try {
    const source = text.decode(bytes);
    const parsed: unknown = JSON.parse(source);
    const value: unknown = hasInexactNumber(source) ? exact.parse(source, keepSource) : parsed;
    return isMembers(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
