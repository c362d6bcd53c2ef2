import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Condition } from "../../crds/types.ts";
import type { Finding } from "../translate/result.ts";
import { conditionEvents, mergeFindings, readyOf, toConditions } from "./conditions.ts";

const finding = (type: Finding["type"], status: Finding["status"], reason: string = type, message = ""): Finding => ({
  type,
  status,
  reason,
  message,
});
const NOW = Date.UTC(2026, 5, 1, 12, 0, 0, 345);

describe("readyOf", () => {
  it("is true when all that is needed is", () => {
    const findings = (["Accepted", "SecretReady", "ResolvedRefs", "Programmed"] as const).map((type) =>
      finding(type, "True"),
    );
    expect(readyOf(findings)).toEqual({ type: "Ready", status: "True", reason: "Ready", message: "" });
    expect(readyOf([...findings, finding("Discovered", "True"), finding("Conflicted", "True")]).status).toBe("True");
  });

  it("is false with a card that cannot be read, not with one that was not read yet", () => {
    const findings = (["Accepted", "ResolvedRefs", "Programmed"] as const).map((type) => finding(type, "True"));
    expect(readyOf([...findings, finding("Discovered", "False", "CardUnreachable", "No card.")])).toEqual({
      type: "Ready",
      status: "False",
      reason: "CardUnreachable",
      message: "No card.",
    });
    expect(readyOf([...findings, finding("Discovered", "Unknown", "Pending")]).status).toBe("True");
  });

  it("takes reason and message of the first that is not, in the order in which a person would look", () => {
    const findings = [
      finding("Programmed", "False", "NotPublished"),
      finding("ResolvedRefs", "Unknown", "Late"),
      finding("Accepted", "False", "InvalidValue", "timeouts.connect cannot be read."),
    ];
    expect(readyOf(findings)).toMatchObject({
      status: "False",
      reason: "InvalidValue",
      message: "timeouts.connect cannot be read.",
    });
    expect(readyOf(findings.slice(0, 2))).toMatchObject({ type: "Ready", status: "False", reason: "Late" });
  });
});

describe("mergeFindings", () => {
  it("lets later findings of a type take the place of earlier ones", () => {
    const merged = mergeFindings(
      [finding("Accepted", "True"), finding("Held", "True")],
      [],
      [finding("Accepted", "False", "Other")],
    );
    expect(merged).toEqual([finding("Accepted", "False", "Other"), finding("Held", "True")]);
  });
});

describe("toConditions", () => {
  const before: readonly Condition[] = [
    {
      type: "Accepted",
      status: "True",
      reason: "Accepted",
      message: "",
      observedGeneration: 1,
      lastTransitionTime: "2026-01-01T00:00:00Z",
    },
    { type: "Gone", status: "True", reason: "Gone", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" },
  ];

  it("keeps the time of a condition whose status stays, though reason, message and generation change", () => {
    const [accepted] = toConditions([finding("Accepted", "True", "Fine", "All good.")], before, 2, NOW);
    expect(accepted).toEqual({
      type: "Accepted",
      status: "True",
      reason: "Fine",
      message: "All good.",
      observedGeneration: 2,
      lastTransitionTime: "2026-01-01T00:00:00Z",
    });
  });

  it("stamps a condition that is new or has changed, in whole seconds, and drops one that is found no more", () => {
    const conditions = toConditions([finding("Accepted", "False"), finding("Discovered", "Unknown")], before, 2, NOW);
    expect(conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
      ["Accepted", "2026-06-01T12:00:00Z"],
      ["Discovered", "2026-06-01T12:00:00Z"],
    ]);
  });

  it("bounds messages", () => {
    const [condition] = toConditions([finding("Accepted", "False", "A", "x".repeat(5_000))], [], 1, NOW);
    expect(condition?.message).toMatch(/^x{1023}…$/);
  });

  it("gives the same again when nothing is found anew, whenever that is", () => {
    const findings = fc.uniqueArray(
      fc.record({
        type: fc.constantFrom("Accepted", "Held", "Ready"),
        status: fc.constantFrom("True", "False", "Unknown"),
        reason: fc.string(),
        message: fc.string(),
      }),
      { selector: ({ type }) => type },
    );
    fc.assert(
      fc.property(findings, fc.nat(), (found, later) => {
        const first = toConditions(found, [], 1, NOW);
        expect(toConditions(found, first, 1, NOW + later)).toEqual(first);
      }),
    );
  });
});

describe("conditionEvents", () => {
  const conditions = (...findings: Finding[]): readonly Condition[] => toConditions(findings, [], 1, NOW);

  it("tells of changes of status or reason, not of wording and not of the summary", () => {
    const before = conditions(
      finding("Accepted", "True"),
      finding("Programmed", "True", "Programmed", "a"),
      finding("Ready", "True"),
    );
    const after = conditions(
      finding("Accepted", "False", "InvalidValue", "no"),
      finding("Programmed", "True", "Programmed", "b"),
      finding("Ready", "False"),
    );
    expect(conditionEvents(before, after)).toEqual([
      { type: "Warning", condition: "Accepted", reason: "InvalidValue", message: "no" },
    ]);
    expect(conditionEvents(after, before)).toMatchObject([{ type: "Normal", condition: "Accepted" }]);
  });

  it("does not praise what was fine from the start, but tells once that the object is programmed", () => {
    const fine = conditions(
      finding("Accepted", "True"),
      finding("Discovered", "Unknown"),
      finding("Programmed", "True"),
    );
    expect(conditionEvents([], fine)).toMatchObject([{ type: "Normal", condition: "Programmed" }]);
  });

  it("knows that Conflicted is bad when it is true, and leaves out what follows from another condition", () => {
    const bad = conditions(
      finding("Conflicted", "True", "PublicNameTaken"),
      finding("Programmed", "False", "NotPublished"),
    );
    expect(conditionEvents([], bad)).toMatchObject([{ type: "Warning", reason: "PublicNameTaken" }]);
  });
});
