import { describe, expect, test } from "vitest";
import { choose, type Candidate } from "./choose.ts";

/** "a+" is live and names itself, "b" is live, "c-" is lost, "d?" is opening, "e?+" opening and named itself before, "f!" is filling. */
const read = (text: string): Candidate => ({
  id: text[0] ?? "",
  state: text.includes("-") ? "Lost" : text.includes("?") ? "Opening" : "Live",
  namesItself: text.includes("+"),
  filling: text.includes("!"),
});

describe("the applied stream", () => {
  test.each([
    // [streams, applied, next]
    ["", undefined, undefined],
    ["a? b?", undefined, "a"],
    // It stays.
    ["a b", "a", "a"],
    ["a+ b", "a", "a"],
    ["a+ b+", "a", "a"],
    ["a b-", "a", "a"],
    ["a? b", "a", "a"],
    ["a?+ b+", "a", "a"],
    ["a b? c-", "a", "a"],
    ["a b?+", "a", "a"],
    ["a! b+", "a", "a"],
    // Another one holds the Lease.
    ["a b+", "a", "b"],
    ["a b c+", "a", "c"],
    ["a? b+", "a", "b"],
    // It is lost.
    ["a- b", "a", "b"],
    ["a-+ b", "a", "b"],
    ["a- b c+", "a", "c"],
    ["a- b? c", "a", "c"],
    ["b c+", "a", "c"],
    ["a-! b+", "a", "b"],
    // Nobody is there to move to.
    ["a- b-", "a", "a"],
    ["a- b?", "a", "a"],
    ["b- c-", "a", "b"],
  ])("of %j, applied %s, is %s", (streams, applied, next) => {
    expect(choose(streams.split(" ").filter(Boolean).map(read), applied)).toBe(next);
  });

  test("moves no more than once for each thing that happens", () => {
    for (const streams of ["a b+", "a- b c+", "a+ b+", "a-+ b+", "a b"]) {
      const candidates = streams.split(" ").map(read);
      const first = choose(candidates, "a");
      expect(choose(candidates, first)).toBe(first);
    }
  });

  test("is not left when a lost one comes back without the Lease, and is when it has it", () => {
    expect(choose([read("a"), read("b+")], "b")).toBe("b");
    expect(choose([read("a"), read("b")], "b")).toBe("b");
    expect(choose([read("a+"), read("b")], "b")).toBe("a");
  });
});
