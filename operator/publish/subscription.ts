// What a proxy asks for, read strictly. In: the body of a POST, or the query of a GET by people. Out: a subscription, or what is wrong with it.
import { PROCESS_ID } from "../../process/option-values.ts";
import { BUCKET_PREFIX, BUCKETS } from "../../proxy/table/contract.ts";
import type { Subscription } from "../../proxy/table/contract.ts";

/** Bytes of a subscription: prefixes of all buckets are 5,464 of them. */
export const MAX_SUBSCRIPTION = 16 * 1024;

export type ParsedSubscription =
  | { readonly ok: true; readonly subscription: Subscription }
  | { readonly ok: false; readonly fault: string };

const PREFIXES = BUCKETS * BUCKET_PREFIX;

/**
 * Members that are not known are passed over: a later release may ask for more.
 * @param proven what the caller proved to be: taken in place of what it calls itself
 */
export function parseSubscription(text: string, proven: string | undefined): ParsedSubscription {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bad("a subscription is JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return bad("a subscription is an object");
  return check(value as Readonly<Record<string, unknown>>, proven);
}

/** `gateway` may be left out: the one that is served. */
export function subscriptionOf(
  query: URLSearchParams,
  gateway: string,
  proven: string | undefined,
): ParsedSubscription {
  const { proxy, version } = Object.fromEntries(query);
  const members = { gateway: query.get("gateway") ?? gateway, proxy };
  return check(version === undefined || version === "" ? members : { ...members, version }, proven);
}

function check(members: Readonly<Record<string, unknown>>, proven: string | undefined): ParsedSubscription {
  const { gateway, standby, version, buckets } = members;
  const proxy = proven ?? members["proxy"];
  if (typeof gateway !== "string") return bad("name the gateway");
  if (typeof proxy !== "string" || !PROCESS_ID.test(proxy)) {
    return bad("name the proxy: an id of letters, digits, dots, hyphens and underscores, up to 128");
  }
  if (standby !== undefined && standby !== true) return bad("standby is true, or left out");
  if (version === undefined) {
    if (buckets !== undefined) return bad("buckets go with a version");
    return good({ gateway, proxy, ...(standby === undefined ? {} : { standby }) });
  }
  if (typeof version !== "string" || !/^[0-9a-f]{64}$/.test(version)) {
    return bad("a version is 64 hexadecimal digits in lower case");
  }
  if (buckets !== undefined && !isPrefixes(buckets)) {
    return bad(`buckets are the first ${BUCKET_PREFIX} bytes of ${BUCKETS} digests in base64`);
  }
  return good({
    gateway,
    proxy,
    version,
    ...(standby === undefined ? {} : { standby }),
    ...(buckets === undefined ? {} : { buckets }),
  });
}

/** Base64 in its only right form, since what Node reads leniently another would read otherwise. */
function isPrefixes(value: unknown): value is string {
  if (typeof value !== "string") return false;
  const bytes = Buffer.from(value, "base64");
  return bytes.length === PREFIXES && bytes.toString("base64") === value;
}

const good = (subscription: Subscription): ParsedSubscription => ({ ok: true, subscription });
const bad = (fault: string): ParsedSubscription => ({ ok: false, fault });
