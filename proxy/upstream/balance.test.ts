import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pickByWeight, POLICIES } from "./balance.ts";
import { createEndpointStates, endpointTargets, type Target } from "./endpoint.ts";

function targets(...inFlight: number[]): readonly Target[] {
  const states = createEndpointStates();
  const made = endpointTargets(
    { name: "b", weight: 1, endpoints: "e", scheme: "http", path: "/", interfaces: [] },
    inFlight.map((_, index) => ({ address: `10.0.0.${index + 1}`, port: 80, ready: true, serving: true })),
    states,
  );
  for (const [index, target] of made.entries()) target.state.inFlight = inFlight[index] ?? 0;
  return made;
}

/** Gives these numbers in turn, for ever. */
function sequence(...values: number[]): () => number {
  let index = 0;
  return () => values[index++ % values.length] ?? 0;
}

describe("LeastRequest", () => {
  test("of two by chance takes the less busy; the two are never the same", () => {
    const three = targets(5, 1, 9);
    expect(POLICIES.LeastRequest(three, sequence(0, 0), 0)).toBe(three[1]);
    expect(POLICIES.LeastRequest(three, sequence(0, 0.9), 0)).toBe(three[0]);
    expect(POLICIES.LeastRequest(three, sequence(0.9, 0), 0)).toBe(three[0]);
  });

  test("never takes the busiest of at least two, whatever the chance", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(1000), { minLength: 2, maxLength: 20 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (loads, one, two) => {
          const picked = POLICIES.LeastRequest(targets(...loads), sequence(one, two), 0);
          expect(picked.state.inFlight).toBeLessThan(Math.max(...loads));
        },
      ),
    );
  });
});

test("RoundRobin goes round", () => {
  const three = targets(0, 0, 0);
  expect([0, 1, 2, 3].map((turn) => POLICIES.RoundRobin(three, () => 0, turn).label)).toEqual(
    [0, 1, 2, 0].map((index) => three[index]?.label),
  );
});

test("Random is as even as its source", () => {
  const two = targets(100, 0);
  expect([0, 0.49, 0.5, 0.99].map((chance) => POLICIES.Random(two, () => chance, 0).label)).toEqual(
    [0, 0, 1, 1].map((index) => two[index]?.label),
  );
});

describe("weights", () => {
  test("share new conversations in proportion, and 0 gets none", () => {
    const counts = [0, 0, 0];
    for (let step = 0; step < 1000; step++) {
      const index = pickByWeight([90, 0, 10], () => step / 1000) ?? -1;
      counts[index] = (counts[index] ?? 0) + 1;
    }
    expect(counts).toEqual([900, 0, 100]);
  });

  test("that are all 0 pick nothing", () => {
    expect(pickByWeight([0, 0], () => 0.5)).toBeUndefined();
    expect(pickByWeight([], () => 0.5)).toBeUndefined();
  });

  test("always pick one that has some", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 16 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (weights, chance) => {
          const index = pickByWeight(weights, () => chance);
          const hasSome = weights.some((weight) => weight > 0);
          expect(index !== undefined && (weights[index] ?? 0) > 0).toBe(hasSome);
        },
      ),
    );
  });
});
