// Waiting between tries. In: how often it failed, chance, a clock. Out: a delay, and a wait that an abort ends.
import type { Clock } from "./clock.ts";

const FIRST_MS = 50;
const LONGEST_MS = 5000;

/** `failures`: 0 before the first retry. 50 ms doubling to 5 s, of which the upper half is left to chance (0 ≤ random() < 1). */
export function backoff(failures: number, random: () => number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 20));
  return whole * (0.5 + random() / 2);
}

/** Resolves after `ms`, or as soon as the signal aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.setTimeout(done, ms);
    signal.addEventListener("abort", done);
    return undefined;
  });
}
