// Objects that proxies do not serve yet, so that an acknowledgement costs what it settles and not what there is. In: objects with the batch
// that first carried them, changes of proxies. Out: calls to look at those for which a change means something.
import type { Clock, Timer } from "../../process/clock.ts";
import type { Ref } from "../objects.ts";
import type { Serving } from "./programmed.ts";

/** Objects whose batch was acknowledged that are taken off in one turn of the event loop: at first it is one batch for all. */
const SLICE = 1_000;

/** Milliseconds between two looks at all that wait: when proxies come or go, and when only wording may change. */
const ALL = { members: 1_000, wording: 5_000 };

export interface Waiting {
  /** Sequences never fall from one call to the next, but for an object that waits already. */
  add(ref: Ref, sequence: number): void;
  delete(ref: Ref): void;
  /** A proxy came, went or acknowledged. Changes of one moment are looked at together. */
  changed(serving: () => Serving): void;
  /** Looks at nothing until the next change. */
  rest(): void;
}

export function createWaiting(deps: {
  readonly clock: Clock;
  /** Looks at a few soon. */
  readonly wake: (refs: Iterable<Ref>) => void;
  /** Looks at as many as there are, a few at a time. */
  readonly walk: (refs: Iterable<Ref>) => void;
}): Waiting {
  const { clock, wake, walk } = deps;
  /** Not acknowledged by all, in the order of their batches. */
  const behind = new Map<Ref, number>();
  /** Acknowledged by all and looked at, and yet not programmed: refused. */
  const stuck = new Map<Ref, number>();
  let scheduled = false;
  let members = "";
  let lookedAt = Number.NEGATIVE_INFINITY;
  let timer: Timer | undefined;
  let timerAt = Number.POSITIVE_INFINITY;

  const lookAtAll = (): void => {
    timer?.cancel();
    timer = undefined;
    timerAt = Number.POSITIVE_INFINITY;
    lookedAt = clock.elapsed();
    if (behind.size + stuck.size > 0) walk(all());
  };
  function* all(): Generator<Ref> {
    yield* behind.keys();
    yield* stuck.keys();
  }
  const lookAtAllWithin = (ms: number): void => {
    if (behind.size + stuck.size === 0) return;
    const at = lookedAt + ms;
    if (at <= clock.elapsed()) return lookAtAll();
    if (at >= timerAt) return;
    timer?.cancel();
    timerAt = at;
    timer = clock.setTimeout(lookAtAll, at - clock.elapsed());
  };
  /** True: there is more. */
  const look = (serving: Serving): boolean => {
    const settled: Ref[] = [];
    if (serving.proxies.length > 0) {
      for (const [ref, sequence] of behind) {
        if (sequence > serving.sequence || settled.length === SLICE) break;
        behind.delete(ref);
        stuck.set(ref, sequence);
        settled.push(ref);
      }
    }
    const now = serving.proxies.map(({ proxy, lost, refusedRows }) => `${proxy} ${lost} ${refusedRows}`).join();
    const same = now === members;
    members = now;
    if (settled.length > 0) wake(settled);
    lookAtAllWithin(same ? ALL.wording : ALL.members);
    return settled.length === SLICE;
  };
  const changed = (serving: () => Serving): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (look(serving())) changed(serving);
    });
  };

  return {
    add: (ref, sequence) => {
      if (behind.get(ref) === sequence || stuck.get(ref) === sequence) return;
      stuck.delete(ref);
      behind.delete(ref);
      behind.set(ref, sequence);
    },
    delete: (ref) => {
      behind.delete(ref);
      stuck.delete(ref);
    },
    changed,
    rest: () => {
      timer?.cancel();
      timer = undefined;
      timerAt = Number.POSITIVE_INFINITY;
    },
  };
}
