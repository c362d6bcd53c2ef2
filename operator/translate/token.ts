// The token of a VirtualKey. In: the key's Secret. Out: its SHA-256, or why it cannot be used. The token itself goes no further.
import { hash } from "node:crypto";
import type { KeyObject, SecretObject } from "../objects.ts";
import { secretRefOf } from "../secret-ref.ts";
import { findToken, MIN_TOKEN_LENGTH, tokenFacts } from "../token-facts.ts";
import type { TokenFacts } from "../token-facts.ts";
import { keyFinding } from "./conditions.ts";
import type { ObjectLookup } from "./lookup.ts";
import type { Finding } from "./result.ts";
import type { TranslateSettings } from "./settings.ts";

export type Token =
  | { readonly state: "usable"; readonly sha256: string; readonly loopbackOnly: boolean }
  /** Read, but not to be accepted. */
  | { readonly state: "refused"; readonly sha256: string; readonly fault: Finding }
  /** Not there. */
  | { readonly state: "missing"; readonly fault: Finding };

export function readToken(
  key: KeyObject,
  settings: Pick<TranslateSettings, "exemptTokens">,
  lookup: Pick<ObjectLookup, "secret">,
): Token {
  const { namespace, uid } = key.metadata;
  const ref = secretRefOf(key);
  const secret = lookup.secret(namespace, ref.name);
  if (secret === undefined) return { state: "missing", fault: keyFinding("SecretNotFound", ref.name) };
  // An agent's credential must not open the gateway.
  if (secret.credential !== "key") return { state: "missing", fault: keyFinding("SecretNotLabelled", ref.name) };
  // What is not named is not adopted: it must be the one that was made for this key, or stand beside it in a folder.
  if (key.spec.secretRef === undefined && secret.controller !== undefined && secret.controller !== uid) {
    return { state: "missing", fault: keyFinding("SecretNotOwned", ref.name) };
  }
  const facts = factsOf(secret, ref.key);
  if (facts === undefined) return { state: "missing", fault: keyFinding("KeyMissing", ref.name, ref.key) };
  const { sha256, fault } = facts;
  const loopbackOnly = settings.exemptTokens.some((token) => hash("sha256", token, "hex") === sha256);
  if (fault === undefined || (fault === "TokenTooShort" && loopbackOnly))
    return { state: "usable", sha256, loopbackOnly };
  const finding = fault === "TokenTooShort" ? keyFinding(fault, String(MIN_TOKEN_LENGTH)) : keyFinding(fault);
  return { state: "refused", sha256, fault: finding };
}

/** Undefined: there is no such token. */
function factsOf({ tokens, data }: SecretObject, key: string): TokenFacts | undefined {
  if (tokens !== undefined) return findToken(tokens, key);
  const token = Object.hasOwn(data, key) ? data[key] : undefined;
  return token === undefined || token === "" ? undefined : tokenFacts(token);
}
