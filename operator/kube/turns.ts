// Turns of the event loop, one after another. In: who wants one, and who goes on in one. Out: a promise each, of which no two are kept in the
// same turn, and whether this turn is over.

/** Milliseconds for which a turn goes on. */
const TURN_MS = 4;

export interface Turns {
  /** Timers, sockets and whatever else waits come in between any two of those who were given a turn. */
  next(): Promise<void>;
  /** Whether those who ask this have gone on long enough, all together, since anything else had its turn. */
  readonly isOver: boolean;
}

/** @param now milliseconds of a clock that never steps */
export function createTurns({ now }: { readonly now: () => number }): Turns {
  let last: Promise<void> = Promise.resolve();
  let until: number | undefined;
  const begin = (): number => {
    setImmediate(() => (until = undefined));
    return now() + TURN_MS;
  };
  return {
    next() {
      last = last.then(() => new Promise((resolve) => void setImmediate(resolve)));
      return last;
    },
    get isOver() {
      until ??= begin();
      return now() >= until;
    },
  };
}
