// When to come back to each of many, with one timer for all of them. In: names and times. Out: a call with the names whose time has come.
import type { Clock, Timer } from "../process/clock.ts";

export interface Alarms {
  /** Of `clock.elapsed()`, milliseconds; takes the place of an earlier one. */
  set(name: string, at: number): void;
  /** When it rings; undefined: it does not. */
  at(name: string): number | undefined;
  clear(name: string): void;
  clearAll(): void;
}

interface Alarm {
  readonly name: string;
  readonly at: number;
}

/** A binary heap, earliest first. What was cleared or set anew stays in it until its time, or until it is most of the heap. */
export function createAlarms(deps: {
  readonly clock: Clock;
  readonly ring: (names: readonly string[]) => void;
}): Alarms {
  const { clock, ring } = deps;
  const live = new Map<string, number>();
  let heap: Alarm[] = [];
  let timer: Timer | undefined;
  let timerAt = Number.POSITIVE_INFINITY;

  const push = (alarm: Alarm): void => {
    let at = heap.push(alarm) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = heap[up];
      if (above === undefined || above.at <= alarm.at) break;
      heap[at] = above;
      at = up;
    }
    heap[at] = alarm;
  };
  const pop = (): void => {
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      let below = heap[down];
      const other = heap[down + 1];
      if (below !== undefined && other !== undefined && other.at < below.at) [down, below] = [down + 1, other];
      if (below === undefined || below.at >= last.at) break;
      heap[at] = below;
      at = down;
    }
    heap[at] = last;
  };
  const sweep = (): void => {
    if (heap.length < 64 || heap.length < 2 * live.size) return;
    heap = [];
    for (const [name, at] of live) push({ name, at });
  };
  const isStale = ({ name, at }: Alarm): boolean => live.get(name) !== at;
  const arm = (): void => {
    for (let [first] = heap; first !== undefined && isStale(first); [first] = heap) pop();
    const next = heap[0]?.at ?? Number.POSITIVE_INFINITY;
    if (next >= timerAt) return;
    timer?.cancel();
    timerAt = next;
    timer = clock.setTimeout(fire, Math.max(next - clock.elapsed(), 0));
  };
  const fire = (): void => {
    timerAt = Number.POSITIVE_INFINITY;
    const due: string[] = [];
    const now = clock.elapsed();
    for (let first = heap[0]; first !== undefined && first.at <= now; first = heap[0]) {
      pop();
      if (isStale(first)) continue;
      live.delete(first.name);
      due.push(first.name);
    }
    arm();
    if (due.length > 0) ring(due);
  };

  const clearAll = (): void => {
    live.clear();
    heap = [];
    timer?.cancel();
    timerAt = Number.POSITIVE_INFINITY;
  };

  return {
    set: (name, at) => {
      if (live.get(name) === at) return;
      live.set(name, at);
      push({ name, at });
      sweep();
      arm();
    },
    at: (name) => live.get(name),
    clear: (name) => {
      if (live.delete(name) && live.size === 0) clearAll();
    },
    clearAll,
  };
}
