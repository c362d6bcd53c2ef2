import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unknownFields, withDefaults } from "./defaults.ts";
import { pathOf } from "./fault.ts";
import { readSchemas, type Schema } from "./schema.ts";

const schema: Schema = {
  type: "object",
  properties: {
    name: { type: "string", default: "x" },
    inner: { type: "object", properties: { flag: { type: "boolean", default: true } } },
    list: { type: "array", items: { type: "object", properties: { a: { type: "string" } } } },
    map: { type: "object", additionalProperties: { type: "string" } },
  },
};

describe("defaults", () => {
  test("are put where nothing or null stands; no parent is made for them", () => {
    expect(withDefaults(schema, {})).toEqual({ name: "x" });
    expect(withDefaults(schema, { name: null, inner: {} })).toEqual({ name: "x", inner: { flag: true } });
    expect(withDefaults(schema, { name: "", inner: { flag: false } })).toEqual({ name: "", inner: { flag: false } });
  });

  test("members that are null go, items that are null stay", () => {
    expect(withDefaults(schema, { inner: null, list: [null, { a: null }], map: { a: null, b: "" } })).toEqual({
      name: "x",
      list: [null, {}],
      map: { b: "" },
    });
  });

  test("what is of a wrong type, or unknown, is kept for others to judge", () => {
    expect(withDefaults(schema, { name: 5, list: "x", other: null })).toEqual({ name: 5, list: "x", other: null });
    expect(withDefaults(schema, "x")).toBe("x");
  });

  test("applied twice they are as applied once, and the value given stays", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const before = JSON.stringify(value);
        const once = withDefaults(schema, value);
        expect(JSON.stringify(value)).toBe(before);
        expect(withDefaults(schema, once)).toEqual(once);
      }),
    );
  });
});

describe("unknown fields", () => {
  test("are found at any depth, each once", () => {
    const value = { nam: 1, list: [{ a: "", b: 1 }, "x"], map: { any: "" }, inner: { flag: { x: 1 } } };
    expect(unknownFields(schema, value)).toEqual([
      { place: ["nam"], name: "nam", known: ["name", "inner", "list", "map"] },
      { place: ["list", 0, "b"], name: "b", known: ["a"] },
    ]);
  });

  test("every kind takes its whole self", () => {
    for (const { schema: kind } of readSchemas()) expect(unknownFields(kind, { spec: {}, status: {} })).toEqual([]);
  });
});

test("paths are as the API server writes them", () => {
  expect(pathOf(schema, [])).toBe("");
  expect(pathOf(schema, ["list", 2, "a"])).toBe("list[2].a");
  expect(pathOf(schema, ["map", "example.com/a"])).toBe("map[example.com/a]");
  expect(pathOf(schema, ["unknown", "below"])).toBe("unknown.below");
  expect(pathOf(schema, ["map", `a\n${"b".repeat(100)}`])).toBe(`map[a?${"b".repeat(78)}…]`);
});
