// Questions to the request log. In: an open file, filters. Out: lines, and sums. For the command line, and for whoever shows them.
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { addDecimals } from "../cost.ts";

export interface RequestFilter {
  /** `{namespace}/{name}`. */
  readonly agent?: string | undefined;
  readonly key?: string | undefined;
  readonly team?: string | undefined;
  readonly operation?: string | undefined;
  readonly outcome?: string | undefined;
  readonly reason?: string | undefined;
  readonly trace?: string | undefined;
  /** Milliseconds since the epoch, included. */
  readonly since?: number | undefined;
}

export const SUM_BY = ["agent", "key", "team", "day", "outcome"] as const;
export type SumBy = (typeof SUM_BY)[number];

export interface RequestSum {
  /** Value of what was summed by; a day as `2026-01-31`, in UTC. Empty: requests that have none. */
  readonly group: string;
  readonly requests: number;
  /** Those whose outcome is another than `ok`. */
  readonly failed: number;
  /** Decimal string, exact. */
  readonly cost: string;
  /** Mean, in milliseconds. */
  readonly latency: number;
}

export interface RequestQueries {
  /** The last ones, oldest first; with `after`, the first ones whose id is greater. */
  lines(
    filter: RequestFilter,
    page: { readonly limit: number; readonly after?: number },
  ): readonly { readonly id: number; readonly line: string }[];
  /** The most expensive groups first, then the largest. Days in their order. */
  sums(filter: RequestFilter, by: SumBy): readonly RequestSum[];
}

const COLUMNS = {
  agent: "coalesce(agent, '')",
  key: "coalesce(key, '')",
  team: "coalesce(team, '')",
  outcome: "outcome",
  day: "strftime('%Y-%m-%d', time / 1000, 'unixepoch')",
} as const satisfies Record<SumBy, string>;

export function createRequestQueries(database: DatabaseSync): RequestQueries {
  // SQLite would add up binary fractions.
  database.aggregate("exact_sum", {
    start: "0",
    step: (sum, cost) => (typeof cost === "string" && typeof sum === "string" ? (addDecimals(sum, cost) ?? sum) : sum),
  });

  return {
    lines(filter, { limit, after }) {
      const { where, values } = conditions(filter, after);
      const order = after === undefined ? "DESC" : "ASC";
      const found = database
        .prepare(`SELECT id, line FROM requests ${where} ORDER BY id ${order} LIMIT ?`)
        .all(...values, limit);
      return (after === undefined ? found.toReversed() : found).map(({ id, line }) => ({
        id: Number(id),
        line: String(line),
      }));
    },
    sums(filter, by) {
      const { where, values } = conditions(filter);
      const sums = database
        .prepare(
          `SELECT ${COLUMNS[by]} AS name, count(*) AS requests, sum(outcome <> 'ok') AS failed, exact_sum(cost) AS cost, avg(latency) AS latency
           FROM requests ${where} GROUP BY 1 ORDER BY 1`,
        )
        .all(...values)
        .map((row) => ({
          group: String(row["name"]),
          requests: Number(row["requests"]),
          failed: Number(row["failed"]),
          cost: String(row["cost"]),
          latency: Number(row["latency"]),
        }));
      if (by === "day") return sums;
      return sums.toSorted((a, b) => Number(b.cost) - Number(a.cost) || b.requests - a.requests);
    },
  };
}

function conditions(
  filter: RequestFilter,
  after?: number,
): { readonly where: string; readonly values: SQLInputValue[] } {
  const texts: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (condition: string, value: SQLInputValue | undefined): void => {
    if (value === undefined) return;
    texts.push(condition);
    values.push(value);
  };
  for (const column of ["agent", "key", "team", "operation", "outcome", "reason", "trace"] as const) {
    add(`${column} = ?`, filter[column]);
  }
  add("time >= ?", filter.since);
  add("id > ?", after);
  return { where: texts.length === 0 ? "" : `WHERE ${texts.join(" AND ")}`, values };
}
