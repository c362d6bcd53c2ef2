import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeLine, encodePut } from "../../proxy/table/encode.ts";
import { lengthen, shorten } from "./short-lines.ts";

test("any line comes out as it went in", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom('","uid":"', "\n\u0001\u0004", '{"id":"key/', "\\"),
  );
  const row = fc.dictionary(fc.oneof(text, fc.constant("uid")), fc.oneof(text, fc.jsonValue()));
  fc.assert(
    fc.property(text, row, (id, value) => {
      for (const line of [encodePut(id, value as never), encodeLine({ type: "REMOVE", id })]) {
        expect(lengthen(shorten(line))).toBe(line);
      }
    }),
    { numRuns: 1000 },
  );
});

test("a key's line loses nearly half", () => {
  const agents = ["flights", "hotels"].map((name) => ({ namespace: "team", name }));
  const row = { uid: "u", generation: 1, sha256: "s", owner: { team: "t", user: "alice" }, agents };
  const line = encodePut("key/team/alice", row);
  expect(shorten(line).length).toBeLessThan(line.length / 2);
});
