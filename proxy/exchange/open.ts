// Exchanges that run. In: table changes and time. Out: those that may not go on are ended: revoked and expired keys, deadlines.
import { stillAllowed } from "../request/authorize.ts";
import type { TableChange } from "../table/compiled.ts";
import type { Plane } from "./exchange.ts";
import { fail } from "./fail.ts";

/** Rows that say who may do what; all others leave running exchanges alone. */
const concernsAccess = (id: string): boolean =>
  id.startsWith("key/") || id.startsWith("agent/") || id.startsWith("namespace/");

/** Judges every open exchange again with the rows of now. */
export function judgeAgain(plane: Plane, change: TableChange): void {
  if (!change.reset && !change.ids.some(concernsAccess)) return;
  const now = plane.clock.now();
  for (const exchange of plane.open.all()) {
    const { key, agent, permission } = exchange;
    if (key === undefined || agent === undefined) continue;
    const decision = stillAllowed(key, agent, permission, plane.table, now, plane.loopback);
    if (!decision.ok) {
      fail(exchange, decision.reason);
      continue;
    }
    // What is still to be judged and sent is so by the rows of now.
    exchange.key = decision.key;
    exchange.agent = decision.agent;
  }
}

/** Ends exchanges whose key expired or whose deadline passed. Called a few times a second. */
export function sweep(plane: Plane): void {
  const now = plane.clock.now();
  const elapsed = plane.monotonic();
  for (const exchange of plane.open.all()) {
    const { key } = exchange;
    // The key of now, since each change puts it there: a look-up for every stream four times a second would be too much.
    if (key !== undefined && now >= key.expiresAt) fail(exchange, "KeyRevoked");
    else if (elapsed >= exchange.deadline) fail(exchange, exchange.lateReason);
  }
}
