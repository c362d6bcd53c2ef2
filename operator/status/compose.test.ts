import { describe, expect, it } from "vitest";
import type { Finding, ObjectResult } from "../translate/result.ts";
import { compareStatus, composeStatus } from "./compose.ts";
import type { Status } from "./compose.ts";

const accepted: Finding = { type: "Accepted", status: "True", reason: "Accepted", message: "" };
const programmed: Finding = { type: "Programmed", status: "True", reason: "Programmed", message: "" };
const result: ObjectResult = {
  kind: "A2AAgent",
  namespace: "agents",
  name: "travel",
  uid: "u1",
  generation: 4,
  conditions: [accepted],
  fields: { url: "/a2a/travel", readyEndpoints: 2, knownEndpoints: 3 },
  rowId: "agent/agents/travel",
};
const NOW = Date.UTC(2026, 0, 1);

describe("composeStatus", () => {
  it("puts together what translation, discovery and proxies say", () => {
    const backends = [
      { name: "a", versions: ["1.0", "0.3"] },
      { name: "b", versions: ["1.0"] },
    ];
    const status = composeStatus({ result, programmed, findings: [], backends }, {}, NOW);
    expect(status).toMatchObject({
      observedGeneration: 4,
      url: "/a2a/travel",
      readyEndpoints: 2,
      knownEndpoints: 3,
      versions: "0.3,1.0",
      backends,
    });
    expect(status.conditions?.map(({ type, status: value }) => `${type}=${value}`)).toEqual([
      "Ready=True",
      "Accepted=True",
      "Programmed=True",
    ]);
  });

  it("lets a more exact finding take the place of translation's, and the summary follow it", () => {
    const refused: Finding = { ...accepted, status: "False", reason: "Expired" };
    const status = composeStatus({ result, programmed, findings: [refused], backends: [] }, {}, NOW);
    expect(status.conditions?.map(({ type, reason }) => [type, reason])).toEqual([
      ["Ready", "Expired"],
      ["Accepted", "Expired"],
      ["Programmed", "Programmed"],
    ]);
    expect(Object.keys(status).sort()).toEqual([
      "conditions",
      "knownEndpoints",
      "observedGeneration",
      "readyEndpoints",
      "url",
    ]);
  });
});

describe("compareStatus", () => {
  const base = composeStatus({ result, programmed, findings: [], backends: [{ name: "a" }, { name: "b" }] }, {}, NOW);
  const change = (more: Partial<Status>): Status => ({ ...base, ...more });
  const reworded = base.conditions?.map((condition) => Object.assign({}, condition, { message: "other words" })) ?? [];

  it("finds none where lists that are maps come back in another order", () => {
    const turned = change({
      conditions: base.conditions?.toReversed() ?? [],
      backends: base.backends?.toReversed() ?? [],
    });
    expect(compareStatus(base, turned)).toBe("none");
  });

  it("tells counts that stay on their side of zero from counts that cross it", () => {
    expect(compareStatus(base, change({ readyEndpoints: 1, knownEndpoints: 9 }))).toBe("counts");
    expect(compareStatus(base, change({ readyEndpoints: 0 }))).toBe("real");
    expect(compareStatus(change({ readyEndpoints: 0 }), change({ readyEndpoints: 5 }))).toBe("real");
  });

  it("tells wording from matter", () => {
    expect(compareStatus(base, change({ conditions: reworded }))).toBe("wording");
    expect(compareStatus(base, change({ conditions: reworded, readyEndpoints: 1 }))).toBe("wording");
    expect(compareStatus(base, change({ conditions: reworded, url: "/other" }))).toBe("real");
    expect(compareStatus(base, change({ conditions: reworded.slice(1) }))).toBe("real");
    expect(compareStatus(base, {})).toBe("real");
  });
});
