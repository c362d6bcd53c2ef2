// Exponential back-off with full jitter. In: bounds and a source of randomness. Out: how long to wait before the next try.

export interface Backoff {
  /** Milliseconds to wait now; each call doubles the bound until `reset`. */
  next(): number;
  reset(): void;
}

/**
 * Waits are spread evenly over 0 to the bound ("full jitter"), so that many clients of a server that comes back do not
 * come back as one.
 * @param options `base` and `cap` are the first and the last bound, in milliseconds; `random` gives 0 to 1.
 */
export function createBackoff(options: { base: number; cap: number; random: () => number }): Backoff {
  let bound = options.base;
  return {
    next: () => {
      const wait = options.random() * bound;
      bound = Math.min(bound * 2, options.cap);
      return wait;
    },
    reset: () => {
      bound = options.base;
    },
  };
}
