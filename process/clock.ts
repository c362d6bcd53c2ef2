// The real clock. In: nothing. Out: what timed code takes as an argument, so that tests can bring their own.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since some moment before; unlike `now` it never steps: for every duration. */
  elapsed(): number;
  /** Runs `run` once after `ms` milliseconds, unless it is cancelled before. */
  setTimeout(run: () => void, ms: number): Timer;
}

/** Wall time, monotonic time and timers of the process. */
export function createClock(): Clock {
  return {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    setTimeout(run, ms) {
      const timer = setTimeout(run, ms);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}
