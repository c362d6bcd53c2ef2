import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { AgentObject, KeyObject, SecretObject } from "./objects.ts";
import { createPacker, isOf } from "./packed.ts";
import type { PackedObject } from "./packed.ts";
import { listTokens } from "./token-facts.ts";
import { anyObject } from "./translate/histories.test-support.ts";
import { agent, key } from "./translate/objects.test-support.ts";

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
    tokens: listTokens({ token: "sk-0123456789012345678901234567890123456789" }),
    ...more,
  };
}
const condition = (type: string, more = {}) => ({
  type,
  status: "True" as const,
  reason: type,
  message: "Fine.",
  observedGeneration: 3,
  lastTransitionTime: "2026-01-01T00:00:00Z",
  ...more,
});
const { observedGeneration: _, ...ungenerated } = condition("Ready");
const PLAIN: ReadonlySet<string> = new Set(["Service", "EndpointSlice", "Namespace"]);
const packer = createPacker();
const again = (object: PackedObject): unknown => {
  const { namespace, name } = object.metadata;
  return packer.unpack(object.kind, namespace, name, packer.pack(object));
};

test.each<[string, AgentObject | KeyObject | SecretObject]>([
  ["a token", secretOf()],
  ["no owner", secretOf({ controller: "" })],
  ["several tokens", secretOf({ tokens: listTokens({ a: "short", b: " blank ", c: "é" }) })],
  ["labels with the marks of a text", agent({ metadata: { labels: { a: "\u0001\u001f1" } } })],
  ["an owner's uid with quotes and line breaks", secretOf({ controller: 'uid"\n\\,[]' })],
  ["a key that objects have of themselves", secretOf({ tokens: listTokens(Object.fromEntries([["__proto__", "x"]])) })],
  ["an upstream credential", secretOf({ credential: "upstream", data: { token: "é" } })],
  ["one that is being deleted", secretOf({}, { deletionTimestamp: "2026-01-02T00:00:00Z" })],
  ["labels", agent({ metadata: { labels: { a: "b" } } })],
  ["a status without conditions", agent({}, {}, { url: "/a2a/x" })],
  ["an empty status", agent({}, {}, {})],
  ["no conditions", agent({}, {}, { conditions: [] })],
  ["conditions", agent({}, {}, { url: "/a2a/x", conditions: [condition("Ready"), condition("Accepted")] })],
  [
    "conditions of other times and generations",
    agent(
      {},
      {},
      {
        conditions: [
          condition("Ready"),
          condition("Accepted", { lastTransitionTime: "2026-01-02T00:00:00Z" }),
          ungenerated,
          condition("Programmed", { lastTransitionTime: "2026-01-02T00:00:00Z" }),
          condition("ResolvedRefs", { observedGeneration: 2 }),
        ],
      },
    ),
  ],
  ["a condition of no generation", { ...key(), status: { conditions: [ungenerated, condition("Ready")] } }],
])("%s: comes out as it went in", (_, object) => {
  expect(again(object)).toStrictEqual(object);
});

/** As JSON gives it: of no other prototypes. */
const parsed = (object: PackedObject): PackedObject => JSON.parse(JSON.stringify(object)) as PackedObject;

test("any object comes out as it went in", () => {
  const packable = anyObject.filter((object): object is PackedObject => !PLAIN.has(object.kind)).map(parsed);
  expect(() => fc.assert(fc.property(packable, (object) => isDeepStrictEqual(again(object), object)))).not.toThrow();
});

test("wordings that are said no second time are not remembered for ever", () => {
  const said = (at: number) => agent({}, {}, { conditions: [condition("Ready", { message: `Missing: ${at}.` })] });
  for (let at = 0; at < 3000; at++) expect(again(said(at))).toStrictEqual(said(at));
  expect(packer.pack(said(2999)).length).toBeGreaterThan(packer.pack(said(0)).length + 20);
});

test("a text tells by its beginning whose it is", () => {
  const text = packer.pack(secretOf());
  expect([
    isOf(text, { uid: "uid-1", resourceVersion: "7" }),
    isOf(text, { uid: "uid-1", resourceVersion: "77" }),
    isOf(text, { uid: "uid-1", resourceVersion: "" }),
    isOf(text, { uid: "other", resourceVersion: "7" }),
  ]).toEqual([true, false, false, false]);
});
