import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPretty } from "./pretty-log.ts";

const line = (record: object): string =>
  `${JSON.stringify({ time: "2026-01-02T03:04:05.678Z", level: "info", ...record })}\n`;

describe("a log line as text", () => {
  test("has time, level, message and fields", () => {
    expect(
      formatPretty(line({ name: "proxy", msg: "table applied", rows: 3, source: "last good", ids: ["a"] }), false),
    ).toBe('03:04:05.678 INFO  table applied rows=3 source="last good" ids=["a"]\n');
  });

  test("leaves out null, and quotes what could be read as another field", () => {
    expect(formatPretty(line({ msg: "m", a: null, b: "x=y", c: "", d: 'say "hi"', e: false }), false)).toBe(
      '03:04:05.678 INFO  m b="x=y" c="" d="say \\"hi\\"" e=false\n',
    );
  });

  test("ends with the stack of an error, each row on a line", () => {
    const text = formatPretty(
      line({ level: "error", msg: "failed", err: { stack: "Error: x\n    at y (z.ts:1:1)" } }),
      false,
    );
    expect(text).toBe("03:04:05.678 ERROR failed\n    Error: x\n    at y (z.ts:1:1)\n");
  });

  test("puts an error without a stack on the same line", () => {
    expect(formatPretty(line({ level: "error", msg: "failed", err: { stack: "port taken" }, a: 1 }), false)).toBe(
      "03:04:05.678 ERROR failed: port taken a=1\n",
    );
  });

  test("has colours only when asked", () => {
    expect(formatPretty(line({ msg: "m", a: 1 }), true)).toBe(
      "\u001b[90m03:04:05.678\u001b[0m \u001b[36mINFO \u001b[0m m \u001b[90ma=\u001b[0m1\n",
    );
  });

  test.each(["plain text\n", "plain text", '"a string"\n', "12\n"])("keeps %j, which is no record", (text) => {
    expect(formatPretty(text, false)).toBe(`${text.trimEnd()}\n`);
  });

  test("is one line without control characters, whatever stands in the record", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })), (fields) => {
        const { err: _, ...rest } = fields;
        const text = formatPretty(`${JSON.stringify(rest)}\n`, false);
        expect(text.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u);
        expect(text.at(-1)).toBe("\n");
      }),
    );
  });

  test("keeps text that is no JSON harmless", () => {
    expect(formatPretty("a\u001b[31mb\nc", false)).toBe("a\\u001b[31mb\\u000ac\n");
  });
});
