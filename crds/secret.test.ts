import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { validateSecret } from "./secret.ts";

const secret = (members: object): unknown => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "a" },
  ...members,
});
const faultsOf = (object: unknown): string[] => {
  const result = validateSecret(object);
  return result.ok ? [] : result.faults.map(({ path, message }) => `${path}: ${message}`);
};

describe("values", () => {
  test("are decoded, and stringData stands over data", () => {
    const result = validateSecret(secret({ data: { a: "YQ==", b: "Yg==" }, stringData: { b: "new" }, type: "Opaque" }));
    expect(result).toEqual({
      ok: true,
      object: { apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, values: { a: "a", b: "new" } },
    });
  });

  test("any text comes back as it went in", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const both = { data: { a: Buffer.from(text).toString("base64") }, stringData: { b: text } };
        const result = validateSecret(secret(both));
        expect(result.ok && result.object.values).toEqual({ a: text, b: text });
      }),
    );
  });

  test("line breaks in base64 are passed over", () => {
    const result = validateSecret(secret({ data: { a: "c2Vj\ncmV0\r\n" } }));
    expect(result.ok && result.object.values).toEqual({ a: "secret" });
  });

  test("absent and null members are none", () => {
    const result = validateSecret(secret({ data: null, stringData: { a: null }, type: null, immutable: null }));
    expect(result.ok && result.object.values).toEqual({ a: "" });
  });
});

describe("faults", () => {
  test("are told all at once, and show no value", () => {
    const faults = faultsOf({
      apiVersion: "v2",
      kind: "secret",
      metadata: { name: "A" },
      data: { token: "sk-secret!", "a b": "YQ==" },
      stringData: { token: 5, "..": "x" },
      strngData: {},
      immutable: "yes",
      type: 1,
    });
    expect(faults).toEqual([
      "apiVersion: must be v1",
      "kind: must be Secret",
      'strngData: is not a known field; did you mean "stringData"?',
      "metadata.name: may hold lower-case letters, digits, '-' and '.', with a letter or digit at both ends",
      "type: must be a string (in quotes)",
      "immutable: must be true or false",
      "data[token]: is not base64; write the value itself under stringData",
      "data[a b]: the key may hold letters, digits, '-', '_' and '.', as in: token",
      "stringData[token]: must be a string (in quotes)",
      "stringData[..]: the key may hold letters, digits, '-', '_' and '.', as in: token",
    ]);
  });

  test.each([null, "x", [], 5])("%j is no object", (object) => {
    expect(faultsOf(object)).toEqual([": must be an object"]);
  });

  test("data must be an object, of at most 1Mi in all", () => {
    expect(faultsOf(secret({ data: [] }))).toEqual(["data: must be an object of strings"]);
    const half = "x".repeat(512 * 1024);
    expect(faultsOf(secret({ stringData: { a: half, b: half } }))).toEqual([]);
    expect(faultsOf(secret({ stringData: { a: half, b: `${half}x` } }))).toEqual([
      "data: is too long: at most 1Mi in all",
    ]);
  });

  test("never throws", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (data, stringData) => {
        expect(validateSecret(secret({ data, stringData }))).toHaveProperty("ok");
      }),
    );
  });
});
