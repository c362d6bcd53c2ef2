import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createLineSplitter } from "./split-lines.ts";

test("gives the lines, wherever the bytes were cut, even inside a character", () => {
  const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", " "));
  fc.assert(
    fc.property(fc.array(line), line, fc.array(fc.nat()), (lines, rest, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join("") + rest);
      const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
      const splitter = createLineSplitter();
      const got = at.slice(1).flatMap((end, index) => splitter.push(bytes.subarray(at[index], end)) ?? ["broken"]);
      expect(got).toStrictEqual(lines);
    }),
  );
});

test("gives up on a line beyond the limit, whether its end has come or not", () => {
  const exactly = createLineSplitter(4);
  expect(exactly.push(Buffer.from("ab"))).toStrictEqual([]);
  expect(exactly.push(Buffer.from("cd"))).toStrictEqual([]);
  expect(exactly.push(Buffer.from("\nabcd\n"))).toStrictEqual(["abcd", "abcd"]);
  const open = createLineSplitter(4);
  expect(open.push(Buffer.from("abc"))).toStrictEqual([]);
  expect(open.push(Buffer.from("de"))).toBeUndefined();
  expect(open.push(Buffer.from("\nab\n"))).toBeUndefined();
  expect(createLineSplitter(4).push(Buffer.from("ab\nabcde\nab\n"))).toBeUndefined();
});
