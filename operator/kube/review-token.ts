// What the API server knows of ServiceAccount tokens. In: a token and the audience it must have; nothing. Out: a verdict; its public keys.
import type { Clock } from "../../process/clock.ts";
import type { TokenReview } from "../token-review.ts";
import { causeOf } from "./cause.ts";
import type { KubeClient } from "./client.ts";
import { refusalOf } from "./refusal.ts";
import { sleep } from "./sleep.ts";

/** Milliseconds; a proxy waits for it. */
const TIMEOUT = 2000;
/** Milliseconds between two reads of the keys. */
const KEYS_EVERY = 300_000;
const KEYS_RETRY = 5000;
/** RFC 7517 section 8.5.2. The API server gives the keys as nothing else. */
const JWKS_TYPE = "application/jwk-set+json";

/** authentication.k8s.io/v1 TokenReview. Never throws. */
export async function reviewToken(
  client: Pick<KubeClient, "request">,
  token: string,
  audience: string,
  signal: AbortSignal,
): Promise<TokenReview> {
  try {
    const { status, body } = await client.request({
      method: "POST",
      path: "/apis/authentication.k8s.io/v1/tokenreviews",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token, audiences: [audience] } },
      timeout: TIMEOUT,
      signal,
    });
    if (status !== 201) {
      const { reason, message } = refusalOf(status, body);
      return { review: "Unavailable", cause: `${reason} ${message}` };
    }
    const { authenticated, user, audiences = [] } = (body as { status?: ReviewStatus }).status ?? {};
    if (authenticated !== true || user?.username === undefined) return { review: "NotAuthenticated" };
    const podUid = user.extra?.["authentication.kubernetes.io/pod-uid"]?.[0];
    return { review: "Authenticated", user: user.username, audiences, podUid };
  } catch (error) {
    return { review: "Unavailable", cause: causeOf(error) };
  }
}

interface ReviewStatus {
  readonly authenticated?: boolean;
  readonly user?: { readonly username?: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly audiences?: readonly string[];
}

export interface ClusterKeys {
  readonly issuer: string;
  readonly keys: readonly { readonly kid?: string; readonly alg?: string; readonly kty?: string }[];
}

/** Reads issuer and keys now and every few minutes until the signal aborts. What was read stays when a later read fails. */
export async function followKeys(deps: {
  readonly client: Pick<KubeClient, "request">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onKeys: (keys: ClusterKeys) => void;
}): Promise<void> {
  const { client, clock, signal, onKeys } = deps;
  while (!signal.aborted) {
    const keys = await readKeys(client, signal).catch(() => undefined);
    if (keys !== undefined) onKeys(keys);
    await sleep(clock, keys === undefined ? KEYS_RETRY : KEYS_EVERY, signal);
  }
}

async function readKeys(client: Pick<KubeClient, "request">, signal: AbortSignal): Promise<ClusterKeys | undefined> {
  const about = await client.request({ method: "GET", path: "/.well-known/openid-configuration", signal });
  const set = await client.request({ method: "GET", path: "/openid/v1/jwks", accept: JWKS_TYPE, signal });
  const { issuer } = (about.body ?? {}) as { issuer?: unknown };
  const { keys } = (set.body ?? {}) as { keys?: unknown };
  return typeof issuer === "string" && Array.isArray(keys) ? { issuer, keys: keys as ClusterKeys["keys"] } : undefined;
}
