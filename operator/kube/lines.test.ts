import { Readable } from "node:stream";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitLines } from "./lines.ts";

async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of splitLines(Readable.from(chunks))) lines.push(line);
  return lines;
}

describe("splitLines", () => {
  it("gives the same lines wherever the chunks are cut, within a character too", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("\n"))),
        fc.array(fc.nat({ max: 200 })),
        async (lines, cuts) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
          const edges = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
          const chunks = edges.slice(1).map((end, at) => bytes.subarray(edges[at], end));
          expect(await linesOf(chunks)).toEqual(lines);
        },
      ),
    );
  });

  it("gives a last line that has no end, and no empty ones", async () => {
    expect(await linesOf([Buffer.from("a\n\nb")])).toEqual(["a", "b"]);
  });

  it("refuses a line that does not end", async () => {
    const chunk = Buffer.alloc(8 * 1024 * 1024, "x");
    await expect(linesOf([chunk, chunk, chunk, chunk, chunk])).rejects.toThrow("does not end");
  });
});
