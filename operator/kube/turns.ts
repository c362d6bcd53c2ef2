// Turns of the event loop, one after another. In: who wants one. Out: a promise each, of which no two are kept in the same turn.

/** Timers, sockets and whatever else waits come in between any two of those who were given a turn. */
export function createTurns(): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.then(() => new Promise((resolve) => void setImmediate(resolve)));
    return last;
  };
}
