// The token of a VirtualKey. In: the key's Secret. Out: its SHA-256, or why it cannot be used. The token itself goes no further.
import { hash } from "node:crypto";
import type { KeyObject } from "../objects.ts";
import { secretRefOf } from "../secret-ref.ts";
import { keyFinding } from "./conditions.ts";
import type { ObjectLookup } from "./lookup.ts";
import type { Finding } from "./result.ts";
import type { TranslateSettings } from "./settings.ts";

/** Characters; a token that people made up may be found by trying. */
const MIN_TOKEN_LENGTH = 32;

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
  const token = Object.hasOwn(secret.data, ref.key) ? secret.data[ref.key] : undefined;
  if (token === undefined || token === "") {
    return { state: "missing", fault: keyFinding("KeyMissing", ref.name, ref.key) };
  }
  const sha256 = hash("sha256", token, "hex");
  const loopbackOnly = settings.exemptTokens.includes(token);
  if (token.trim() !== token) return { state: "refused", sha256, fault: keyFinding("TokenWhitespace") };
  if (!/^[\x21-\x7e]+$/.test(token)) return { state: "refused", sha256, fault: keyFinding("TokenInvalid") };
  if (token.length < MIN_TOKEN_LENGTH && !loopbackOnly) {
    return { state: "refused", sha256, fault: keyFinding("TokenTooShort", String(MIN_TOKEN_LENGTH)) };
  }
  return { state: "usable", sha256, loopbackOnly };
}
