// When to do what has to be done again and again for each of many. In: names that come and go. Out: runs, a bounded number at once,
// those that somebody waits for before those that are routine; after a failure sooner, and ever later while it lasts.
import type { Clock } from "../../process/clock.ts";
import { createAlarms } from "../alarms.ts";

export interface Schedule {
  /** Runs it as soon as there is room; again after the run under way, if there is one. */
  now(id: string): void;
  /** Runs it at a time picked within half a minute, or within longer if it is one of many. */
  spread(id: string): void;
  /** Runs it after so many milliseconds, if not before; never during the run under way. */
  within(id: string, ms: number): void;
  /** Runs it if its last run failed, but not within the first back-off after that. */
  retry(id: string): void;
  forget(id: string): void;
  clear(): void;
}

export interface ScheduleDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** How many there are: of many each runs less often. */
  readonly many: () => number;
  /** Must not reject; true when it succeeded. */
  readonly run: (id: string) => Promise<boolean>;
}

/** Milliseconds. */
export const REFRESH_MS = 300_000;
const SPREAD_MS = 30_000;
/** Between two of many: what is routine must not take the time of what somebody waits for. */
const EACH_MS = 100;
const BACKOFF = { base: 1000, cap: REFRESH_MS };
const CONCURRENCY = 16;
/** Of what is routine: it leaves some places to what somebody waits for, as all of it may take as long as a run can. */
const ROUTINE = 12;

/** Of one that runs, or is to run now, or whose last run failed: of the others there may be many. */
interface Entry {
  running: boolean;
  /** Somebody wanted it while it ran. */
  again: boolean;
  /** When it is to run again at the latest; of `clock.elapsed()`. */
  by: number;
  failures: number;
  endedAt: number;
}

export function createSchedule({ clock, random, many, run }: ScheduleDeps): Schedule {
  const entries = new Map<string, Entry>();
  const urgent = new Set<string>();
  const routine = new Set<string>();
  /** Somebody waits for their alarm. */
  const awaited = new Set<string>();
  const running = { urgent: 0, routine: 0 };
  const alarms = createAlarms({
    clock,
    ring: (ids) => {
      for (const id of ids) (awaited.delete(id) ? urgent : routine).add(id);
      pump();
    },
  });

  const entryOf = (id: string): Entry => {
    const known = entries.get(id);
    if (known !== undefined) return known;
    const made: Entry = { running: false, again: false, by: Infinity, failures: 0, endedAt: 0 };
    entries.set(id, made);
    return made;
  };
  const after = (id: string, ms: number): void => alarms.set(id, Math.ceil(clock.elapsed() + ms));

  const soon = (id: string, ms: number): void => {
    awaited.add(id);
    after(id, ms);
  };

  const pump = (): void => {
    for (const [kind, queue] of [
      ["urgent", urgent],
      ["routine", routine],
    ] as const) {
      for (const id of queue) {
        if (running.urgent + running.routine >= CONCURRENCY) return;
        if (kind === "routine" && running.routine >= ROUTINE) return;
        urgent.delete(id);
        routine.delete(id);
        const entry = entryOf(id);
        if (!entry.running) void start(id, entry, kind);
      }
    }
  };
  const start = async (id: string, entry: Entry, kind: "urgent" | "routine"): Promise<void> => {
    running[kind] += 1;
    alarms.clear(id);
    awaited.delete(id);
    entry.running = true;
    entry.by = Infinity;
    const succeeded = await run(id);
    running[kind] -= 1;
    entry.running = false;
    entry.endedAt = clock.elapsed();
    // Forgotten meanwhile, or forgotten and entered anew: then this run says nothing.
    if (entries.get(id) === entry) {
      entry.failures = succeeded ? 0 : entry.failures + 1;
      if (entry.again) urgent.add(id);
      else {
        const refresh = between(many() * EACH_MS);
        const pause = succeeded ? refresh : backoff(entry.failures);
        const left = Math.max(0, entry.by - entry.endedAt);
        if (left < pause) soon(id, left);
        else after(id, pause);
        if (succeeded) entries.delete(id);
      }
      entry.again = false;
    }
    pump();
  };
  /** @param all milliseconds that all take; if many were read at once, they are not to come at once again */
  const between = (all: number): number => {
    const [shortest, width] = all > REFRESH_MS ? [0.5, 1] : [0.9, 0.2];
    return Math.round(Math.max(REFRESH_MS, all) * (shortest + width * random()));
  };
  const backoff = (failures: number): number => {
    const bound = Math.min(BACKOFF.base * 2 ** (failures - 1), BACKOFF.cap);
    return bound * (0.75 + 0.25 * random());
  };

  return {
    now(id) {
      const entry = entryOf(id);
      entry.failures = 0;
      if (entry.running) entry.again = true;
      else urgent.add(id);
      pump();
    },
    spread: (id) => after(id, Math.max(SPREAD_MS, many() * EACH_MS) * random()),
    within(id, ms) {
      const at = clock.elapsed() + ms;
      if (urgent.has(id) || routine.has(id) || (alarms.at(id) ?? Infinity) <= at) return;
      const entry = entries.get(id);
      if (entry?.running === true) entry.by = Math.min(entry.by, at);
      else soon(id, ms);
    },
    retry(id) {
      const entry = entries.get(id);
      if (entry === undefined || entry.running || entry.failures === 0) return;
      soon(id, Math.max(0, entry.endedAt + BACKOFF.base - clock.elapsed()));
    },
    forget(id) {
      alarms.clear(id);
      awaited.delete(id);
      entries.delete(id);
      urgent.delete(id);
      routine.delete(id);
    },
    clear() {
      alarms.clearAll();
      awaited.clear();
      entries.clear();
      urgent.clear();
      routine.clear();
    },
  };
}
