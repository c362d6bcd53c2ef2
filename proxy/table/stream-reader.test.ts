import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RowChange, RowId } from "./contract.ts";
import { createDigest } from "./digest.ts";
import { encodeLine, encodePut, rowHash } from "./encode.ts";
import { agentRow, changes, keyRow } from "./rows.test-support.ts";
import { createStreamReader, type Step } from "./stream-reader.ts";
import { createTable } from "./table.ts";

const replica = "r-1";
const hello = encodeLine({ type: "HELLO", gateway: "default", replica });

/** A whole stream: greeting, a whole table, batches upon it, a heartbeat after each. `versions`: after each batch. */
function streamOf(history: readonly (readonly RowChange[])[]): { lines: string[]; versions: string[] } {
  const digest = createDigest();
  const lines = [hello];
  const versions: string[] = [];
  for (const [index, batch] of history.entries()) {
    const sequence = index + 1;
    lines.push(encodeLine({ type: "BATCH", replica, sequence, reset: index === 0 }));
    for (const { id, row } of batch) {
      const line = row === null ? encodeLine({ type: "REMOVE", id }) : encodePut(id, row);
      if (row === null) digest.delete(id);
      else digest.set(id, rowHash(id, line));
      lines.push(line);
    }
    const version = digest.version();
    const rows = digest.size();
    lines.push(encodeLine({ type: "COMMIT", replica, sequence, lines: batch.length, rows, version }));
    lines.push(encodeLine({ type: "HEARTBEAT", replica, sequence, version }));
    versions.push(version);
  }
  return { lines, versions };
}

/** Reads lines up to the first that ends the stream. */
function read(lines: readonly string[]): {
  steps: Step[];
  fault: string | undefined;
  version: string;
  ids: Set<RowId>;
} {
  const table = createTable();
  const reader = createStreamReader({ table, lastGood: undefined, gateway: "default" });
  const steps: Step[] = [];
  for (const line of lines) {
    const step = reader.line(line);
    if (step instanceof Promise) throw new Error("no batch here is large");
    steps.push(step);
    if (step.step === "Fault") return { steps, fault: step.fault, version: table.version, ids: idsOf(table.dump()) };
  }
  reader.end();
  return { steps, fault: undefined, version: table.version, ids: idsOf(table.dump()) };
}

const idsOf = (dump: Iterable<{ readonly id: RowId }>): Set<RowId> => new Set([...dump].map(({ id }) => id));

const first: readonly RowChange[] = [
  { id: "agent/agents/travel", row: agentRow() },
  { id: "key/agents/alice", row: keyRow("sk-alice") },
];

describe("a stream", () => {
  test("is greeted, applied, and found current", () => {
    const { lines, versions } = streamOf([first, [{ id: "key/agents/alice", row: null }]]);
    const { steps, version } = read(lines);
    expect(steps.filter(({ step }) => step !== "None").map(({ step }) => step)).toStrictEqual([
      "Greeted",
      "Applied",
      "Current",
      "Applied",
      "Current",
    ]);
    expect(version).toBe(versions[1]);
  });

  test.each<[string, (lines: readonly string[]) => readonly string[]]>([
    ["FirstLineNotHello", (lines) => lines.slice(1)],
    ["Malformed", () => ['{"type":"NOTE"}']],
    ["Malformed", () => [hello, ""]],
    ["SecondHello", () => [hello, hello]],
    ["LineOutsideBatch", (lines) => lines.toSpliced(1, 1)],
    ["LineOutsideBatch", (lines) => lines.toSpliced(1, 3)],
    ["BatchInsideBatch", (lines) => lines.toSpliced(4, 2)],
    ["HeartbeatInsideBatch", (lines) => lines.toSpliced(4, 1)],
    ["LineCount", (lines) => lines.toSpliced(3, 1)],
    ["SequenceNotRising", (lines) => lines.concat(lines.slice(6, 7))],
    ["HeartbeatSequence", (lines) => lines.concat(lines.slice(5, 6))],
    ["HeartbeatVersion", (lines) => lines.toSpliced(1, 4)],
    ["HeartbeatVersion", (lines) => lines.with(5, lines[5]?.replace(/"version":"..../, '"version":"0000') ?? "")],
  ])("ends with %s %#", (fault, mangle) => {
    const { lines } = streamOf([first, [{ id: "key/agents/alice", row: null }]]);
    expect(read(mangle(lines)).fault).toBe(fault);
  });
});

describe("whatever happens to its lines", () => {
  type Damage = (lines: readonly string[], at: number, other: number) => string[];
  const damages: Record<string, Damage> = {
    dropped: (lines, at) => lines.toSpliced(at, 1),
    doubled: (lines, at) => lines.toSpliced(at, 0, lines[at] ?? ""),
    swapped: (lines, at, other) => lines.with(at, lines[other] ?? "").with(other, lines[at] ?? ""),
    flipped: (lines, at, other) => {
      const bytes = Buffer.from(lines[at] ?? "");
      const byte = other % bytes.length;
      bytes.writeUInt8((bytes[byte] ?? 0) ^ (1 << (other % 8)), byte);
      // A flip may make a newline: then it is two lines.
      return lines.toSpliced(at, 1, ...bytes.toString("utf8").split("\n"));
    },
    "cut out": (lines, at, other) => lines.toSpliced(Math.min(at, other), Math.abs(at - other)),
  };

  test.each(Object.entries(damages))("%s: it is a fault, or the table is right all the same", (_name, damage) => {
    fc.assert(
      fc.property(fc.array(changes(6), { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(), (history, a, b) => {
        const { lines, versions } = streamOf(history);
        const damaged = damage(lines, a % lines.length, b % lines.length);
        const { fault, version } = read(damaged);
        const empty = createDigest().version();
        // At every moment the table is one that the operator had.
        expect([empty, ...versions]).toContain(version);
        // Without a fault it is the newest that the stream spoke of.
        const spoken = damaged.findLast((line) => lines.includes(line) && line.includes('"version"')) ?? empty;
        expect(fault === undefined && !spoken.includes(version)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});
