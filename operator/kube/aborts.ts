// Who ends with a signal that outlives them. In: signals, and what is to be called. Out: one listener on each signal, for all of them.
// Of listeners that come and go while others stand, each that is gone keeps the one after it in memory until the next full garbage collection.

export interface Aborts {
  /** Calls `end`, which must not throw, when the signal aborts, or now if it has. Returns how to leave. The listener stays as long as the signal: none of many signals. */
  join(signal: AbortSignal, end: () => void): () => void;
}

export function createAborts(): Aborts {
  const joined = new WeakMap<AbortSignal, (() => void)[]>();

  const listOf = (signal: AbortSignal): (() => void)[] => {
    const known = joined.get(signal);
    if (known !== undefined) return known;
    const made: (() => void)[] = [];
    joined.set(signal, made);
    signal.addEventListener("abort", () => made.splice(0).forEach((end) => end()), { once: true });
    return made;
  };

  return {
    join(signal, end) {
      if (signal.aborted) {
        end();
        return () => undefined;
      }
      const list = listOf(signal);
      list.push(end);
      return () => {
        const at = list.indexOf(end);
        if (at === -1) return;
        // The last one takes the free place.
        const last = list.pop();
        if (last !== undefined && last !== end) list[at] = last;
      };
    },
  };
}
