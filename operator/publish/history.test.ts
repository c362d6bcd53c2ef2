import { describe, expect, it } from "vitest";
import { createHistory } from "./history.ts";

const add = (history: ReturnType<typeof createHistory>, sequence: number, ids: readonly string[], rows = 0): void =>
  history.add({ sequence, version: `v${sequence}`, rows }, ids);

describe("createHistory", () => {
  it("knows what changed since a batch, each row once", () => {
    const history = createHistory();
    add(history, 0, []);
    add(history, 1, ["a", "b"]);
    add(history, 2, ["b", "c"]);
    expect([...(history.since(0) ?? [])].sort()).toEqual(["a", "b", "c"]);
    expect([...(history.since(1) ?? [])]).toEqual(["b", "c"]);
    expect([...(history.since(2) ?? [])]).toEqual([]);
    expect([history.changesSince(0), history.changesSince(2)]).toEqual([4, 0]);
    expect([history.versionOf(0), history.versionOf(2), history.versionOf(3)]).toEqual(["v0", "v2", undefined]);
  });

  it("forgets what is long ago, but never the last batch", () => {
    const history = createHistory();
    add(history, 0, []);
    add(
      history,
      1,
      Array.from({ length: 5_000 }, (_, at) => `${at}`),
    );
    expect([...(history.since(0) ?? [])]).toHaveLength(5_000);
    add(history, 2, ["x"]);
    expect([history.since(0), history.changesSince(0)]).toEqual([undefined, Infinity]);
    expect([...(history.since(1) ?? [])]).toEqual(["x"]);
    expect(history.versionOf(1)).toBe("v1");
  });

  it("forgets nothing that came after what standby streams were told", () => {
    const history = createHistory();
    const many = Array.from({ length: 5_000 }, (_, at) => `${at}`);
    for (const sequence of [0, 1, 2, 3]) history.add({ sequence, version: "v", rows: 0 }, many, 1);
    expect([history.changesSince(1), history.since(0)]).toEqual([10_000, undefined]);
    history.add({ sequence: 4, version: "v", rows: 0 }, ["x"], 3);
    expect([history.changesSince(3), history.since(2)]).toEqual([1, undefined]);
  });

  it("remembers the more the larger the table is, and a bounded number of batches", () => {
    const history = createHistory();
    for (let sequence = 0; sequence < 6_000; sequence++) add(history, sequence, ["a", "b", "c"], 100_000);
    const first = 6_000 - 4_096;
    expect([history.versionOf(first - 1), history.versionOf(first)]).toEqual([undefined, `v${first}`]);
    expect([...(history.since(first) ?? [])].sort()).toEqual(["a", "b", "c"]);
    expect(history.since(first - 2)).toBeUndefined();
  });
});
