import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ContentCapture } from "./content.ts";

function capture(chunks: readonly Uint8Array[], maxBytes: number): string {
  const content = new ContentCapture({ head: maxBytes, tail: 0 });
  for (const chunk of chunks) content.push(chunk);
  return content.start();
}

describe("captured content", () => {
  test("is the start of what came", () => {
    expect(capture([Buffer.from("hello "), Buffer.from("world")], 8)).toBe("hello wo");
    expect(capture([Buffer.from("hello")], 100)).toBe("hello");
    expect(capture([], 100)).toBe("");
    expect(capture([Buffer.from("hello")], 0)).toBe("");
  });

  test("does not change when the chunk is used again", () => {
    const chunk = Buffer.from("hello");
    const content = new ContentCapture({ head: 10, tail: 0 });
    content.push(chunk);
    chunk.fill("x");
    expect(content.start()).toBe("hello");
  });

  test("is cut between characters, wherever chunks and the limit cut them", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.array(fc.nat(40)), fc.nat(80), (text, cuts, maxBytes) => {
        const bytes = Buffer.from(text);
        const borders = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const chunks = borders.slice(1).map((end, at) => bytes.subarray(borders[at], end));
        const kept = capture(chunks, maxBytes);
        expect(text.startsWith(kept)).toBe(true);
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(maxBytes);
        expect(Buffer.byteLength(kept)).toBeGreaterThan(Math.min(maxBytes, bytes.length) - 4);
      }),
    );
  });

  test("of bytes that are no UTF-8 shows replacement characters", () => {
    expect(capture([Buffer.from([0x61, 0xff, 0x62])], 10)).toBe("a\ufffdb");
  });

  test("keeps the end too, and says when that is not all", () => {
    const content = new ContentCapture({ head: 2, tail: 4 });
    for (const piece of ["ab", "cd", "ef", "gh"]) content.push(Buffer.from(piece));
    expect(content.start()).toBe("ab");
    expect(content.end()).toEqual({ text: "abcdefgh", whole: true });
    content.push(Buffer.from("ij"));
    expect(content.end()).toEqual({ text: "ghij", whole: false });
  });
});
