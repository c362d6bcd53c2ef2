// Which changes somebody waits for. In: a row's line before a change and after it. Out: whether that changes who reaches what, or by which name.
import { decidesAccess, type AgentRow, type RowId } from "../../proxy/table/contract.ts";

/** What says how an agent's calls are served, not whose. What is not named here decides access, also what a later release adds. */
const HOW_SERVED: ReadonlySet<string> = new Set([
  "backends",
  "credentials",
  "generation",
  "loadBalancing",
  "logging",
  "maxRequestBytes",
  "pricePerRequest",
  "pricePerSecond",
  "timeouts",
  "usagePrices",
] satisfies (keyof AgentRow)[]);

/** @param before @param after lines PUT of that row; undefined: there is none. */
export function changesAccess(id: RowId, before: string | undefined, after: string | undefined): boolean {
  if (!decidesAccess(id)) return false;
  if (!id.startsWith("agent/") || before === undefined || after === undefined) return before !== after;
  return accessIn(before) !== accessIn(after);
}

/** Comparable, since lines are canonical JSON. */
function accessIn(line: string): string {
  const { row } = JSON.parse(line) as { readonly row: object };
  return JSON.stringify(Object.entries(row).filter(([name]) => !HOW_SERVED.has(name)));
}
