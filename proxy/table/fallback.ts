// When to serve from the last-good log. In: the start, streams that answer and end. Out: the log in the table, if nobody answered in time.
import type { Clock } from "./clock.ts";
import type { Table } from "./compiled.ts";
import type { LastGood } from "./last-good.ts";
import type { Log } from "./log.ts";
import type { TableWriter } from "./table.ts";

/** Milliseconds from the start for which operators are waited for. */
const PATIENCE_MS = 5000;

export interface Fallback {
  /** An operator answers: its table comes first, and a load that runs is given up. */
  answered(): void;
  /** No operator answers any more: if it is time and there is no table, the log is loaded. */
  unanswered(): void;
  /** Waits for a load that runs. */
  end(): Promise<void>;
}

export interface FallbackDeps {
  readonly table: Table & TableWriter;
  readonly lastGood?: LastGood | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** `onLoaded`: the table holds what the log held, and when that was last written. A log that could not be loaded is not tried again. */
export function createFallback(
  { table, lastGood, clock, log }: FallbackDeps,
  onLoaded: (writtenAt: number) => void,
): Fallback {
  let isDue = false;
  let isAnswered = false;
  let isTried = lastGood === undefined;
  let loading: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;

  const load = async (from: LastGood, signal: AbortSignal): Promise<void> => {
    try {
      const loaded = await from.load(table, signal);
      if (!loaded.ok && loaded.reason === "Superseded") return;
      isTried = true;
      if (loaded.ok) {
        const { rows, version, cut, writtenAt } = loaded;
        log.warn({ rows, version, cut }, "no operator answers: serving from the last good table");
        onLoaded(writtenAt);
      } else {
        log.warn({ reason: loaded.reason }, "no operator answers, and there is no last good table to serve from");
      }
    } catch (error) {
      isTried = true;
      log.error({ err: error }, "last good table cannot be read");
    }
  };

  const consider = (): void => {
    if (lastGood === undefined || isTried || !isDue || isAnswered || loading !== undefined || table.complete) return;
    const abort = new AbortController();
    const done = load(lastGood, abort.signal).then(() => {
      loading = undefined;
      return consider();
    });
    loading = { abort, done };
  };

  const timer = clock.setTimeout(() => {
    isDue = true;
    consider();
  }, PATIENCE_MS);

  return {
    answered() {
      isAnswered = true;
      loading?.abort.abort();
    },
    unanswered() {
      isAnswered = false;
      consider();
    },
    async end() {
      timer.cancel();
      isTried = true;
      loading?.abort.abort();
      await loading?.done;
    },
  };
}
