// What to ask an operator for. In: faults of the applied stream, and what was applied. Out: the buckets that differ, or the whole table
// when those did not do; how long to wait, longer when it repeats.
import { backoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import type { Table } from "./compiled.ts";
import type { Subscription } from "./contract.ts";
import type { TableWriter } from "./table.ts";

export interface Resync {
  /** For the next subscription to the applied stream. */
  ask(): Pick<Subscription, "version" | "buckets">;
  /** The table is what the stream says it is. */
  confirmed(): void;
  /** The stream cannot be trusted. Gives how long to wait, milliseconds. */
  fault(): number;
}

/** Faults this far apart do not make the next wait longer; milliseconds. */
const CALM_MS = 60_000;

export function createResync(deps: {
  readonly table: Pick<Table & TableWriter, "complete" | "version" | "prefixes">;
  readonly clock: Clock;
  readonly random: () => number;
}): Resync {
  const { table, clock, random } = deps;
  let faults = 0;
  let faultAt = Number.NEGATIVE_INFINITY;
  /** Nothing was confirmed since buckets were asked for. */
  let unconfirmed = false;
  let whole = false;
  return {
    ask() {
      if (!table.complete || whole) return {};
      unconfirmed = true;
      return { version: table.version, buckets: table.prefixes() };
    },
    confirmed() {
      unconfirmed = false;
      whole = false;
    },
    fault() {
      whole ||= unconfirmed;
      faults = clock.elapsed() - faultAt > CALM_MS ? 0 : faults + 1;
      faultAt = clock.elapsed();
      return backoff(faults, random);
    },
  };
}
