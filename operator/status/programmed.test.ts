import { describe, expect, it } from "vitest";
import type { ProxyState } from "../publish/acks.ts";
import type { Finding } from "../translate/result.ts";
import { isProgrammed, judgeProgrammed, tally } from "./programmed.ts";

const proxy = (name: string, sequence: number | undefined, refused: Record<string, string> = {}): ProxyState => ({
  proxy: name,
  address: "",
  standby: false,
  connectedAt: 0,
  acked: sequence === undefined ? undefined : { sequence, version: "v", at: 0 },
  refused: new Map(Object.entries(refused)),
  refusedRows: 0,
});
const judge = (carried: Parameters<typeof judgeProgrammed>[0], sent: number, proxies: readonly ProxyState[]): Finding =>
  judgeProgrammed(carried, sent, tally(proxies));
const carried = { rowId: "agent/agents/travel", sequence: 5 };

describe("judgeProgrammed", () => {
  it("is true when every connected proxy has acknowledged the batch, or a later one", () => {
    expect(judge(carried, 7, [proxy("a", 5), proxy("b", 7)])).toMatchObject({
      status: "True",
      reason: "Programmed",
    });
  });

  it("names those that lag: three at most, and how many more", () => {
    const lagging = [proxy("a", 4), proxy("b", undefined), proxy("c", 1), proxy("d", 2), proxy("e", 5)];
    expect(judge(carried, 5, lagging)).toEqual({
      type: "Programmed",
      status: "False",
      reason: "NotApplied",
      message: "Not yet served by proxies a, b, c and 1 more.",
    });
    expect(judge(carried, 5, [proxy("a", 4), proxy("b", 5)]).message).toBe("Not yet served by proxy a.");
  });

  it("names who refuses the row and why, even if others lag", () => {
    const finding = judge(carried, 5, [proxy("a", 5, { "agent/agents/travel": "requires teleport" }), proxy("b", 1)]);
    expect(finding).toMatchObject({
      status: "False",
      reason: "RowRefused",
      message: "Refused by proxy a: requires teleport",
    });
    expect(judge(carried, 5, [proxy("a", 5, { "agent/agents/other": "x" })]).status).toBe("True");
  });

  it("is false while a proxy refuses more rows than it names: this one may be among them", () => {
    const refuses: ProxyState = { ...proxy("b", 5, { "agent/agents/other": "x" }), refusedRows: 101 };
    expect(judge(carried, 5, [proxy("a", 5), refuses])).toEqual({
      type: "Programmed",
      status: "False",
      reason: "RowRefused",
      message: "Proxy b refuses 101 rows and names 1 of them: this one may be among the others.",
    });
    const names: ProxyState = { ...refuses, refusedRows: 1 };
    expect(judge(carried, 5, [proxy("a", 5), names]).status).toBe("True");
  });

  it.each([
    [{ rowId: null, sequence: 5 }, 5, [proxy("a", 5)], "NotPublished"],
    [carried, 5, [], "NoProxies"],
    [carried, 4, [proxy("a", 4)], "Pending"],
  ] as const)("says why not (%#)", (what, sent, proxies, reason) => {
    expect(judge(what, sent, proxies)).toMatchObject({ status: "False", reason });
  });
});

describe("isProgrammed", () => {
  const status = (type: string, value: "True" | "False", observedGeneration: number) => ({
    conditions: [{ type, status: value, observedGeneration, reason: "x", message: "", lastTransitionTime: "" }],
  });
  it("holds for that generation only", () => {
    expect(isProgrammed(status("Programmed", "True", 3), 3)).toBe(true);
    expect(isProgrammed(status("Programmed", "True", 2), 3)).toBe(false);
    expect(isProgrammed(status("Programmed", "False", 3), 3)).toBe(false);
    expect(isProgrammed(status("Ready", "True", 3), 3)).toBe(false);
    expect(isProgrammed({}, 3)).toBe(false);
    expect(isProgrammed(undefined, 3)).toBe(false);
  });
});
