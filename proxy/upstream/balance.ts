// Which endpoint takes a new conversation. In: candidates and a random source. Out: one of them. A policy is a function.
import type { AgentRow } from "../table/contract.ts";
import type { Target } from "./endpoint.ts";

/** Picks one of the candidates, of which there is at least one. */
export type Policy = (candidates: readonly Target[], random: () => number, turn: number) => Target;

const at = (candidates: readonly Target[], index: number): Target => {
  const target = candidates[index % candidates.length];
  if (target === undefined) throw new RangeError("a policy needs candidates");
  return target;
};

const any = (count: number, random: () => number): number => Math.min(Math.floor(random() * count), count - 1);

/** Two choices by chance, the one with fewer requests in flight wins: no herd, and no scan of all endpoints. */
const leastRequest: Policy = (candidates, random) => {
  if (candidates.length === 1) return at(candidates, 0);
  const one = any(candidates.length, random);
  // Of the others, so that the two differ.
  const other = (one + 1 + any(candidates.length - 1, random)) % candidates.length;
  const [first, second] = [at(candidates, one), at(candidates, other)];
  return second.state.inFlight < first.state.inFlight ? second : first;
};

const roundRobin: Policy = (candidates, _random, turn) => at(candidates, turn);

const randomly: Policy = (candidates, random) => at(candidates, any(candidates.length, random));

export const POLICIES: Readonly<Record<AgentRow["loadBalancing"], Policy>> = {
  LeastRequest: leastRequest,
  RoundRobin: roundRobin,
  Random: randomly,
};

/**
 * An index by weight: each with its share of the sum. Undefined when the sum is 0.
 */
export function pickByWeight(weights: readonly number[], random: () => number): number | undefined {
  let sum = 0;
  for (const weight of weights) sum += weight;
  if (sum <= 0) return undefined;
  let left = random() * sum;
  let last: number | undefined;
  for (const [index, weight] of weights.entries()) {
    if (weight <= 0) continue;
    last = index;
    left -= weight;
    if (left < 0) return index;
  }
  return last;
}
