// What a token is judged by. In: a token. Out: its SHA-256 and its fault, which is all that is kept of it.
import { hash } from "node:crypto";

/** Characters; a token that people made up may be found by trying. */
export const MIN_TOKEN_LENGTH = 32;

export interface TokenFacts {
  /** Hex. */
  readonly sha256: string;
  readonly fault?: "TokenWhitespace" | "TokenInvalid" | "TokenTooShort";
}

export function tokenFacts(token: string): TokenFacts {
  const sha256 = hash("sha256", token, "hex");
  if (token.trim() !== token) return { sha256, fault: "TokenWhitespace" };
  if (!/^[\x21-\x7e]+$/.test(token)) return { sha256, fault: "TokenInvalid" };
  return token.length < MIN_TOKEN_LENGTH ? { sha256, fault: "TokenTooShort" } : { sha256 };
}
