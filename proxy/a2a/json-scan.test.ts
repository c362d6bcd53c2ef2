import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJsonScan, MAX_DEPTH, MAX_LIST, MAX_TOKEN_BYTES } from "./json-scan.ts";
import { compileShape, FACT } from "./json-shape.ts";

const SHAPE = compileShape([
  { slot: 1, names: ["id"], keep: "raw" },
  { slot: 2, names: ["taskId", "task_id"], keep: "text" },
  { slot: 3, names: ["tags"], elements: 4 },
  { slot: 5, names: ["inner"], members: [{ slot: 6, names: ["taskId", "task_id"], keep: "text" }] },
]);
type Scan = ReturnType<typeof createJsonScan>;

function scanOf(text: string | Uint8Array, cuts: readonly number[] = []): Scan {
  const bytes = Buffer.from(text as string);
  const scan = createJsonScan(SHAPE);
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    // A copy that is wiped afterwards: nothing may be kept by reference.
    const chunk = Buffer.from(bytes.subarray(from, cut));
    scan.push(chunk);
    chunk.fill(0);
    from = cut;
  }
  return scan;
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** JSON texts, and texts close to JSON: pieces of its grammar in any order. */
const valid = fc.oneof(
  fc.jsonValue({ maxDepth: 6 }).map((value) => JSON.stringify(value)),
  fc.json({ maxDepth: 5 }),
  fc.jsonValue().map((value) => JSON.stringify(value, null, "\t")),
);
const piece = fc.constantFrom(
  ...'{}[],:"\\ \n\t\r0123456789-+.eE/bfnrtuaF'.split(""),
  "true",
  "false",
  "null",
  '"a"',
  '"\\u00e9"',
  '"\\ud83d\\ude00"',
  '"\\ud800"',
  "é",
  "\u0000",
  "\u001f",
  "\u007f",
  "\u2028",
  "-0.5e+10",
  "01",
  "1.",
  '"id":1',
  '"inner":{',
  "NaN",
  "\ufeff",
);
const nearly = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
const mutated = fc
  .tuple(valid, fc.nat(), piece, fc.nat(3))
  .map(([text, at, put, drop]) => {
    const i = at % (text.length + 1);
    return text.slice(0, i) + put + text.slice(i + drop);
  })
  .filter((text) => text.isWellFormed());

