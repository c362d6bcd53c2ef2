import { describe, expect, test } from "vitest";
import type { Schema } from "./schema.ts";
import { createStructure } from "./structure.ts";

const told = (schema: Schema, value: unknown): string[] =>
  createStructure(schema)(value).map(({ place, message }) => `${place.join(".")}: ${message}`);

describe("types", () => {
  test.each([
    [{ type: "string" }, 5, "must be a string (in quotes), not a whole number"],
    [{ type: "integer" }, "5", "must be a whole number, not a string (in quotes)"],
    [{ type: "integer" }, 1.5, "must be a whole number, not a number"],
    [{ type: "boolean" }, "true", "must be true or false, not a string (in quotes)"],
    [{ type: "array" }, {}, "must be a list, not an object"],
    [{ type: "object" }, null, "must be an object, not null"],
    [{ "x-kubernetes-int-or-string": true }, 1.5, "must be a whole number or a string (in quotes), not a number"],
  ] as const)("%j does not take %j", (schema, value, message) => {
    expect(told(schema, value)).toEqual([`: ${message}`]);
  });

  test("a number may be a whole one however it is written, up to 64 bits", () => {
    expect(told({ type: "integer", format: "int32" }, 2 ** 40)).toEqual([]);
    expect(told({ type: "integer" }, 1e20)).toEqual([": must be a whole number of at most 64 bits"]);
  });
});

describe("bounds", () => {
  test("lengths are of code points", () => {
    expect(told({ type: "string", maxLength: 2 }, "😀😀")).toEqual([]);
    expect(told({ type: "string", maxLength: 2 }, "😀😀😀")).toEqual([": is too long: at most 2 characters"]);
    expect(told({ type: "string", maxLength: 1 }, "ab")).toEqual([": is too long: at most 1 character"]);
    expect(told({ type: "string", minLength: 1 }, "")).toEqual([": must not be empty"]);
    expect(told({ type: "string", minLength: 2 }, "a")).toEqual([": is too short: at least 2 characters"]);
  });

  test("lists, maps and numbers", () => {
    expect(told({ type: "array", minItems: 1 }, [])).toEqual([": needs at least 1 item"]);
    expect(told({ type: "array", maxItems: 1 }, [1, 2])).toEqual([": has too many items: at most 1"]);
    const map: Schema = { type: "object", maxProperties: 1, additionalProperties: { type: "string" } };
    expect(told(map, { a: "", b: "" })).toEqual([": has too many entries: at most 1"]);
    expect(told({ type: "integer", minimum: 1, maximum: 2 }, 0)).toEqual([": must be 1 or more"]);
    expect(told({ type: "integer", minimum: 1, maximum: 2 }, 3)).toEqual([": must be 2 or less"]);
  });

  test("only what rules cannot be given blocks them", () => {
    const blocking = (schema: Schema, value: unknown): boolean[] =>
      createStructure(schema)(value).map((fault) => fault.blocking);
    expect(blocking({ type: "string", maxLength: 1 }, "ab")).toEqual([true]);
    expect(blocking({ type: "string" }, 1)).toEqual([true]);
    expect(blocking({ type: "string", enum: ["A"] }, "B")).toEqual([true]);
    expect(blocking({ type: "string", minLength: 1 }, "")).toEqual([false]);
    expect(blocking({ type: "string", pattern: "^a" }, "b")).toEqual([false]);
    expect(blocking({ type: "integer", minimum: 1 }, 0)).toEqual([false]);
  });
});

test("what is no time is told so once, and not by a pattern", () => {
  const time: Schema = { type: "string", format: "date-time", pattern: "^[0-9]{4}-" };
  expect(told(time, "tomorrow")).toEqual([": must be a time, as in: 2027-01-01T00:00:00Z"]);
});

test("an enum says what it knows, and cuts what it was given", () => {
  expect(told({ type: "string", enum: ["Same", "All"] }, "all")).toEqual([
    ': does not know "all"; use one of: Same, All; did you mean "All"?',
  ]);
  expect(told({ type: "string", enum: ["Same"] }, "x".repeat(100))).toEqual([
    `: does not know "${"x".repeat(40)}…"; use one of: Same`,
  ]);
});

test("places go through lists and maps, whatever the keys are", () => {
  const schema: Schema = {
    type: "object",
    properties: {
      list: { type: "array", items: { type: "object", required: ["a"], properties: { a: { type: "string" } } } },
      map: { type: "object", additionalProperties: { type: "string" } },
    },
  };
  const faults = createStructure(schema)({ list: [{ a: "" }, {}, { a: 1 }], map: { "a/b~c": 1, 0: 2 } });
  expect(faults.map(({ place }) => place)).toEqual([
    ["list", 1, "a"],
    ["list", 2, "a"],
    ["map", "0"],
    ["map", "a/b~c"],
  ]);
});

test("times must exist", () => {
  const time: Schema = { type: "string", format: "date-time" };
  expect(told(time, "2028-02-29T23:59:59.5+01:00")).toEqual([]);
  expect(told(time, "2027-02-29T00:00:00Z")).toEqual([": must be a time, as in: 2027-01-01T00:00:00Z"]);
});
