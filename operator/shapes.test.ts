import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createShapes } from "./shapes.ts";
import type { Json } from "./shapes.ts";

test("any value comes out as it went in, also as JSON", () => {
  const shapes = createShapes();
  const value = fc.oneof(fc.jsonValue({ noUnicodeString: false }), fc.constant(JSON.parse('{"__proto__":{"a":"b"}}')));
  fc.assert(
    fc.property(value as fc.Arbitrary<Json>, (put) => {
      const split = shapes.split(put);
      const text = JSON.stringify(split);
      expect(JSON.stringify(shapes.join(JSON.parse(text) as typeof split))).toBe(JSON.stringify(put));
    }),
    { numRuns: 1000 },
  );
});

test("what has the same shape differs in texts and numbers alone; what is undefined is not there", () => {
  const shapes = createShapes();
  expect(shapes.split({ name: "a", port: 80, more: [true, null], none: undefined })).toEqual([0, "a", 80]);
  expect(shapes.split({ name: "b", port: 81, more: [true, null] })).toEqual([0, "b", 81]);
  expect(shapes.split({ name: "b", port: 81, more: [false, null] })).toEqual([1, "b", 81]);
});

test("shapes of which there are many are not remembered for ever", () => {
  const shapes = createShapes();
  const known = shapes.split({ a: 1 });
  for (let at = 0; at < 5000; at += 1) {
    const put = { [`label-${at}`]: "x" };
    expect(shapes.join(shapes.split(put))).toEqual(put);
  }
  expect(shapes.split({ other: 1 })).toEqual([{ is: { other: 1 } }]);
  expect(shapes.join(known)).toEqual({ a: 1 });
});

test("nor are those of which a few are long", () => {
  const shapes = createShapes();
  const known = shapes.split({ a: 1 });
  const long = (at: number) => ({
    list: Array.from({ length: 1000 }, (_, index) => (index === at ? null : { name: index })),
  });
  const splits = Array.from({ length: 200 }, (_, at) => shapes.split(long(at)));
  expect(splits.filter(([shape]) => typeof shape === "number").length).toBeLessThan(100);
  for (const [at, split] of splits.entries()) expect(shapes.join(split)).toEqual(long(at));
  expect(shapes.join(known)).toEqual({ a: 1 });
});
