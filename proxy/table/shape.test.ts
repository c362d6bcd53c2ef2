import { describe, expect, test } from "vitest";
import { choose, flag, integer, list, object, oneOf, optional, shaped, text, texts, where } from "./shape.ts";

interface Point {
  readonly x: number;
  readonly tags?: readonly { readonly name: string }[];
}
const point = object<Point>({ x: integer(0, 9), tags: optional(list(object<{ name: string }>({ name: text() }))) });

describe("a value that fits", () => {
  test("is given back itself when nothing in it is unknown", () => {
    const value = { tags: [{ name: "a" }, { name: "b" }], x: 1 };
    const result = shaped(point, value);
    expect(result.ok && result.value).toBe(value);
  });

  test("loses what is unknown, at any depth, and is itself left alone", () => {
    const value = { x: 1, tags: [{ name: "a" }, { name: "b", more: 1 }], more: {} };
    const before = structuredClone(value);
    expect(shaped(point, value)).toStrictEqual({ ok: true, value: { x: 1, tags: [{ name: "a" }, { name: "b" }] } });
    expect(value).toStrictEqual(before);
  });

  test("has only members of its own", () => {
    const value: unknown = JSON.parse('{"x":1,"__proto__":{"tags":[]}}');
    expect(shaped(point, value)).toStrictEqual({ ok: true, value: { x: 1 } });
    expect(shaped(object<{ toString: string }>({ toString: text() }), {})).toMatchObject({ ok: false });
  });
});

test.each([
  [point, 7, "must be an object"],
  [point, {}, "x: is missing"],
  [point, { x: 10 }, "x: must be 0 to 9"],
  [point, { x: 1, tags: {} }, "tags: must be a list"],
  [point, { x: 1, tags: [{ name: "a" }, { name: 2 }] }, "tags[1].name: must be a string"],
  [integer(1), 0, "must be an integer from 1"],
  [integer(1), 1.5, "must be an integer from 1"],
  [integer(1), 2 ** 53, "must be an integer from 1"],
  [flag, "true", "must be true or false"],
  [oneOf("a", "b"), "c", "must be a or b"],
  [oneOf(true), false, "must be true"],
  [texts, { a: "b", c: 1 }, "must hold strings only"],
  [texts, ["a"], "must be an object"],
  [text((value) => value !== "", "must not be empty"), "", "must not be empty"],
  [where(point, ({ x }) => (x === 3 ? "must not be three" : undefined)), { x: 3 }, "must not be three"],
  [choose(() => point), "x", "must be an object"],
] as const)("what does not fit is told by place and rule %#", (read, value, reason) => {
  expect(shaped<unknown>(read, value)).toStrictEqual({ ok: false, reason });
});
