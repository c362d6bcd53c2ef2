// Waiting that ends early when it must. In: a clock, a time, a signal. Out: a promise.
import type { Clock } from "../../process/clock.ts";

/** Resolves after `ms` milliseconds, or as soon as the signal aborts; never rejects. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
