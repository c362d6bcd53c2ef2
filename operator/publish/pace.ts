// Work that is done in small steps, all who have some in turn, so that nothing else in the process waits long. In: steps. Out: turns.

/** Milliseconds of steps between two looks at whatever else waits. */
const TURN_MS = 4;

export interface Pace {
  /** `step` does a little and gives whether there is more to do now. */
  add(step: () => boolean): void;
}

export function createPace({ now }: { readonly now: () => number }): Pace {
  const steps = new Set<() => boolean>();
  let scheduled = false;

  const schedule = (): void => {
    if (scheduled || steps.size === 0) return;
    scheduled = true;
    setImmediate(turn);
  };
  const turn = (): void => {
    scheduled = false;
    const until = now() + TURN_MS;
    for (const step of steps) {
      steps.delete(step);
      // Goes to the end, where this very loop comes to it again.
      if (step()) steps.add(step);
      if (now() >= until) break;
    }
    schedule();
  };
  return {
    add: (step) => {
      steps.add(step);
      schedule();
    },
  };
}
