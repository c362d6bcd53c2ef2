// Findings become conditions. In: what translation, discovery and acknowledgements found, the conditions that stand there now.
// Out: the conditions that should stand there. Pure.
import type { Condition } from "../../crds/types.ts";
import { bounded } from "../translate/conditions.ts";
import type { Finding } from "../translate/result.ts";

/** What must hold for an object to be ready, in the order in which a person would look. */
const NEEDED = ["Accepted", "SecretReady", "ResolvedRefs", "Discovered", "Programmed"];

/** The summary: the first of the needed findings that is not True, or True. Cards that were not read yet hold nothing up. */
export function readyOf(findings: readonly Finding[]): Finding {
  for (const type of NEEDED) {
    const finding = findings.find((candidate) => candidate.type === type);
    if (finding === undefined || finding.status === "True") continue;
    if (type !== "Discovered" || finding.status === "False") return { ...finding, type: "Ready", status: "False" };
  }
  return { type: "Ready", status: "True", reason: "Ready", message: "" };
}

/** Later findings win over earlier ones of the same type; the order of first appearance stays. */
export function mergeFindings(...lists: readonly (readonly Finding[])[]): readonly Finding[] {
  const merged = new Map<string, Finding>();
  for (const list of lists) for (const finding of list) merged.set(finding.type, finding);
  return [...merged.values()];
}

/**
 * Conditions with `observedGeneration`; `lastTransitionTime` stays where the status of a condition did not change.
 * A condition that is found no more is gone.
 * @param now milliseconds since the epoch
 */
export function toConditions(
  findings: readonly Finding[],
  current: readonly Condition[],
  generation: number,
  now: number,
): readonly Condition[] {
  return findings.map(({ type, status, reason, message }) => {
    const before = current.find((condition) => condition.type === type);
    return {
      type,
      status,
      observedGeneration: generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : rfc3339(now),
      reason,
      message: bounded(message),
    };
  });
}

/** RFC 3339 in whole seconds, as metav1.Time. */
function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** Conditions that are there only when something is amiss. */
const BAD_WHEN_TRUE: ReadonlySet<string> = new Set(["Conflicted", "Held"]);

export interface ConditionEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  /** Type of the condition. */
  readonly condition: string;
  readonly message: string;
}

/**
 * What is worth an Event between two states: changes of status or reason. What follows from another condition adds nothing (the
 * summary, `NotPublished`), and neither does what was fine from the start; only that an object is programmed is always told.
 */
export function conditionEvents(before: readonly Condition[], after: readonly Condition[]): readonly ConditionEvent[] {
  const events: ConditionEvent[] = [];
  for (const { type, status, reason, message } of after) {
    const old = before.find((condition) => condition.type === type);
    if (type === "Ready" || reason === "NotPublished" || status === "Unknown") continue;
    if (old?.status === status && old.reason === reason) continue;
    const fine = (status === "True") === !BAD_WHEN_TRUE.has(type);
    if (old === undefined && fine && type !== "Programmed") continue;
    events.push({ type: fine ? "Normal" : "Warning", reason, condition: type, message });
  }
  return events;
}
