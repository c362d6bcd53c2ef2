// Who may have the table. In: requests with the token of a ServiceAccount. Out: the proxy that is proven by it, or a refusal. The API
// server judges tokens; while it does not answer, its keys as they were read last do.
import { hash } from "node:crypto";
import type { Clock } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import type { TokenReview } from "../token-review.ts";
import { isSigned, readClaims } from "./json-web-token.ts";
import type { Claims, KeySet } from "./json-web-token.ts";
import type { Authenticate } from "./stream-server.ts";

/** Why a caller was turned away: a label of a metric, never told to the caller. */
export const REFUSAL_REASONS = [
  "NoToken",
  "Malformed",
  "WrongAudience",
  "WrongServiceAccount",
  "Expired",
  "NotAuthenticated",
  "Unavailable",
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export interface AuthenticateDeps {
  readonly audience: string;
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
  readonly review: (token: string) => Promise<TokenReview>;
  /** The keys that the API server signs with, as they were read last; undefined: never read. */
  readonly keys: () => KeySet | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly refused: (reason: RefusalReason) => void;
}

type Verdict = { readonly ok: true; readonly proxy?: string } | { readonly ok: false; readonly reason: RefusalReason };

/** Milliseconds for which a verdict of the API server holds: acknowledgements come with the same token again and again. */
const GOOD_FOR = 30_000;
const BAD_FOR = 5000;
/** Tokens whose verdict is remembered. */
const REMEMBERED = 4096;
/**
 * Reviews at once of tokens that no key of the cluster has signed, as far as its keys are known: anybody can write such tokens, and must
 * not keep the API server busy with them. A key that is newer than what was read has signed few.
 */
const STRANGERS = 4;
/** Milliseconds between two lines about an API server that does not judge. */
const TELL = 60_000;

export function createAuthenticate(deps: AuthenticateDeps): Authenticate {
  const { audience, serviceAccount, clock, log } = deps;
  const user = `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`;
  /** By SHA-256 of the token; oldest first. Those that are asked for at once share one review. */
  const verdicts = new Map<string, { readonly verdict: Promise<Verdict>; until: number }>();
  let toldAt = Number.NEGATIVE_INFINITY;
  /** Being reviewed. */
  let strangers = 0;

  /** What needs nobody to be asked: a token that does not even claim to be a proxy's. */
  const judgeClaims = (claims: Claims | undefined): RefusalReason | undefined => {
    if (claims?.expiresAt === undefined) return "Malformed";
    if (!claims.audiences.includes(audience)) return "WrongAudience";
    if (claims.subject !== user) return "WrongServiceAccount";
    if (claims.expiresAt <= clock.now()) return "Expired";
    return undefined;
  };

  const judge = async (token: string, claims: Claims): Promise<Verdict> => {
    const answer = await deps.review(token);
    switch (answer.review) {
      case "Authenticated": {
        if (!answer.audiences.includes(audience)) return { ok: false, reason: "WrongAudience" };
        if (answer.user !== user) return { ok: false, reason: "WrongServiceAccount" };
        return answer.podUid === undefined ? { ok: true } : { ok: true, proxy: answer.podUid };
      }
      case "NotAuthenticated":
        return { ok: false, reason: "NotAuthenticated" };
      case "Unavailable": {
        const keys = deps.keys();
        tellOf(answer.cause, keys !== undefined);
        if (keys === undefined) return { ok: false, reason: "Unavailable" };
        const begun = claims.notBefore === undefined || claims.notBefore <= clock.now();
        if (!begun || !isSigned(token, keys)) return { ok: false, reason: "NotAuthenticated" };
        return claims.podUid === undefined ? { ok: true } : { ok: true, proxy: claims.podUid };
      }
    }
  };

  const tellOf = (cause: string, known: boolean): void => {
    if (clock.elapsed() - toldAt < TELL) return;
    toldAt = clock.elapsed();
    log.warn(
      { cause },
      known
        ? "tokens of proxies are judged by the cluster's keys: the API server does not review them"
        : "tokens of proxies cannot be judged: the API server does not review them, and its keys are not known",
    );
  };

  const idOf = (token: string): string => hash("sha256", token, "base64url");

  const known = (token: string): Promise<Verdict> | undefined => {
    const entry = verdicts.get(idOf(token));
    return entry !== undefined && clock.elapsed() < entry.until ? entry.verdict : undefined;
  };

  const remember = (token: string, verdict: Promise<Verdict>): Promise<Verdict> => {
    const id = idOf(token);
    const now = clock.elapsed();
    verdicts.delete(id);
    for (const oldest of verdicts.keys()) {
      if (verdicts.size < REMEMBERED) break;
      verdicts.delete(oldest);
    }
    const entry = { verdict, until: now + GOOD_FOR };
    verdicts.set(id, entry);
    verdict.then(
      (settled) => {
        if (!settled.ok) entry.until = settled.reason === "Unavailable" ? 0 : now + BAD_FOR;
      },
      () => verdicts.delete(id),
    );
    return verdict;
  };

  const isStrange = (token: string): boolean => {
    const keys = deps.keys();
    return keys !== undefined && !isSigned(token, keys);
  };

  /** Not remembered unless it is good: else strangers would push out what is known of proxies. */
  const judgeStrange = async (token: string, claims: Claims): Promise<Verdict> => {
    if (strangers >= STRANGERS) return { ok: false, reason: "Unavailable" };
    strangers += 1;
    try {
      const verdict = await judge(token, claims);
      if (verdict.ok) void remember(token, Promise.resolve(verdict));
      return verdict;
    } finally {
      strangers -= 1;
    }
  };

  const refuse = (reason: RefusalReason): { readonly ok: false; readonly status: 401 | 503 } => {
    deps.refused(reason);
    return { ok: false, status: reason === "Unavailable" ? 503 : 401 };
  };

  return async (request) => {
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    if (token === undefined) return refuse("NoToken");
    const claims = readClaims(token);
    const fault = judgeClaims(claims);
    if (fault !== undefined || claims?.expiresAt === undefined) return refuse(fault ?? "Malformed");
    const verdict = await (known(token) ??
      (isStrange(token) ? judgeStrange(token, claims) : remember(token, judge(token, claims))));
    if (!verdict.ok) return refuse(verdict.reason);
    return { ok: true, until: claims.expiresAt, ...(verdict.proxy === undefined ? {} : { proxy: verdict.proxy }) };
  };
}
