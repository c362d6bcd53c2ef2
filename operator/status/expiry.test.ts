import { describe, expect, it } from "vitest";
import type { ObjectResult } from "../translate/result.ts";
import { expiryFinding } from "./expiry.ts";

const END = Date.UTC(2027, 0, 1);
const result = (more: Partial<ObjectResult> = {}): ObjectResult => ({
  kind: "VirtualKey",
  namespace: "agents",
  name: "alice",
  uid: "u1",
  generation: 1,
  conditions: [{ type: "Accepted", status: "True", reason: "Accepted", message: "" }],
  fields: { expiresAt: "2027-01-01T00:00:00Z" },
  rowId: "key/agents/alice",
  ...more,
});

describe("expiryFinding", () => {
  it("says how long the key still has, a day at most", () => {
    expect(expiryFinding(result(), END - 5_000)).toEqual({ in: 5_000 });
    expect(expiryFinding(result(), END - 1e12)).toEqual({ in: 86_400_000 });
  });

  it("takes acceptance back from the very millisecond on", () => {
    const { finding } = expiryFinding(result(), END);
    expect(finding).toMatchObject({ type: "Accepted", status: "False", reason: "Expired" });
    expect(finding?.message).toContain("2027-01-01T00:00:00Z");
  });

  it("leaves an older complaint standing", () => {
    const conditions = [{ type: "Accepted", status: "False", reason: "Disabled", message: "" }] as const;
    expect(expiryFinding(result({ conditions }), END + 1)).toEqual({});
  });

  it.each([{ fields: {} }, { fields: { expiresAt: "soon" } }, { kind: "A2AAgent" as const }])(
    "has nothing to say (%#)",
    (more) => {
      expect(expiryFinding(result(more), END + 1)).toEqual({});
    },
  );
});
