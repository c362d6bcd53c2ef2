import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createKeyObjects } from "./key-objects.ts";
import { hashOfSha256, hashOfText, hasSha256, packKey, unpackKey, unpackRow } from "./packed-key.ts";
import { keyRow, sha256Of } from "./rows.test-support.ts";

const anyRow = fc
  .record(
    {
      uid: fc.oneof(fc.uuid(), fc.string({ minLength: 1 })),
      generation: fc.maxSafeNat(),
      owner: fc.record(
        { user: fc.string({ unit: "grapheme" }), team: fc.string() },
        { requiredKeys: [], noNullPrototype: true },
      ),
      requires: fc.array(fc.string()),
      operations: fc.array(fc.constantFrom("SendMessage", "GetTask")),
      expiresAt: fc.constant("2027-01-01T00:00:00Z"),
      disabled: fc.constant(true as const),
      loopbackOnly: fc.constant(true as const),
    },
    { requiredKeys: ["uid", "generation", "owner"], noNullPrototype: true },
  )
  .chain((over) => fc.string().map((token) => keyRow(token, over)));

test("a row that was packed is the same again, whatever is in it", () => {
  fc.assert(
    fc.property(anyRow, fc.string(), (row, other) => {
      const packed = packKey(row);
      expect(unpackRow(packed)).toStrictEqual(row);
      expect(unpackRow(packed).agents).toBe(row.agents);
      expect(hashOfText(packed.text)).toBe(hashOfSha256(row.sha256));
      expect(hasSha256(packed.text, row.sha256)).toBe(true);
      expect(hasSha256(packed.text, sha256Of(other))).toBe(sha256Of(other) === row.sha256);
    }),
  );
});

test("a key is told by its row", () => {
  const row = keyRow("sk-a", { expiresAt: "2027-01-01T00:00:00Z", operations: ["GetTask"] });
  const expiresAt = Date.UTC(2027, 0, 1);
  const key = { id: "ns/a", namespace: "ns", row, expiresAt, operations: new Set(["GetTask"]) };
  expect(unpackKey("key/ns/a", packKey(row))).toStrictEqual(key);
  expect(unpackKey("key/ns/a", packKey(keyRow("sk-a")))).toMatchObject({ expiresAt: Infinity, operations: undefined });
});

test("a key that is asked for again is the same object while it is used, and no other key's", () => {
  const objects = createKeyObjects();
  const [packed, other] = [packKey(keyRow("sk-a")), packKey(keyRow("sk-b"))];
  const [first, used] = [objects("key/ns/a", packed), objects("key/ns/b", other)];
  expect(first).toStrictEqual(unpackKey("key/ns/a", packed));
  expect(objects("key/ns/a", { ...packed })).toBe(first);
  expect(objects("key/other/a", packed)).toMatchObject({ id: "other/a", namespace: "other" });
  expect(objects("key/ns/a", { ...packed, agents: [] }).row.agents).toStrictEqual([]);

  for (let round = 0; round < 3; round += 1) {
    for (let n = 0; n < 4000; n += 1) objects(`key/${round}/${n}`, packKey(keyRow(`sk-${round}-${n}`)));
    expect(objects("key/ns/b", other)).toBe(used);
  }
  const again = objects("key/ns/a", packed);
  expect(again).not.toBe(first);
  expect(again).toStrictEqual(first);
});
