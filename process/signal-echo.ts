// One signal that comes twice. In: signals by name. Out: whether this one was counted already. A terminal and a supervisor tell every
// process of a group, and whoever started this one (npm, launch.js) passes on what it was told: so the same signal comes again at once.
import type { Clock } from "./clock.ts";

/** Milliseconds in which the same signal is the same wish; whoever wants it a second time takes longer. */
export const ECHO_MS = 500;

/** Tells of each signal whether it is the echo of one of that name less than ECHO_MS before, which was none itself. */
export function createSignalEcho(clock: Pick<Clock, "elapsed">): (signal: string) => boolean {
  const counted = new Map<string, number>();
  return (signal) => {
    const now = clock.elapsed();
    if (now - (counted.get(signal) ?? -Infinity) < ECHO_MS) return true;
    counted.set(signal, now);
    return false;
  };
}
