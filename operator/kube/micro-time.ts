// Times as the API server wants them in Leases and Events. In: milliseconds since the epoch. Out: metav1.MicroTime.

/** RFC 3339 with microseconds: the API server refuses milliseconds here. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}
