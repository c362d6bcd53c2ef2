// Exchanges that run. In: table changes and time. Out: those that may not go on are ended: revoked and expired keys, deadlines.
import { stillAllowed } from "../request/authorize.ts";
import type { Agent, Key, TableChange } from "../table/compiled.ts";
import { decidesAccess, type RowId } from "../table/contract.ts";
import type { Exchange, Plane } from "./exchange.ts";
import { fail, failBroken } from "./fail.ts";

/** Judges open exchanges again with the rows of now: those of a key, an agent or a key's Namespace that changed. */
export function judgeAgain(plane: Plane, change: TableChange): void {
  const isConcerned = concernedBy(change);
  if (isConcerned === undefined) return;
  const now = plane.clock.now();
  for (const exchange of plane.open.all()) {
    const { key, agent } = exchange;
    if (key === undefined || agent === undefined || !isConcerned(key, agent)) continue;
    try {
      judgeOne(exchange, key, agent, now);
    } catch (error) {
      // Nobody looks at it again: it must not go on, and those behind it must be judged.
      failBroken(exchange, error);
    }
  }
}

function judgeOne(exchange: Exchange, key: Key, agent: Agent, now: number): void {
  const { plane, permission } = exchange;
  const decision = stillAllowed(key, agent, permission, plane.table, now, plane.loopback);
  if (!decision.ok) return fail(exchange, decision.reason);
  // What is still to be judged and sent is so by the rows of now.
  exchange.key = decision.key;
  exchange.agent = decision.agent;
}

/** Whom a change may take access from, if anybody: what stillAllowed looks at, and grants. */
function concernedBy({ ids, reset }: TableChange): ((key: Key, agent: Agent) => boolean) | undefined {
  if (reset) return () => true;
  if (!ids.some(decidesAccess)) return undefined;
  const keys = namesOf("key/", ids);
  const agents = namesOf("agent/", ids);
  const namespaces = namesOf("namespace/", ids);
  return (key, agent) => keys.has(key.id) || agents.has(agent.id) || namespaces.has(key.namespace);
}

const namesOf = (prefix: string, ids: readonly RowId[]): ReadonlySet<string> =>
  new Set(ids.filter((id) => id.startsWith(prefix)).map((id) => id.slice(prefix.length)));

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
