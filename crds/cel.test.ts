import { describe, expect, test } from "vitest";
import { celValue, createCel } from "./cel.ts";
import { readSchemas, type Schema } from "./schema.ts";

const cel = createCel();
const holds = (rule: string, schema: Schema, value: unknown): boolean => cel.holds(rule, celValue(schema, value));

describe("values as rules see them", () => {
  test("integers are integers, also where a string may stand", () => {
    expect(holds("type(self) == int && self == 5", { type: "integer" }, 5)).toBe(true);
    expect(holds("type(self) == int", { "x-kubernetes-int-or-string": true }, 5)).toBe(true);
    expect(holds("type(self) == string", { "x-kubernetes-int-or-string": true }, "5")).toBe(true);
  });

  test("maps are ranged over by key, whatever the keys are", () => {
    const map: Schema = { type: "object", additionalProperties: { type: "string" } };
    const value: unknown = JSON.parse('{"__proto__":"a","constructor":"b"}');
    expect(holds("self.all(key, self[key].size() == 1) && self.size() == 2", map, value)).toBe(true);
    expect(holds("self.exists(key, key == 'constructor')", map, {})).toBe(false);
  });

  test("has() sees what is given, not what is null or unknown", () => {
    const object: Schema = { type: "object", properties: { a: { type: "string" }, namespace: { type: "string" } } };
    expect(holds("has(self.a)", object, { a: "x" })).toBe(true);
    expect(holds("has(self.a)", object, { a: null })).toBe(false);
    expect(holds("has(self.toString)", object, { toString: "x" })).toBe(false);
    expect(holds("has(self.__namespace__)", object, { namespace: "x" })).toBe(true);
  });

  test("of metadata only the name is seen", () => {
    const root: Schema = { type: "object", properties: { metadata: { type: "object" } } };
    const value = { metadata: { name: "a", labels: {} } };
    expect(holds("self.metadata.name == 'a'", root, value)).toBe(true);
    expect(holds("has(self.metadata.labels)", root, value)).toBe(false);
  });

  test("times are times", () => {
    const time: Schema = { type: "string", format: "date-time" };
    expect(holds("self.getFullYear() == 2027", time, "2027-06-01T00:00:00Z")).toBe(true);
    expect(() => holds("self.getFullYear() == 2027", time, ["2027"])).toThrow("getFullYear");
  });

  test("strings are as long as their code points", () => {
    expect(holds("self.size() == 2", { type: "string" }, "😀😀")).toBe(true);
  });
});

describe("libraries", () => {
  const text: Schema = { type: "string" };

  test.each([
    ["1Ki", "1024", 0],
    ["1k", "1Ki", -1],
    ["1Gi", "1024Mi", 0],
    ["1G", "1024M", -1],
    ["2", "1", 1],
  ])("quantity %s against %s is %d", (a, b, order) => {
    expect(holds(`quantity(self).compareTo(quantity('${b}')) == ${order}`, text, a)).toBe(true);
  });

  test("what is no quantity ends in an error", () => {
    expect(() => holds("quantity(self).compareTo(quantity('1')) == 0", text, "1.5x")).toThrow("not a quantity");
  });

  test("durations compare by length", () => {
    expect(holds("duration(self) == duration('90s')", text, "1m30s")).toBe(true);
    expect(holds("duration(self) <= duration('1h')", text, "59m60s1ms")).toBe(false);
  });

  test("a match is of the whole text only where the pattern says so", () => {
    expect(holds("self.matches('b')", text, "abc")).toBe(true);
    expect(holds("self.matches('^b$')", text, "b\n")).toBe(false);
  });
});

describe("rules", () => {
  test("a result that is no boolean does not hold", () => {
    expect(holds("self", { type: "string" }, "true")).toBe(false);
  });

  test("a rule that cannot be parsed throws", () => {
    expect(() => cel.holds("self ==", 1n)).toThrow("EOF");
  });

  test("every rule of the kinds can be parsed", () => {
    const parsed = readSchemas()
      .flatMap(({ schema }) => rules(schema))
      .map((rule) => {
        try {
          return cel.holds(rule, null);
        } catch (error) {
          if (error instanceof Error && error.name === "ParseError") throw error;
          return false;
        }
      });
    expect(parsed.length).toBeGreaterThan(60);
  });
});

function rules(schema: Schema): string[] {
  return [
    ...(schema["x-kubernetes-validations"] ?? []).map(({ rule }) => rule),
    ...Object.values(schema.properties ?? {}).flatMap(rules),
    ...[schema.items, schema.additionalProperties].flatMap((inner) => (inner === undefined ? [] : rules(inner))),
  ];
}
