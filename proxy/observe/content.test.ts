import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createContentCapture } from "./content.ts";

function capture(chunks: readonly Uint8Array[], maxBytes: number): string {
  const content = createContentCapture(maxBytes);
  for (const chunk of chunks) content.push(chunk);
  return content.text();
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
    const content = createContentCapture(10);
    content.push(chunk);
    chunk.fill("x");
    expect(content.text()).toBe("hello");
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
});
