// Keys whose time is over, which translation cannot know. In: results, the time. Out: results that say so, and when to look again.
import { expiryFinding } from "../operator/status/expiry.ts";
import type { ObjectResult } from "../operator/translate/result.ts";

export interface Timed {
  readonly results: readonly ObjectResult[];
  /** Milliseconds after which a result may change by itself; undefined: none does. */
  readonly again: number | undefined;
}

/** @param now milliseconds since the epoch */
export function withExpiry(results: readonly ObjectResult[], now: number): Timed {
  let again: number | undefined;
  const timed = results.map((result) => {
    const expiry = expiryFinding(result, now);
    if (expiry.in !== undefined) again = Math.min(expiry.in, again ?? Infinity);
    const { finding } = expiry;
    if (finding === undefined) return result;
    return { ...result, conditions: result.conditions.map((each) => (each.type === finding.type ? finding : each)) };
  });
  return { results: timed, again };
}
