// Durations as Kubernetes writes them. In: "30s", "1h30m". Out: milliseconds.

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds; undefined if it is none of the forms that the schema takes. */
export function parseDuration(duration: string): number | undefined {
  if (!/^(?:\d{1,5}(?:h|ms|m|s)){1,4}$/.test(duration)) return undefined;
  let sum = 0;
  for (const [, digits, unit] of duration.matchAll(/(\d+)(h|ms|m|s)/g))
    sum += Number(digits) * (UNITS[unit ?? ""] ?? 0);
  return sum;
}
