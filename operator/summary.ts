// What the leader says of itself and of the proxies, for people who may read no more than a Lease. In: the publisher. Out: an annotation,
// and what it says. Nothing secret is in it: ids, versions, times and counts.
import type { Publisher } from "./publish/publisher.ts";

export const SUMMARY_ANNOTATION = "parley.dev/status";

/** Proxies that a summary names; an annotation must stay small. */
const MOST_PROXIES = 100;

export interface Summary {
  readonly gateway: string;
  /** Of the operator's table. */
  readonly version: string;
  readonly sequence: number;
  readonly rows: number;
  readonly proxies: readonly SummarisedProxy[];
  /** Proxies beyond those that are named. */
  readonly more: number;
}

export interface SummarisedProxy {
  /** The pod's UID in a cluster. */
  readonly proxy: string;
  /** What it acknowledged last; null: nothing yet. */
  readonly sequence: number | null;
  readonly version: string | null;
  /** Since when it serves that, and has had its stream: RFC 3339. */
  readonly since: string | null;
  readonly connectedAt: string;
  readonly refusedRows: number;
  /** Its stream was cut: what it serves is not known. */
  readonly lost: boolean;
}

export function writeSummary(gateway: string, publisher: Pick<Publisher, "state" | "proxies">): string {
  const { version, sequence, rows } = publisher.state;
  const all = publisher.proxies();
  const time = (at: number): string => new Date(at).toISOString();
  const summary: Summary = {
    gateway,
    version,
    sequence,
    rows,
    proxies: all.slice(0, MOST_PROXIES).map(({ proxy, acked, connectedAt, refusedRows, lost }) => ({
      proxy,
      sequence: acked?.sequence ?? null,
      version: acked?.version ?? null,
      since: acked === undefined ? null : time(acked.at),
      connectedAt: time(connectedAt),
      refusedRows,
      lost: lost === true,
    })),
    more: Math.max(all.length - MOST_PROXIES, 0),
  };
  return JSON.stringify(summary);
}

/** Undefined: it is none that this release understands. */
export function readSummary(text: string | undefined): Summary | undefined {
  try {
    const value = JSON.parse(text ?? "") as Partial<Summary>;
    return typeof value.gateway === "string" && typeof value.version === "string" && Array.isArray(value.proxies)
      ? (value as Summary)
      : undefined;
  } catch {
    return undefined;
  }
}
