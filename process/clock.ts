// The real clock. In: nothing. Out: what timed code takes as an argument, so that tests can bring their own.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `run` once after `ms` milliseconds, unless it is cancelled before. */
  setTimeout(run: () => void, ms: number): Timer;
}

/** Wall time and timers of the process. */
export function createClock(): Clock {
  return {
    now: () => Date.now(),
    setTimeout(run, ms) {
      const timer = setTimeout(run, ms);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}
