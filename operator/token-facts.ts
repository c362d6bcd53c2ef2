// What tokens are judged by. In: tokens. Out: of each its SHA-256 and its fault, which is all that is kept of it.
import { hash } from "node:crypto";

/** Characters; a token that people made up may be found by trying. */
export const MIN_TOKEN_LENGTH = 32;

const FAULTS = ["TokenWhitespace", "TokenInvalid", "TokenTooShort"] as const;

export interface TokenFacts {
  /** Hex. */
  readonly sha256: string;
  readonly fault?: (typeof FAULTS)[number];
}

/**
 * The tokens of one Secret: of each its key (which has no space and no comma), its SHA-256 and its fault if it has one, with spaces between;
 * sorted by key, with commas between. There may be thousands, which would take three times the memory as objects.
 */
export type TokenList = string;

export function tokenFacts(token: string): TokenFacts {
  const sha256 = hash("sha256", token, "hex");
  if (token.trim() !== token) return { sha256, fault: "TokenWhitespace" };
  if (!/^[\x21-\x7e]+$/.test(token)) return { sha256, fault: "TokenInvalid" };
  return token.length < MIN_TOKEN_LENGTH ? { sha256, fault: "TokenTooShort" } : { sha256 };
}

export function listTokens(tokens: Readonly<Record<string, string>>): TokenList {
  const lines = Object.keys(tokens)
    .sort()
    .map((key) => {
      const { sha256, fault } = tokenFacts(tokens[key] ?? "");
      return fault === undefined ? `${key} ${sha256}` : `${key} ${sha256} ${fault}`;
    });
  return lines.join(",");
}

/** Undefined: there is no such token. */
export function findToken(list: TokenList, key: string): TokenFacts | undefined {
  for (let low = 0, high = list.length; low < high;) {
    const middle = (low + high) >>> 1;
    const start = Math.max(list.lastIndexOf(",", middle - 1) + 1, low);
    const comma = list.indexOf(",", middle);
    const end = comma === -1 ? list.length : comma;
    const [found = "", sha256 = "", fault] = list.slice(start, end).split(" ");
    if (found === key) return factsOf(sha256, fault);
    if (found < key) low = end + 1;
    else high = start - 1;
  }
  return undefined;
}

function factsOf(sha256: string, fault: string | undefined): TokenFacts {
  const known = FAULTS.find((one) => one === fault);
  return known === undefined ? { sha256 } : { sha256, fault: known };
}