describe("grammar", () => {
  it("accepts and refuses what JSON.parse accepts and refuses", () => {
    fc.assert(
      fc.property(fc.oneof(valid, nearly, mutated), (text) => {
        const expected = isJson(text) ? undefined : text.startsWith("\ufeff") ? "Encoding" : "Grammar";
        expect(scanOf(text).end()).toBe(expected);
      }),
      { numRuns: 4000 },
    );
  });

  it("judges the same at every cut, and one byte at a time", () => {
    fc.assert(
      fc.property(fc.oneof(valid, mutated), (text) => {
        const length = Buffer.byteLength(text);
        const whole = scanOf(text);
        const end = whole.end();
        const cuts = Array.from({ length }, (_, i) => i);
        for (const scan of [scanOf(text, cuts), ...cuts.map((cut) => scanOf(text, [cut]))]) {
          expect(scan.end()).toBe(end);
          for (let slot = 0; slot < SHAPE.slots; slot++) {
            if (end !== undefined) break;
            expect([scan.facts(slot), scan.text(slot), scan.list(slot)]).toEqual([
              whole.facts(slot),
              whole.text(slot),
              whole.list(slot),
            ]);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    "",
    " ",
    "tru",
    "nul",
    '"',
    "-",
    "1e",
    "1e+",
    "1.",
    "[",
    "{",
    '{"a"',
    '{"a":',
    '{"a":1,',
    "[1,",
    "1 2",
    "{}{}",
    '"\\u12"',
  ])("refuses the unfinished or doubled %j", (text) => expect(scanOf(text).end()).toBe("Grammar"));

  it("takes as many levels as are allowed and no more", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(scanOf(nested(MAX_DEPTH)).end()).toBeUndefined();
    expect(scanOf(nested(MAX_DEPTH + 1)).end()).toBe("Grammar");
    expect(scanOf('{"a":'.repeat(MAX_DEPTH + 1)).end()).toBe("Grammar");
  });
});

describe("encoding", () => {
  it("refuses a byte order mark, UTF-16 and broken UTF-8, wherever it is cut", () => {
    const bad = [
      Buffer.from("\ufeff{}"),
      Buffer.from("\ufeff{}", "utf16le"),
      Buffer.from([0x22, 0xc3, 0x22]),
      Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
      Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
      Buffer.from([0x22, 0x41, 0x22, 0xe2, 0x82]),
    ];
    for (const bytes of bad) {
      for (let cut = 0; cut <= bytes.length; cut++) expect(scanOf(bytes, [cut]).end()).toBe("Encoding");
    }
  });

  it("says Encoding even when the grammar broke before", () => {
    expect(scanOf(Buffer.from([0x7d, 0x20, 0xff]), [2]).end()).toBe("Encoding");
  });
});

describe("positions", () => {
  it("keeps texts decoded and raw tokens as they were sent", () => {
    const scan = scanOf(
      '{"id":"a\\u0062\\n","task_id":"\\u00e9\\ud83d\\ude00","inner":{"taskId":"x"},"tags":["a","b"]}',
    );
    expect(scan.end()).toBeUndefined();
    expect(scan.text(1)).toBe('"a\\u0062\\n"');
    expect(scan.text(2)).toBe("é😀");
    expect(scan.text(6)).toBe("x");
    expect(scan.list(4)).toEqual(["a", "b"]);
    expect(scan.facts(0)).toBe(FACT.object);
    expect(scan.facts(5)).toBe(FACT.object);
  });

  it.each([
    ['{"id":-12.5e3}', 1, "-12.5e3"],
    ['{"id":12345678901234567890}', 1, "12345678901234567890"],
    ['{"inner":[{"taskId":"no"}]}', 6, undefined],
    ['{"other":{"taskId":"no","id":"no"}}', 2, undefined],
    ['[{"taskId":"no"}]', 2, undefined],
    ['{"x":{"inner":{"taskId":"no"}}}', 6, undefined],
    ['{"taskId":null}', 2, undefined],
    ['{"t\\u0061skId":"a"}', 2, "a"],
  ])("reads %s", (text, slot, expected) => {
    const scan = scanOf(text);
    expect(scan.end()).toBeUndefined();
    expect(scan.text(slot)).toBe(expected);
  });

  it.each([
    ['{"taskId":"a","taskId":"b"}', FACT.doubled],
    ['{"taskId":"a","task_id":"b"}', FACT.doubled],
    ['{"taskId":"a","t\\u0061skId":"b"}', FACT.doubled],
    ['{"taskId":null,"task_id":"b"}', FACT.doubled],
    ['{"TaskId":"a"}', FACT.variant],
    ['{"TASK_ID":"a"}', FACT.variant],
    ['{"taskid":"a"}', FACT.variant],
    ['{"_task__Id":"a"}', FACT.variant],
    ['{"ta\u017fkId":"a"}', FACT.variant],
    ['{"tas\\u212aId":"a"}', FACT.variant],
    ['{"task\u0130d":"a"}', FACT.variant],
    ['{"task\u0131d":"a"}', FACT.variant],
    ['{"taskId":{"a":1}}', FACT.object],
    ['{"taskId":["a"]}', FACT.array],
    ['{"taskId":1}', FACT.number],
    ['{"taskId":true}', FACT.true],
    ['{"taskId":false}', FACT.false],
    ['{"taskId":"\\ud800"}', FACT.illFormed],
    [`{"taskId":"${"x".repeat(MAX_TOKEN_BYTES + 1)}"}`, FACT.tooLong],
  ])("marks %.40s", (text, fact) => {
    const length = Buffer.byteLength(text);
    for (const cuts of [[], [Math.min(9, length)], Array.from({ length }, (_, i) => i)]) {
      const scan = scanOf(text, cuts);
      expect(scan.end()).toBeUndefined();
      expect(scan.facts(2) & fact).toBe(fact);
    }
  });

  it("does not take names for positions that only look alike", () => {
    const scan = scanOf('{"taskIds":"a","tas":"b","task-id":"c","тaskId":"d","":"e","i":1,"idd":2}');
    expect(scan.end()).toBeUndefined();
    expect([scan.facts(1), scan.facts(2)]).toEqual([0, 0]);
  });

  it("bounds what it keeps", () => {
    const long = "x".repeat(MAX_TOKEN_BYTES);
    expect(scanOf(`{"taskId":"${long}"}`).text(2)).toBe(long);
    const scan = scanOf(`{"id":${"9".repeat(5000)},"taskId":"${long}x","tags":[${'"t",'.repeat(MAX_LIST)}"t"]}`);
    expect(scan.end()).toBeUndefined();
    expect([scan.text(1), scan.text(2), scan.list(4).length]).toEqual([undefined, undefined, MAX_LIST]);
    expect(scan.facts(4) & FACT.tooLong).toBe(FACT.tooLong);
  });

  it("finds the same values as JSON.parse", () => {
    const document = fc.record(
      {
        taskId: fc.string({ unit: "grapheme", maxLength: 20 }),
        inner: fc.record(
          { taskId: fc.string({ unit: "binary", maxLength: 20 }), noise: fc.jsonValue() },
          { requiredKeys: [] },
        ),
        tags: fc.array(fc.string({ maxLength: 5 }), { maxLength: 5 }),
        noise: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(document, fc.nat(), (value, cut) => {
        const text = JSON.stringify(value);
        const scan = scanOf(text, [cut % (Buffer.byteLength(text) + 1)]);
        expect(scan.end()).toBeUndefined();
        expect(scan.text(2)).toBe(value.taskId);
        expect(scan.text(6)).toBe(value.inner?.taskId);
        expect(scan.list(4)).toEqual(value.tags ?? []);
      }),
      { numRuns: 500 },
    );
  });

  it("starts anew after a reset, even from the middle of a token", () => {
    const scan = createJsonScan(SHAPE);
    scan.push(Buffer.from('{"taskId":"old","inner":{"taskId":"ha'));
    scan.reset();
    scan.push(Buffer.from('{"id":1}'));
    expect(scan.end()).toBeUndefined();
    expect([scan.text(1), scan.text(2), scan.facts(2), scan.facts(5)]).toEqual(["1", undefined, 0, 0]);
  });

  it("reads a part of a chunk, and chunks that are no Buffer", () => {
    const scan = createJsonScan(SHAPE);
    scan.push(new TextEncoder().encode('xx{"id":7}yy'), 2, 10);
    expect(scan.end()).toBeUndefined();
    expect(scan.text(1)).toBe("7");
  });
});
