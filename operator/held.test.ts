// What stands on the Lease of what is held, and what comes back from it.
import { describe, expect, test } from "vitest";
import { CONFIRMED_ANNOTATION, HELD_ANNOTATION, createHeld, parseHeld } from "./held.ts";
import type { HeldKind } from "./relists.ts";

const SECRETS: HeldKind = { id: "0123456789ab", kind: "Secret", count: 30, names: ["agents/a-key"] };

function start() {
  const confirmed: (readonly string[])[] = [];
  const warnings: string[] = [];
  let now = 0;
  const held = createHeld({
    confirm: (ids) => void confirmed.push(ids),
    lease: { namespace: "parley", name: "parley-operator" },
    warn: (note) => void warnings.push(note),
    now: () => now,
  });
  return { held, confirmed, warnings, wait: (ms: number) => (now += ms) };
}

describe("createHeld", () => {
  test("leaves annotations of others alone", () => {
    const { held, warnings } = start();
    expect(held.annotate({ "example.com/a": "b" })).toEqual({ "example.com/a": "b" });
    expect([held.notes(), warnings]).toEqual([[], []]);
  });

  test("writes what is held, warns once, and takes it back", () => {
    const { held, warnings } = start();
    held.set([SECRETS]);
    const written = held.annotate({ "example.com/a": "b" });
    expect(Object.keys(written)).toEqual(["example.com/a", HELD_ANNOTATION]);
    expect(parseHeld(written[HELD_ANNOTATION] ?? "")).toEqual([SECRETS]);
    held.annotate(written);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^30 objects of kind Secret are held.* parley confirm --namespace=parley --lease=parley-operator\.$/,
      ),
    ]);
    expect(held.notes()).toEqual([expect.stringContaining("0123456789ab")]);
    held.set([]);
    expect(held.annotate(written)).toEqual({ "example.com/a": "b" });
  });

  test("hands confirmations on while something is held", () => {
    const { held, confirmed } = start();
    held.seen({ [CONFIRMED_ANNOTATION]: "000000000000" });
    expect(confirmed).toEqual([]);
    held.set([SECRETS]);
    held.seen({ [CONFIRMED_ANNOTATION]: "000000000000,0123456789ab" });
    expect(confirmed).toEqual([["000000000000", "0123456789ab"]]);
  });

  test("takes a confirmation off once every operator has seen it", () => {
    const { held, wait } = start();
    const annotations = { [CONFIRMED_ANNOTATION]: "0123456789ab" };
    held.seen(annotations);
    wait(30_000);
    held.seen(annotations);
    expect(held.annotate(annotations)).toEqual(annotations);
    wait(30_000);
    expect(held.annotate(annotations)).toEqual({});
  });
});

test.each(["", "{}", "[1]", '[{"id":"x","kind":"Secret","count":1,"names":[]}]', "null"])(
  "parseHeld refuses %j",
  (text) => {
    expect(parseHeld(text)).toBeUndefined();
  },
);
