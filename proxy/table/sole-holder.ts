// An index over a value that only one object may hold. In: holders coming and going. Out: the holder, while there is exactly one.
// Two holders must never happen; if they do, neither is given, whichever came first: deterministic, and closed.

export interface SoleHolders<T extends object> {
  add(value: string, holder: T): void;
  remove(value: string, holder: T): void;
  get(value: string): T | undefined;
}

export function createSoleHolders<T extends object>(): SoleHolders<T> {
  const sole = new Map<string, T>();
  /** Values with two holders or more; normally empty. */
  const contested = new Map<string, Set<T>>();
  return {
    add(value, holder) {
      const other = sole.get(value);
      const several = contested.get(value);
      if (several !== undefined) several.add(holder);
      else if (other === undefined || other === holder) sole.set(value, holder);
      else {
        sole.delete(value);
        contested.set(value, new Set([other, holder]));
      }
    },
    remove(value, holder) {
      if (sole.get(value) === holder) sole.delete(value);
      const several = contested.get(value);
      if (several === undefined || !several.delete(holder) || several.size > 1) return;
      contested.delete(value);
      for (const last of several) sole.set(value, last);
    },
    get: (value) => sole.get(value),
  };
}
