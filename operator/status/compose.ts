// An object's whole status from all that is known of it, and how much it differs from the one that stands there. Pure.
import { isDeepStrictEqual } from "node:util";
import type { A2AAgentStatus, BackendStatus, VirtualKeyStatus } from "../../crds/types.ts";
import type { Finding, ObjectResult } from "../translate/result.ts";
import { mergeFindings, readyOf, toConditions } from "./conditions.ts";

/** Both kinds' statuses: fields that a kind does not have are absent. */
export type Status = A2AAgentStatus & VirtualKeyStatus;

export interface StatusInputs {
  readonly result: ObjectResult;
  readonly programmed: Finding;
  /** What is said in place of a finding of translation of the same type. */
  readonly findings: readonly Finding[];
  /** What the cards of the agent's backends said. */
  readonly backends: readonly BackendStatus[];
}

/** @param now milliseconds since the epoch */
export function composeStatus(inputs: StatusInputs, current: Status, now: number): Status {
  const { result, programmed, backends } = inputs;
  const known = mergeFindings(result.conditions, inputs.findings, [programmed]);
  const versions = [...new Set(backends.flatMap((backend) => backend.versions ?? []))].sort().join(",");
  return {
    observedGeneration: result.generation,
    conditions: toConditions([readyOf(known), ...known], current.conditions ?? [], result.generation, now),
    ...result.fields,
    ...(versions === "" ? {} : { versions }),
    ...(backends.length === 0 ? {} : { backends }),
  };
}

export type Difference =
  | "none"
  /** Only counts of endpoints that stay over zero, or stay zero. */
  | "counts"
  /** Only the wording of conditions. */
  | "wording"
  | "real";

/** How the wanted status differs from the one that stands there. */
export function compareStatus(wanted: Status, current: Status): Difference {
  const [a, b] = [canonical(wanted), canonical(current)];
  if (isDeepStrictEqual(a, b)) return "none";
  const [c, d] = [withoutCounts(a), withoutCounts(b)];
  if (isDeepStrictEqual(c, d)) return "counts";
  return isDeepStrictEqual(withoutWording(c), withoutWording(d)) ? "wording" : "real";
}

/** Lists that are maps come back from the API server in an order of its own. */
function canonical(status: Status): Status {
  const plain = JSON.parse(JSON.stringify(status)) as Status;
  const by = <T>(list: readonly T[] | undefined, key: (item: T) => string): { readonly list?: readonly T[] } =>
    list === undefined ? {} : { list: list.toSorted((a, b) => (key(a) < key(b) ? -1 : Number(key(a) > key(b)))) };
  const conditions = by(plain.conditions, ({ type }) => type).list;
  const backends = by(plain.backends, ({ name }) => name).list;
  return {
    ...plain,
    ...(conditions === undefined ? {} : { conditions }),
    ...(backends === undefined ? {} : { backends }),
  };
}

function withoutCounts(status: Status): Status {
  const { readyEndpoints, knownEndpoints, ...rest } = status;
  const some = (count: number | undefined): number => Math.min(count ?? 0, 1);
  return {
    ...rest,
    ...(readyEndpoints === undefined ? {} : { readyEndpoints: some(readyEndpoints) }),
    ...(knownEndpoints === undefined ? {} : { knownEndpoints: some(knownEndpoints) }),
  };
}

function withoutWording(status: Status): Status {
  const conditions = (status.conditions ?? []).map((condition) => Object.assign({}, condition, { message: "" }));
  return { ...status, conditions };
}
