// Tokens of ServiceAccounts, RFC 7519. In: the token's text, keys of the cluster. Out: what it claims, and whether a key signed that.
import { createPublicKey, verify } from "node:crypto";
import type { webcrypto } from "node:crypto";

export interface Claims {
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly audiences: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
  readonly notBefore: number | undefined;
  readonly podUid: string | undefined;
}

/** RFC 7517; as `/openid/v1/jwks` of an API server gives it. */
export interface KeySet {
  readonly issuer: string;
  readonly keys: readonly (webcrypto.JsonWebKey & { readonly kid?: string; readonly alg?: string })[];
}

/** Bytes; a token of a ServiceAccount has about one thousand. */
const LONGEST = 8192;

/** What the token says of itself, believed or not; undefined: it is no JSON Web Token. */
export function readClaims(token: string): Claims | undefined {
  const payload = partOf(token, 1);
  if (payload === undefined) return undefined;
  const { iss, sub, aud, exp, nbf, "kubernetes.io": cluster } = payload;
  const pod = isRecord(cluster) && isRecord(cluster["pod"]) ? cluster["pod"]["uid"] : undefined;
  const seconds = (value: unknown): number | undefined => (typeof value === "number" ? value * 1000 : undefined);
  return {
    issuer: typeof iss === "string" ? iss : undefined,
    subject: typeof sub === "string" ? sub : undefined,
    audiences: (Array.isArray(aud) ? aud : [aud]).filter((one) => typeof one === "string"),
    expiresAt: seconds(exp),
    notBefore: seconds(nbf),
    podUid: typeof pod === "string" ? pod : undefined,
  };
}

/** Whether one of the keys signed it (RS256 or ES256, RFC 7518 section 3) and the set's issuer stands in it. */
export function isSigned(token: string, { issuer, keys }: KeySet): boolean {
  const header = partOf(token, 0);
  const [head = "", body = "", signature = ""] = token.split(".");
  if (header === undefined || readClaims(token)?.issuer !== issuer) return false;
  const { alg, kid } = header;
  const type = alg === "RS256" ? "RSA" : alg === "ES256" ? "EC" : undefined;
  const signed = Buffer.from(`${head}.${body}`);
  return keys.some((key) => {
    if (key.kty !== type || key.kid !== kid || (key.alg !== undefined && key.alg !== alg)) return false;
    if (type === "EC" && key.crv !== "P-256") return false;
    try {
      const publicKey = createPublicKey({ key, format: "jwk" });
      return verify(
        "sha256",
        signed,
        { key: publicKey, dsaEncoding: "ieee-p1363" },
        Buffer.from(signature, "base64url"),
      );
    } catch {
      return false;
    }
  });
}

function partOf(token: string, at: 0 | 1): Readonly<Record<string, unknown>> | undefined {
  const parts = token.split(".");
  if (token.length > LONGEST || parts.length !== 3) return undefined;
  try {
    const part: unknown = JSON.parse(Buffer.from(parts[at] ?? "", "base64url").toString("utf8"));
    return isRecord(part) ? part : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
