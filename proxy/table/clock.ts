// Time as an argument. In: nothing. Out: the interface that everything here takes instead of Date and timers.
// Only main.ts files and cli/ make a real one; tests make the one in clock.test-support.ts.

export interface Timer {
  /** Does nothing once the timer has fired. */
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since some moment before; unlike `now` it never steps: for every duration. */
  elapsed(): number;
  /** Calls `fire` once, `ms` milliseconds from now. */
  setTimeout(fire: () => void, ms: number): Timer;
}
