import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KeyRow, Row, StreamLine } from "./contract.ts";
import { decodeLine, encodeLine, encodePut, isUnknownLine, rowHash } from "./encode.ts";

const key: KeyRow = { uid: "u", generation: 1, sha256: "ab".repeat(32), owner: { user: "alice" }, agents: [] };
const version = "0f".repeat(32);

const lines: readonly Exclude<StreamLine, { type: "PUT" }>[] = [
  { type: "HELLO", gateway: "default", replica: "r-1" },
  { type: "HELLO", gateway: "default", replica: "r-1", holder: "r-2" },
  { type: "BATCH", replica: "r-1", sequence: 7, reset: true },
  { type: "BATCH", replica: "r-1", sequence: 8, reset: false, buckets: [0, 511, 1023] },
  { type: "REMOVE", id: "key/ns/alice" },
  { type: "COMMIT", replica: "r-1", sequence: 7, lines: 2, rows: 1, version },
  { type: "HEARTBEAT", replica: "r-1", sequence: 7, version },
  { type: "HEARTBEAT", replica: "r-1", sequence: 0, version, holder: "r-1" },
  { type: "HEARTBEAT", replica: "r-1", sequence: 0, version, reach: { Secret: 7, VirtualKey: 9 } },
  { type: "COMMIT", replica: "r-1", sequence: 7, lines: 2, rows: 1, version, reach: {} },
];

describe("canonical form", () => {
  test("is fixed", () => {
    expect(encodePut("key/ns/alice", key)).toBe(
      `{"id":"key/ns/alice","row":{"agents":[],"generation":1,"owner":{"user":"alice"},"sha256":"${"ab".repeat(32)}","uid":"u"},"type":"PUT"}`,
    );
    expect(encodeLine({ type: "BATCH", replica: "r", sequence: 1, reset: false })).toBe(
      `{"replica":"r","reset":false,"sequence":1,"type":"BATCH"}`,
    );
  });

  test("does not depend on the order in which members were made, at any depth", () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([name, member]) => [name, shuffled(member)]),
      );
    };
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (row) => {
        expect(encodePut("x", shuffled(row) as Row)).toBe(encodePut("x", row as unknown as Row));
      }),
    );
  });

  test("reads back as the same row, and encodes to the same bytes again", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ noUnicodeString: false })), (members) => {
        const row = members as unknown as Row;
        const line = encodePut("x/y", row);
        expect(line).not.toContain("\n");
        const read = decodeLine(line);
        if (read?.type !== "PUT") throw new Error("not read as a PUT");
        expect(JSON.stringify(sorted(read.row))).toBe(JSON.stringify(sorted(row)));
        expect(encodePut(read.id, read.row)).toBe(line);
      }),
    );
  });

  test("leaves out members that are undefined", () => {
    const row: unknown = { labels: { a: "b" }, other: undefined };
    expect(encodePut("namespace/x", row as Row)).toBe('{"id":"namespace/x","row":{"labels":{"a":"b"}},"type":"PUT"}');
  });
});

describe("decodeLine", () => {
  test.each(lines)("reads back $type", (line) => {
    expect(decodeLine(encodeLine(line))).toStrictEqual(line);
  });

  test("passes over members that it does not know", () => {
    expect(decodeLine('{"type":"REMOVE","id":"a","later":{"x":1}}')).toStrictEqual({ type: "REMOVE", id: "a" });
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    '"PUT"',
    "{}",
    '{"type":"put","id":"a","row":{}}',
    '{"type":"PUT","id":"a"}',
    '{"type":"PUT","id":"a","row":[]}',
    '{"type":"PUT","id":"a","row":null}',
    '{"type":"PUT","id":"","row":{}}',
    '{"type":"PUT","id":7,"row":{}}',
    '{"type":"REMOVE"}',
    '{"type":"BATCH","replica":"r","sequence":-1,"reset":true}',
    '{"type":"BATCH","replica":"r","sequence":1.5,"reset":true}',
    '{"type":"BATCH","replica":"r","sequence":9007199254740993,"reset":true}',
    '{"type":"BATCH","replica":"r","sequence":1,"reset":"true"}',
    '{"type":"BATCH","replica":"r","sequence":1,"reset":false,"buckets":[1024]}',
    '{"type":"BATCH","replica":"r","sequence":1,"reset":false,"buckets":7}',
    '{"type":"HELLO","gateway":"default"}',
    '{"type":"HELLO","gateway":"default","replica":"r","holder":1}',
    `{"type":"COMMIT","replica":"r","sequence":1,"lines":0,"rows":0,"version":"${"0F".repeat(32)}"}`,
    `{"type":"COMMIT","replica":"r","sequence":1,"lines":"0","rows":0,"version":"${version}"}`,
    '{"type":"HEARTBEAT","replica":"r","sequence":1,"version":""}',
    `{"type":"HEARTBEAT","replica":"r","sequence":1,"version":"${version}","reach":{"Secret":"7"}}`,
    `{"type":"COMMIT","replica":"r","sequence":1,"lines":0,"rows":0,"version":"${version}","reach":7}`,
  ])("refuses %s", (text) => {
    expect(decodeLine(text)).toBeUndefined();
  });

  test("never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => decodeLine(text)).not.toThrow();
      }),
    );
  });
});

test("a line of a later release is told from a broken one", () => {
  expect(isUnknownLine('{"type":"GOODBYE"}')).toBe(true);
  expect(isUnknownLine('{"type":"PUT"}')).toBe(false);
  expect(isUnknownLine('{"type":7}')).toBe(false);
  expect(isUnknownLine("{")).toBe(false);
});

test("the hash covers the id and every byte of the line", () => {
  const line = encodePut("key/ns/alice", key);
  expect(rowHash("key/ns/alice", line)).toBe(createHash("sha256").update(`key/ns/alice\n${line}`).digest("latin1"));
  expect(rowHash("key/ns/alice", line)).not.toBe(rowHash("key/ns/alicf", line));
  expect(rowHash("key/ns/alice", line)).not.toBe(rowHash("key/ns/alice", `${line} `));
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, sorted(member)]);
}
