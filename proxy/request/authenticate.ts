// Who is asking. In: the Authorization header and the table. Out: the virtual key that it holds, or nothing.
import { hash } from "node:crypto";
import type { Key, Table } from "../table/compiled.ts";

const MAX_TOKEN = 8 * 1024;
const bearer = /^bearer ([!-~]+)$/i;
/** Longer headers are hashed each time. */
const MAX_REMEMBERED = 256;

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
  const half = Math.max(1, Math.floor(capacity / 2));
  let young = new Map<string, string>();
  let old = new Map<string, string>();

  function keep(authorization: string, digest: string): void {
    if (authorization.length > MAX_REMEMBERED) return;
    if (young.size >= half) {
      old = young;
      young = new Map();
    }
    young.set(authorization, digest);
  }

  return {
    get(authorization) {
      const digest = young.get(authorization);
      if (digest !== undefined) return digest;
      const older = old.get(authorization);
      if (older !== undefined) {
        old.delete(authorization);
        keep(authorization, older);
      }
      return older;
    },
    keep,
  };
}

/**
 * The key whose token the header carries (`Bearer`, RFC 6750 section 2.1; the scheme in any case, one space, visible ASCII up to
 * 8 KiB), if it may be used now. All failures look alike on purpose: missing, malformed, unknown, disabled, expired, or kept to
 * loopback listeners.
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
): Key | undefined {
  if (authorization === undefined) return undefined;
  const known = digests?.get(authorization);
  const digest = known ?? digestOf(authorization);
  if (digest === undefined) return undefined;
  const key = table.key(digest);
  if (key === undefined) return undefined;
  if (known === undefined) digests?.keep(authorization, digest);
  return isUsable(key, now, loopback) ? key : undefined;
}

function digestOf(authorization: string): string | undefined {
  if (authorization.length > MAX_TOKEN + 7) return undefined;
  const token = bearer.exec(authorization)?.[1];
  return token === undefined ? undefined : hash("sha256", token);
}

/** Whether the key is in force: not disabled, not expired (`expiresAt` itself is too late), and allowed on this listener. */
export function isUsable(key: Key, now: number, loopback: boolean): boolean {
  // Written so that an expiry that is not a number denies.
  return key.row.disabled !== true && now < key.expiresAt && (loopback || key.row.loopbackOnly !== true);
}
