// Who is asking. In: the Authorization header and the table. Out: the virtual key that it holds, or nothing.
import { hash } from "node:crypto";
import type { Key, Table } from "../table/compiled.ts";

const MAX_TOKEN = 8 * 1024;
const bearer = /^bearer ([!-~]+)$/i;

/**
 * The key whose token the header carries (`Bearer`, RFC 6750 section 2.1; the scheme in any case, one space, visible ASCII up to
 * 8 KiB), if it may be used now. All failures look alike on purpose: missing, malformed, unknown, disabled, expired, or kept to
 * loopback listeners.
 *
 * @param now milliseconds since the epoch
 * @param loopback whether the request came in on a listener that only this machine reaches
 */
export function authenticate(
  authorization: string | undefined,
  table: Pick<Table, "key">,
  now: number,
  loopback: boolean,
): Key | undefined {
  if (authorization === undefined || authorization.length > MAX_TOKEN + 7) return undefined;
  const token = bearer.exec(authorization)?.[1];
  if (token === undefined) return undefined;
  const key = table.key(hash("sha256", token));
  return key !== undefined && isUsable(key, now, loopback) ? key : undefined;
}

/** Whether the key is in force: not disabled, not expired (`expiresAt` itself is too late), and allowed on this listener. */
export function isUsable(key: Key, now: number, loopback: boolean): boolean {
  // Written so that an expiry that is not a number denies.
  return key.row.disabled !== true && now < key.expiresAt && (loopback || key.row.loopbackOnly !== true);
}
