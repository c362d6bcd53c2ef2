// For how long the Lease is surely ours. In: its renewals, a clock that never steps. Out: whether this process may say so, and whether it
// may write. Both are judged when they are asked for: a process that was stopped for a while finds its time over when it goes on.

/** Of `elapsed`, milliseconds. */
export interface Renewed {
  /** By then the next renewal was to be answered. */
  readonly expected: number;
  /** Until then nobody else can hold it. */
  readonly until: number;
}

export interface Term {
  /** Undefined: the renewal failed. */
  renewal(renewed: Renewed | undefined): void;
  /** The last renewal succeeded, and the next one is not overdue. */
  readonly claims: boolean;
  /** Nobody else can hold it yet. */
  readonly holds: boolean;
}

export function createTerm({ now }: { readonly now: () => number }): Term {
  let expected = Number.NEGATIVE_INFINITY;
  let until = Number.NEGATIVE_INFINITY;
  return {
    renewal: (renewed) => {
      if (renewed === undefined) expected = Number.NEGATIVE_INFINITY;
      else ({ expected, until } = renewed);
    },
    get claims() {
      return now() < Math.min(expected, until);
    },
    get holds() {
      return now() < until;
    },
  };
}
