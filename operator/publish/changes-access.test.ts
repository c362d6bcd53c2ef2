import { describe, expect, it } from "vitest";
import type { AgentRow, RowId } from "../../proxy/table/contract.ts";
import { encodePut } from "../../proxy/table/encode.ts";
import { changesAccess } from "./changes-access.ts";

const agent: AgentRow = {
  uid: "u1",
  generation: 1,
  labels: {},
  publicName: "a",
  allowedKeys: { from: "Same" },
  card: { visibility: "Key" },
  backends: [],
  loadBalancing: "LeastRequest",
  timeouts: { connect: 1, firstByte: 1, streamIdle: 1 },
  maxRequestBytes: 1,
  credentials: [],
  logging: { content: "None", maxBytes: 0 },
};
const changes = (id: RowId, before: object | undefined, after: object | undefined): boolean => {
  const line = (row: object | undefined): string | undefined => row && encodePut(id, row as AgentRow);
  return changesAccess(id, line(before), line(after));
};

describe("what changes access", () => {
  it.each([
    ["its name", { publicName: "b" }],
    ["no name any more", { publicName: undefined }],
    ["whose keys may come", { allowedKeys: { from: "All" } }],
    ["labels, which selectors of keys read", { labels: { tier: "gold" } }],
    ["who reads its card", { card: { visibility: "Public" } }],
    ["another object of that name", { uid: "u2" }],
    ["what a proxy must know", { requires: ["new"] }],
    ["a member that this release does not know", { quota: 7 }],
  ])("of an agent: %s", (_, part) => {
    expect(changes("agent/ns/a", agent, { ...agent, ...part, generation: 2 })).toBe(true);
  });

  it("of an agent: not how its calls are served", () => {
    const after: AgentRow = {
      ...agent,
      generation: 2,
      backends: [{ name: "b", weight: 1, url: "http://b", interfaces: [] }],
      loadBalancing: "Random",
      timeouts: { connect: 2, firstByte: 2, streamIdle: 2 },
      maxRequestBytes: 2,
      credentials: [{ header: "x", credential: "credential/ns/s/k" }],
      pricePerRequest: "1",
      pricePerSecond: "1",
      usagePrices: [{ unit: "token", price: "1" }],
      logging: { content: "Full", maxBytes: 1 },
    };
    expect(changes("agent/ns/a", agent, after)).toBe(false);
  });

  it.each(["agent/ns/a", "key/ns/k", "namespace/ns"])("a row that comes or goes: %s", (id) => {
    expect([changes(id, undefined, agent), changes(id, agent, undefined)]).toEqual([true, true]);
  });

  it("whatever changes in a key or in the labels of a namespace", () => {
    expect(changes("key/ns/k", { owner: {} }, { owner: { team: "t" } })).toBe(true);
    expect(changes("namespace/ns", { labels: {} }, { labels: { a: "b" } })).toBe(true);
  });

  it.each(["endpoints/ns/s/80", "credential/ns/s/k", "gateway"])("nothing in %s", (id) => {
    expect(changes(id, undefined, { value: "1" })).toBe(false);
    expect(changes(id, { value: "1" }, { value: "2" })).toBe(false);
    expect(changes(id, { value: "1" }, undefined)).toBe(false);
  });
});
