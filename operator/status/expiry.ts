// The end of a key's time, which translation cannot know as it has no clock. In: a result, the time. Out: a finding once the key
// has expired, or how long that is off. Pure.
import type { Finding, ObjectResult } from "../translate/result.ts";

/** Timers are set for a day at most; then the time is looked at again. Milliseconds. */
const LONGEST_WAIT = 86_400_000;

export interface Expiry {
  readonly finding?: Finding;
  /** Milliseconds after which to look again; undefined: the key has expired, or never does. */
  readonly in?: number;
}

/** Proxies refuse an expired key by their own clocks; this only says so. */
export function expiryFinding({ kind, fields, conditions }: ObjectResult, now: number): Expiry {
  const { expiresAt } = fields;
  const at = kind === "VirtualKey" && expiresAt !== undefined ? Date.parse(expiresAt) : Number.NaN;
  if (Number.isNaN(at)) return {};
  if (now < at) return { in: Math.min(at - now, LONGEST_WAIT) };
  const accepted = conditions.find(({ type }) => type === "Accepted");
  if (accepted?.status !== "True") return {};
  return {
    finding: {
      type: "Accepted",
      status: "False",
      reason: "Expired",
      message: `The key expired at ${expiresAt}: every request with it is refused. Set a later expiresAt to renew it.`,
    },
  };
}
