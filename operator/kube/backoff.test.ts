import { describe, expect, it } from "vitest";
import { createBackoff } from "./backoff.ts";

describe("createBackoff", () => {
  it("doubles its bound up to the cap and starts again after a reset", () => {
    const backoff = createBackoff({ base: 100, cap: 1_000, random: () => 1 });
    expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it("spreads waits over everything from nothing to the bound", () => {
    const chances = [0, 0.25, 0.999];
    const backoff = createBackoff({ base: 1_000, cap: 1_000, random: () => chances.shift() ?? 0 });
    expect([backoff.next(), backoff.next(), backoff.next()]).toEqual([0, 250, 999]);
  });
});
