import { describe, expect, test } from "vitest";
import { createCel } from "./cel.ts";
import type { Place } from "./fault.ts";
import { checkRules } from "./rules.ts";
import type { Schema } from "./schema.ts";

const cel = createCel();
const rule = (text: string, fieldPath?: string): Schema => ({
  "x-kubernetes-validations": [{ rule: text, message: "broken", ...(fieldPath === undefined ? {} : { fieldPath }) }],
});
const check = (schema: Schema, value: unknown, blocked: (place: Place) => boolean = () => false): string[] =>
  checkRules(cel, schema, value, blocked).map(({ place, message }) => `${place.join(".")}: ${message}`);

const list: Schema = { type: "array", items: { type: "string", ...rule("self == 'good'") } };

describe("rules", () => {
  test("are asked of every value that has them", () => {
    const schema: Schema = { type: "object", properties: { list } };
    expect(check(schema, { list: ["good", "bad", "good", "worse"] })).toEqual(["list.1: broken", "list.3: broken"]);
    expect(check(schema, {})).toEqual([]);
    const map: Schema = { type: "object", additionalProperties: { type: "string", ...rule("self != ''") } };
    expect(check(map, { a: "", b: "x" })).toEqual(["a: broken"]);
  });

  test("say where the fault is", () => {
    const schema: Schema = { type: "object", properties: { a: { type: "string" } }, ...rule("has(self.a)", ".a") };
    expect(check(schema, {})).toEqual(["a: broken"]);
  });

  test("that cannot be run do not hold", () => {
    expect(check({ type: "object", properties: {}, ...rule("self.missing == 1") }, {})).toEqual([": broken"]);
  });

  test("are not asked of what is blocked", () => {
    expect(check(list, ["bad", "bad"], (place) => place[0] === 0)).toEqual(["1: broken"]);
  });
});

describe("lists", () => {
  test("a map has each key once", () => {
    const schema: Schema = {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: { type: "object", properties: { name: { type: "string" } } },
    };
    expect(check(schema, [{ name: "a" }, { name: "b" }, { name: "a" }])).toEqual([
      "2: has the name of one before it: each may stand once",
    ]);
    expect(check(schema, ["a", "a", null, null])).toEqual([]);
  });

  test("a set has each value once", () => {
    const schema: Schema = { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } };
    expect(check(schema, ["a", "b", "a", "a"])).toEqual([
      "2: is there already: each may stand once",
      "3: is there already: each may stand once",
    ]);
  });

  test("others may repeat", () => {
    expect(check({ type: "array", "x-kubernetes-list-type": "atomic", items: { type: "string" } }, ["a", "a"])).toEqual(
      [],
    );
  });
});
