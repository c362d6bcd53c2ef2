// What to do about one object's status now: write, wait, or nothing. In: all that is known of the object, the status that stands
// there, the time. Out: a decision. Pure.
import type { BackendStatus, Condition } from "../../crds/types.ts";
import type { AgentObject, KeyObject } from "../objects.ts";
import type { Finding, ObjectResult } from "../translate/result.ts";
import { compareStatus, composeStatus } from "./compose.ts";
import type { Status } from "./compose.ts";
import { mergeFindings } from "./conditions.ts";
import { expiryFinding } from "./expiry.ts";
import { isProgrammed, judgeProgrammed, PROGRAMMED } from "./programmed.ts";
import type { Serving } from "./programmed.ts";

/** Milliseconds. */
const LIMITS = {
  /** The first write of a generation, and of whoever begins to lead, waits so long for acknowledgements. */
  acks: 1_000,
  /** And so long for the agent's cards, which the new leader has yet to read. */
  cards: 300,
  /** After a start proxies are given this long to come back, before it is said that there is none. */
  settle: 5_000,
  /** Between two writes that change counts of endpoints only. */
  counts: 30_000,
  /** Between two writes that change wording only. */
  wording: 5_000,
};
export type Limits = typeof LIMITS;

/** Everything known of one object's status. */
export interface Entry {
  result: ObjectResult;
  /** The batch that first carried this generation of the published row. */
  sequence: number;
  /** When this generation was first seen here; `elapsed` milliseconds, as all times here. */
  since: number;
  /** Whether `Programmed` in the status that stands there may be believed: not once it was unpublished in this generation. */
  believes: boolean;
  /** Judged programmed here: not judged again. */
  programmed: boolean;
  backends: readonly BackendStatus[] | undefined;
  /** By condition type: what takes the place of a finding of translation that is not True. */
  findings: Map<string, Finding> | undefined;
  /** When the last write succeeded. */
  writtenAt: number | undefined;
  /** What was written, until it was read back as it is. */
  written:
    | {
        readonly status: Status;
        readonly resourceVersion: string;
        /** What the API server made of the write, where that is something else. */
        echo: StoredStatus | undefined;
      }
    | undefined;
}
export type StoredStatus = NonNullable<(AgentObject | KeyObject)["status"]>;

export interface Context {
  /** Milliseconds since the epoch: for what the spec and the status say of times. */
  readonly now: number;
  /** Milliseconds of a clock that never steps: for waits. */
  readonly elapsed: number;
  /** When results first came in. */
  readonly openedAt: number;
  /** Since when this process writes. */
  readonly ledAt: number;
  readonly sent: number;
  readonly serving: Serving;
  readonly limits: Partial<Limits>;
}

export interface Decision {
  /** This generation is programmed: it need not be judged again. */
  readonly programmed: boolean;
  readonly write?: Status;
  /** Milliseconds after which to look again, whatever else happens. */
  readonly again?: number;
}

/** Decides from the newest state; asking again with nothing changed gives the same. */
export function decide(entry: Entry, object: AgentObject | KeyObject, current: Status, context: Context): Decision {
  const { now, elapsed } = context;
  const limits = { ...LIMITS, ...context.limits };
  const { result } = entry;
  const programmed = programmedFinding(entry, current, context);
  const isTrue = programmed.status === "True";
  const expiry = expiryFinding(result, now);
  const discovered = discoveredFinding(entry, object, current);
  const findings = mergeFindings(
    discovered === undefined ? [] : [discovered],
    [...(entry.findings?.values() ?? [])].filter(
      ({ type }) => type !== "Discovered" && isOpen(result.conditions, type),
    ),
    expiry.finding === undefined ? [] : [expiry.finding],
  );

  // What is still coming in is waited for, so that one edit is one write.
  const since = Math.max(entry.since, context.ledAt);
  const waits = [
    isTrue || result.rowId === null ? 0 : since + limits.acks,
    programmed.reason === "NoProxies" ? context.openedAt + limits.settle : 0,
    discovered?.status === "Unknown" ? since + limits.cards : 0,
    // Its Secret is about to be made.
    isWaitingForToken(object, result) ? since + limits.acks : 0,
  ];
  const until = Math.max(...waits);
  if (elapsed < until) return { programmed: isTrue, again: until - elapsed };

  const names = new Set(object.kind === "A2AAgent" ? object.spec.backends.map(({ name }) => name) : []);
  const backends = (entry.backends ?? current.backends ?? []).filter(({ name }) => names.has(name));
  const wanted = composeStatus({ result, programmed, findings, backends }, current, now);
  const again = expiry.in === undefined ? {} : { again: expiry.in };
  const pause = pauseOf(compareStatus(wanted, current), entry, limits);
  if (pause === undefined) return { programmed: isTrue, ...again };
  if (elapsed < pause) return { programmed: isTrue, again: Math.min(pause - elapsed, again.again ?? Infinity) };
  return { programmed: isTrue, write: wanted, ...again };
}

function isWaitingForToken(object: AgentObject | KeyObject, { conditions }: ObjectResult): boolean {
  if (object.kind !== "VirtualKey" || object.spec.secretRef !== undefined) return false;
  return conditions.some(({ type, reason }) => type === "SecretReady" && reason === "SecretNotFound");
}

/** When the difference may be written; undefined: there is none. */
function pauseOf(difference: ReturnType<typeof compareStatus>, entry: Entry, limits: Limits): number | undefined {
  const last = entry.writtenAt ?? Number.NEGATIVE_INFINITY;
  switch (difference) {
    case "none":
      return undefined;
    case "counts":
      return last + limits.counts;
    case "wording":
      return last + limits.wording;
    case "real":
      return 0;
  }
}

/** A generation once programmed stays so, whatever proxies come and go, also across a restart of this process. */
function programmedFinding(entry: Entry, current: Status, { sent, serving }: Context): Finding {
  const { rowId, generation } = entry.result;
  if (rowId !== null && (entry.programmed || (entry.believes && isProgrammed(current, generation)))) {
    return { type: "Programmed", status: "True", ...wordingOf(current.conditions, "Programmed", "True") };
  }
  return judgeProgrammed({ rowId, sequence: entry.sequence }, sent, serving);
}

function wordingOf(
  conditions: readonly Condition[] | undefined,
  type: string,
  status: string,
): Pick<Finding, "reason" | "message"> {
  const stands = conditions?.find((condition) => condition.type === type && condition.status === status);
  const { reason, message } = stands ?? PROGRAMMED;
  return { reason, message };
}

/** Whether translation has a complaint of that type, in whose place something more exact may be said. */
function isOpen(findings: readonly Finding[], type: string): boolean {
  return findings.some((finding) => finding.type === type && finding.status !== "True");
}

/**
 * What is known of the cards: what discovery said last; before it said anything, what stands there for this generation; else
 * what translation found in the status.
 */
function discoveredFinding(entry: Entry, object: AgentObject | KeyObject, current: Status): Finding | undefined {
  const { result } = entry;
  const fromStatus = result.conditions.find(({ type }) => type === "Discovered");
  if (object.kind !== "A2AAgent" || fromStatus === undefined) return undefined;
  const said = entry.findings?.get("Discovered");
  if (said !== undefined) return said;
  const stands = current.conditions?.find(
    ({ type, observedGeneration }) => type === "Discovered" && observedGeneration === result.generation,
  );
  if (stands === undefined) return fromStatus;
  return { type: "Discovered", status: stands.status, reason: stands.reason, message: stands.message };
}
