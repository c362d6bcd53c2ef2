import { describe, expect, it } from "vitest";
import { decodeLine } from "../../proxy/table/encode.ts";
import { createBatch } from "./batch.ts";
import type { Batch } from "./batch.ts";

const state = { replica: "r", sequence: 7, version: "0".repeat(64), rows: 3 };
const line = (at: number): string => JSON.stringify({ id: `key/${at}`, type: "REMOVE", pad: "x".repeat(1_000) });
const many = Array.from({ length: 10_000 }, (_, at) => line(at));

function piecesOf(batch: Batch): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; ; at++) {
    const piece = batch.piece(at);
    if (piece === undefined) return pieces;
    pieces.push(piece);
    expect(batch.isLast(at)).toBe(batch.piece(at + 1) === undefined);
  }
}

describe("createBatch", () => {
  it("is BATCH, the lines and COMMIT, in one piece if they fit", () => {
    const [piece, ...others] = piecesOf(createBatch("buckets", state, [line(1)], [3, 9]));
    expect(others).toEqual([]);
    const lines = String(piece).trimEnd().split("\n").map(decodeLine);
    expect(lines.map((one) => one?.type)).toEqual(["BATCH", "REMOVE", "COMMIT"]);
    expect(lines[0]).toMatchObject({ sequence: 7, reset: false, buckets: [3, 9] });
    expect(lines[2]).toMatchObject({ lines: 1, rows: 3 });
  });

  it("gives each piece to all who come for it, encoded once, and once more to whoever is far behind", () => {
    const batch = createBatch("snapshot", state, many);
    const first = batch.piece(0);
    expect(batch.piece(0)).toBe(first);
    const pieces = piecesOf(batch);
    expect(pieces.length).toBeGreaterThan(100);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(70_000);
    expect(batch.piece(0)).not.toBe(first);
    expect(batch.piece(0)).toEqual(first);
    const texts = Buffer.concat(pieces).toString().trimEnd().split("\n");
    expect(texts.slice(1, -1)).toEqual(many);
  });
});
