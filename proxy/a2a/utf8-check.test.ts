import { isUtf8 } from "node:buffer";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createUtf8Check } from "./utf8-check.ts";

function check(bytes: Uint8Array, cuts: readonly number[]): boolean {
  const utf8 = createUtf8Check();
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (!utf8.push(bytes.slice(from, cut))) return false;
    from = cut;
  }
  return utf8.end();
}

const bytes = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }).map((text) => new Uint8Array(Buffer.from(text))),
  fc.uint8Array({ maxLength: 12 }),
  fc
    .array(fc.constantFrom(0x41, 0x80, 0xbf, 0xc2, 0xc0, 0xe0, 0xed, 0xa0, 0xf0, 0x90, 0xf4, 0xf5, 0xff), {
      maxLength: 8,
    })
    .map((list) => Uint8Array.from(list)),
);

it("agrees with isUtf8 however the bytes are cut", () => {
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(20), { maxLength: 6 }), (text, at) => {
      const cuts = at.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b);
      expect(check(text, cuts)).toBe(isUtf8(text));
      expect(
        check(
          text,
          Array.from(text, (_, i) => i),
        ),
      ).toBe(isUtf8(text));
    }),
    { numRuns: 3000 },
  );
});

it("finds a character that never ends", () => {
  expect(check(Buffer.from("é").subarray(0, 1), [])).toBe(false);
  expect(check(Buffer.from("€uro"), [1, 2])).toBe(true);
});
