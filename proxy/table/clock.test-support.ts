// A clock that stands still until a test moves it. In: milliseconds to advance. Out: a Clock whose timers fire in order of time.
import type { Clock, Timer } from "./clock.ts";

export interface FakeClock extends Clock {
  /** Moves time on and fires what falls due, in order, with `now()` at each timer's own time. */
  advance(ms: number): void;
  /** Moves time without firing: as when the process was stopped. */
  skip(ms: number): void;
  /** Sets the wall clock, back or forth: only `now()` steps. */
  set(now: number): void;
  /** Delays of the timers that wait, from now, sorted. */
  readonly pending: readonly number[];
  /** Resolves as soon as a timer waits whose delay from now satisfies the test. */
  scheduled(fits?: (ms: number) => boolean): Promise<void>;
}

interface Entry {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
}

/** `start`: milliseconds since the epoch at which it stands first. */
export function createFakeClock(start = 1_800_000_000_000): FakeClock {
  /** Of `elapsed()`, which begins elsewhere, so that one is never right in the other's place. */
  let time = 900_000_000_000;
  let offset = start - time;
  let made = 0;
  const timers = new Set<Entry>();
  const waiting = new Set<{ readonly fits: (ms: number) => boolean; readonly resolve: () => void }>();

  const next = (until: number): Entry | undefined => {
    let first: Entry | undefined;
    for (const entry of timers) {
      if (entry.due > until) continue;
      if (first === undefined || entry.due < first.due || (entry.due === first.due && entry.order < first.order)) {
        first = entry;
      }
    }
    return first;
  };

  return {
    now: () => time + offset,
    elapsed: () => time,
    setTimeout(fire, ms): Timer {
      made += 1;
      const entry: Entry = { due: time + Math.max(0, ms), order: made, fire };
      timers.add(entry);
      for (const waiter of waiting) {
        if (!waiter.fits(entry.due - time)) continue;
        waiting.delete(waiter);
        waiter.resolve();
      }
      return { cancel: () => void timers.delete(entry) };
    },
    advance(ms) {
      const until = time + ms;
      for (let entry = next(until); entry !== undefined; entry = next(until)) {
        timers.delete(entry);
        time = Math.max(time, entry.due);
        entry.fire();
      }
      time = Math.max(time, until);
    },
    skip(ms) {
      time += ms;
    },
    set(now) {
      offset = now - time;
    },
    get pending() {
      return [...timers].map((entry) => entry.due - time).sort((a, b) => a - b);
    },
    scheduled(fits = () => true) {
      return new Promise((resolve) => {
        if ([...timers].some((entry) => fits(entry.due - time))) resolve();
        else waiting.add({ fits, resolve });
      });
    },
  };
}
