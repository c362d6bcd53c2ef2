import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addDecimals, costOf, multiplyDecimals } from "./cost.ts";

describe("addDecimals", () => {
  test.each([
    ["0.1", "0.2", "0.3"],
    ["0.1", "0.20", "0.3"],
    ["1", "2", "3"],
    ["0.999", "0.001", "1"],
    ["99999999999999999999.01", "0.99", "100000000000000000000"],
    ["-0.5", "0.25", "-0.25"],
    ["0", "0.000", "0"],
    ["007", "0", "7"],
  ])("%s + %s = %s", (a, b, sum) => {
    expect(addDecimals(a, b)).toBe(sum);
  });

  test.each(["", "1e3", ".5", "5.", "NaN", "0x1", "1,5", " 1", "1.2.3"])("%j is no decimal", (text) => {
    expect(addDecimals(text, "1")).toBeUndefined();
    expect(addDecimals("1", text)).toBeUndefined();
  });

  test("is exact: adding and taking away again gives the same", () => {
    const decimal = fc
      .tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.stringMatching(/^[0-9]{0,12}$/))
      .map(([whole, fraction]) => (fraction === "" ? `${whole}` : `${whole}.${fraction}`));
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const sum = addDecimals(a, b) ?? "";
        expect(addDecimals(sum, `-${b}`)).toBe(addDecimals(a, "0"));
        expect(addDecimals(b, a)).toBe(sum);
      }),
    );
  });

  test("a thousand requests of 0.001 cost 1", () => {
    let total = "0";
    for (let request = 0; request < 1000; request++) total = addDecimals(total, "0.001") ?? "";
    expect(total).toBe("1");
  });
});

const usage = new Map([
  ["inputTokens", "1000"],
  ["pages", "2.5"],
]);

test("a product has no binary fractions", () => {
  expect(multiplyDecimals("0.1", "3")).toBe("0.3");
  expect(multiplyDecimals("0.00000125", "1234567")).toBe("1.54320875");
  expect(multiplyDecimals("1", "x")).toBeUndefined();
});

test.each([
  [{ pricePerRequest: "0.0020" }, { amount: "0.002", source: "request" }],
  [{ pricePerRequest: "0" }, { amount: "0", source: "request" }],
  [{ pricePerSecond: "0.1" }, { amount: "0.1234568", source: "time" }],
  [{ usagePrices: [{ unit: "inputTokens", price: "0.00000125" }] }, { amount: "0.00125", source: "usage" }],
  [
    {
      pricePerRequest: "0.002",
      pricePerSecond: "0.001",
      usagePrices: [
        { unit: "inputTokens", price: "0.000001" },
        { unit: "pages", price: "0.01" },
        { unit: "untold", price: "9" },
      ],
    },
    { amount: "0.029234568", source: "request+time+usage" },
  ],
  [
    { pricePerRequest: "1", usagePrices: [{ unit: "untold", price: "9" }] },
    { amount: "1", source: "request" },
  ],
  [{ usagePrices: [{ unit: "untold", price: "9" }] }, undefined],
  [{}, undefined],
  [{ pricePerRequest: "free" }, undefined],
])("%j costs %j", (row, cost) => {
  expect(costOf(row, 1234.568, usage)).toEqual(cost);
});
