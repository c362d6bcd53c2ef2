import { describe, expect, test } from "vitest";
import type { LabelSelector } from "./contract.ts";
import { selects } from "./selector.ts";

const labels = { domain: "booking", tier: "gold", empty: "" };

const cases: readonly (readonly [string, LabelSelector, boolean])[] = [
  ["an empty selector selects everything", {}, true],
  ["empty matchLabels too", { matchLabels: {}, matchExpressions: [] }, true],
  ["an equal label", { matchLabels: { domain: "booking" } }, true],
  ["all labels must be equal", { matchLabels: { domain: "booking", tier: "silver" } }, false],
  ["a missing label", { matchLabels: { region: "eu" } }, false],
  ["an empty value is a value", { matchLabels: { empty: "" } }, true],
  ["a name that every object inherits", { matchLabels: { toString: "x" } }, false],
  ["In", { matchExpressions: [{ key: "domain", operator: "In", values: ["search", "booking"] }] }, true],
  ["In with other values", { matchExpressions: [{ key: "domain", operator: "In", values: ["search"] }] }, false],
  ["In of a missing label", { matchExpressions: [{ key: "region", operator: "In", values: ["eu"] }] }, false],
  ["In without values", { matchExpressions: [{ key: "domain", operator: "In" }] }, false],
  ["NotIn", { matchExpressions: [{ key: "domain", operator: "NotIn", values: ["search"] }] }, true],
  [
    "NotIn that holds the value",
    { matchExpressions: [{ key: "domain", operator: "NotIn", values: ["booking"] }] },
    false,
  ],
  ["NotIn of a missing label", { matchExpressions: [{ key: "region", operator: "NotIn", values: ["eu"] }] }, true],
  [
    "NotIn without values is not valid",
    { matchExpressions: [{ key: "domain", operator: "NotIn", values: [] }] },
    false,
  ],
  ["Exists", { matchExpressions: [{ key: "tier", operator: "Exists" }] }, true],
  ["Exists of a missing label", { matchExpressions: [{ key: "region", operator: "Exists" }] }, false],
  ["Exists of an inherited name", { matchExpressions: [{ key: "constructor", operator: "Exists" }] }, false],
  [
    "Exists with values is not valid",
    { matchExpressions: [{ key: "tier", operator: "Exists", values: ["a"] }] },
    false,
  ],
  ["DoesNotExist", { matchExpressions: [{ key: "region", operator: "DoesNotExist" }] }, true],
  ["DoesNotExist of a label that is there", { matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] }, false],
  [
    "labels and expressions must both hold",
    { matchLabels: { domain: "booking" }, matchExpressions: [{ key: "region", operator: "Exists" }] },
    false,
  ],
];

describe("selects", () => {
  test.each(cases)("%s", (_name, selector, expected) => {
    expect(selects(selector, labels)).toBe(expected);
  });

  test("an operator of a newer release selects nothing", () => {
    const newer: unknown = { matchExpressions: [{ key: "domain", operator: "Like", values: ["book*"] }] };
    expect(selects(newer as LabelSelector, labels)).toBe(false);
  });
});
