import { expect, test } from "vitest";
import type { SecretObject } from "./objects.ts";
import { refOf } from "./objects.ts";
import { packSecret, unpackSecret } from "./packed-secret.ts";
import { createStore } from "./store.ts";
import { tokenFacts } from "./token-facts.ts";

function secretOf(more: Partial<SecretObject> = {}, metadata: Partial<SecretObject["metadata"]> = {}): SecretObject {
  return {
    kind: "Secret",
    metadata: {
      namespace: "team",
      name: "alice-key",
      uid: "uid-1",
      generation: 0,
      resourceVersion: "7",
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: {},
      ...metadata,
    },
    credential: "key",
    controller: "uid-alice",
    data: {},
    tokens: { token: tokenFacts("sk-0123456789012345678901234567890123456789") },
    ...more,
  };
}
const ref = refOf("Secret", "team", "alice-key");

test.each([
  ["a token", secretOf()],
  ["no owner", secretOf({ controller: "" })],
  ["no token", secretOf({ tokens: {} })],
  [
    "several tokens, with faults",
    secretOf({ tokens: { a: tokenFacts("short"), b: tokenFacts(" blank "), c: tokenFacts("é") } }),
  ],
  ["an owner's uid with quotes and line breaks", secretOf({ controller: 'uid"\n\\,[]' })],
  ["a key that objects have of themselves", secretOf({ tokens: Object.fromEntries([["__proto__", tokenFacts("x")]]) })],
])("%s: comes out as it went in", (_, secret) => {
  const packed = packSecret(secret);
  expect(unpackSecret(ref, packed ?? "")).toStrictEqual(secret);
});

test.each([
  ["an upstream credential", secretOf({ credential: "upstream" })],
  ["one from a file", { ...secretOf(), controller: undefined }],
  ["values that are kept", secretOf({ data: { token: "x" } })],
  ["one that is being deleted", secretOf({}, { deletionTimestamp: "2026-01-02T00:00:00Z" })],
  ["labels", secretOf({}, { labels: { a: "b" } })],
  [
    "tokens of many keys",
    secretOf({ tokens: Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`t${n}`, tokenFacts(`sk-${n}`)])) }),
  ],
])("%s: is kept as it is", (_, secret) => {
  expect(packSecret(secret as SecretObject)).toBeUndefined();
});

test("a store gives what it was given, by every way to it", () => {
  const store = createStore({ gatewayName: "default" });
  const secret = secretOf();
  expect(store.set(secret)).toBe(true);
  expect(store.get(ref)).toStrictEqual(secret);
  expect(store.find("Secret", "team", "alice-key")).toStrictEqual(secret);
  expect([...store.list("Secret")]).toStrictEqual([secret]);
  expect([
    store.has(secretOf()),
    store.has(secretOf({}, { resourceVersion: "8" })),
    store.has(secretOf({}, { uid: "other" })),
  ]).toEqual([true, false, false]);
  expect(store.set(secretOf({}, { resourceVersion: "8" }))).toBe(false);
  expect(store.set(secretOf({ tokens: { token: tokenFacts("sk-9876543210987654321098765432109876543210") } }))).toBe(
    true,
  );
  expect(store.delete(ref)).toBe(true);
  expect(store.find("Secret", "team", "alice-key")).toBeUndefined();
});
