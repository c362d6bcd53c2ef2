// Figures out of samples. In: numbers. Out: medians, quantiles, intervals.

/** The q-quantile (0 to 1) by linear interpolation; NaN for no samples. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/**
 * An interval that holds the true median with about 95 % confidence, from order statistics (binomial, p = 0.5).
 * With fewer than six samples it is the whole range.
 */
export function medianInterval(samples: readonly number[]): readonly [number, number] {
  const sorted = samples.toSorted((a, b) => a - b);
  const n = sorted.length;
  let rank = 0;
  let tail = 0;
  let term = 0.5 ** n;
  for (let k = 0; k < n / 2; k += 1) {
    tail += term;
    if (tail > 0.025) break;
    rank = k + 1;
    term = (term * (n - k)) / (k + 1);
  }
  const low = Math.max(rank - 1, 0);
  return [sorted[low] ?? Number.NaN, sorted[n - 1 - low] ?? Number.NaN];
}
