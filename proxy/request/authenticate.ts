// Who is asking. In: the Authorization header and the table. Out: the virtual key that it holds, or why there is none.
import { hash } from "node:crypto";
import type { Key, Table } from "../table/compiled.ts";
import { createLatelyUsed } from "../table/lately-used.ts";

const MAX_TOKEN = 8 * 1024;
const bearer = /^bearer ([!-~]+)$/i;
/** Longer headers are hashed each time. */
const MAX_REMEMBERED = 256;

/**
 * Why no key is in force: told to who runs the gateway, never to the client. `Missing`: no Authorization header; `Malformed`: no bearer
 * token as RFC 6750 writes it; `Unknown`: a token of no key in the table; `LoopbackOnly`: a key for this machine alone, used from elsewhere.
 */
export const KEY_FAULTS = ["Missing", "Malformed", "Unknown", "Disabled", "Expired", "LoopbackOnly"] as const;
export type KeyFault = (typeof KEY_FAULTS)[number];

export type KeyDecision =
  | { readonly ok: true; readonly key: Key }
  /** `key` where the token is a key's. */
  | { readonly ok: false; readonly fault: KeyFault; readonly key?: Key };

const missing: KeyDecision = { ok: false, fault: "Missing" };
const malformed: KeyDecision = { ok: false, fault: "Malformed" };
const unknown: KeyDecision = { ok: false, fault: "Unknown" };

/** Digests of headers that held a key: hashing costs more than all else here. They follow from the header alone, so none grows old. */
export interface Digests {
  get(authorization: string): string | undefined;
  keep(authorization: string, digest: string): void;
}

/**
 * Two generations of headers, the older of which is forgotten when the younger is full. Only headers of keys come in, so clients
 * without one neither fill it nor push others out.
 *
 * @param capacity headers held at most
 */
export function createDigests(capacity: number): Digests {
  const digests = createLatelyUsed<string>(Math.max(1, Math.floor(capacity / 2)));
  return {
    get: (authorization) => digests.get(authorization),
    keep(authorization, digest) {
      if (authorization.length <= MAX_REMEMBERED) digests.set(authorization, digest);
    },
  };
}

/**
 * The key whose token the header carries (`Bearer`, RFC 6750 section 2.1; the scheme in any case, one space, visible ASCII up to
 * 8 KiB), if it may be used now. To a client all faults look alike on purpose.
 *
 * @param now milliseconds since the epoch
 * @param loopback whether the request came in on a listener that only this machine reaches
 * @param digests what was learned from earlier requests
 */
export function authenticate(
  authorization: string | undefined,
  table: Pick<Table, "key">,
  now: number,
  loopback: boolean,
  digests?: Digests,
): KeyDecision {
  if (authorization === undefined) return missing;
  const known = digests?.get(authorization);
  const digest = known ?? digestOf(authorization);
  if (digest === undefined) return malformed;
  const key = table.key(digest);
  if (key === undefined) return unknown;
  if (known === undefined) digests?.keep(authorization, digest);
  const fault = faultOf(key, now, loopback);
  return fault === undefined ? { ok: true, key } : { ok: false, fault, key };
}

function digestOf(authorization: string): string | undefined {
  if (authorization.length > MAX_TOKEN + 7) return undefined;
  const token = bearer.exec(authorization)?.[1];
  return token === undefined ? undefined : hash("sha256", token);
}

/** Why the key is not in force: disabled, expired (`expiresAt` itself is too late), or not allowed on this listener. Undefined: it is. */
export function faultOf(key: Key, now: number, loopback: boolean): "Disabled" | "Expired" | "LoopbackOnly" | undefined {
  if (key.row.disabled === true) return "Disabled";
  // Written so that an expiry that is not a number denies.
  if (!(now < key.expiresAt)) return "Expired";
  return loopback || key.row.loopbackOnly !== true ? undefined : "LoopbackOnly";
}
