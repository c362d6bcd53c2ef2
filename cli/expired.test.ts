// Keys that expire: what is said of them, and when it is time to say it.
import { expect, test } from "vitest";
import type { ObjectResult } from "../operator/translate/result.ts";
import { withExpiry } from "./expired.ts";

const NOW = Date.UTC(2026, 0, 1);
const key = (name: string, expiresAt?: string): ObjectResult => ({
  kind: "VirtualKey",
  namespace: "default",
  name,
  uid: name,
  generation: 1,
  conditions: [{ type: "Accepted", status: "True", reason: "Accepted", message: "" }],
  fields: expiresAt === undefined ? {} : { expiresAt },
  rowId: `key/default/${name}`,
});
const reasons = (now: number, ...keys: ObjectResult[]): readonly unknown[] =>
  withExpiry(keys, now).results.map(({ conditions }) => conditions[0]?.reason);

test("a key is said to be expired from its time on, and the next one's time is told", () => {
  const keys = [key("never"), key("soon", "2026-01-01T00:00:05Z"), key("later", "2026-01-01T00:01:00Z")];
  expect(reasons(NOW, ...keys)).toEqual(["Accepted", "Accepted", "Accepted"]);
  expect(withExpiry(keys, NOW).again).toBe(5_000);
  expect(reasons(NOW + 5_000, ...keys)).toEqual(["Accepted", "Expired", "Accepted"]);
  expect(withExpiry(keys, NOW + 5_000).again).toBe(55_000);
  expect(withExpiry(keys, NOW + 60_000).again).toBeUndefined();
});
