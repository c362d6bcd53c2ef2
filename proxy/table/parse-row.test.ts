import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRow, parseTime } from "./parse-row.ts";
import { agentRow, endpointsRow, gatewayRow, keyRow } from "./rows.test-support.ts";

const agent = agentRow();
const key = keyRow("sk-1");
const [backend] = agent.backends;

describe("a valid row", () => {
  test.each([
    ["agent/agents/travel", agent],
    [
      "agent/agents/travel",
      agentRow({
        requires: ["agents.selector"],
        publicName: "travel",
        allowedKeys: { from: "Selector", selector: { matchExpressions: [{ key: "a", operator: "Exists" }] } },
        card: { path: "/card.json", visibility: "Key" },
        backends: [{ name: "far", weight: 0, url: "https://far.example.com/a2a?x=1", interfaces: [] }],
        credentials: [{ header: "authorization", scheme: "Bearer", credential: "credential/agents/up/token" }],
        pricePerRequest: "0.002",
      }),
    ],
    ["key/agents/alice", key],
    [
      "key/agents/alice",
      keyRow("sk-2", {
        requires: ["operations", "expiresAt", "loopbackOnly"],
        owner: {},
        agents: [{ selector: {} }, { namespace: "a", name: "b" }],
        operations: ["SendMessage"],
        expiresAt: "2027-01-01T00:00:00Z",
        disabled: true,
        loopbackOnly: true,
      }),
    ],
    ["endpoints/agents/travel/http", endpointsRow("10.0.0.1", "fd00::1")],
    ["endpoints/agents/travel/8080", { endpoints: [{ address: "10.0.0.1", port: 1, ready: false, serving: false }] }],
    ["credential/agents/up/token", { value: "" }],
    ["namespace/agents", { labels: { a: "b" } }],
    ["gateway", { ...gatewayRow, publicUrl: "https://gateway.example.com" }],
  ])("%s is read as it is", (id, row) => {
    const parsed = parseRow(id, row);
    expect(parsed).toMatchObject({ outcome: "Row", kind: id.split("/")[0], names: id.split("/").slice(1) });
    expect(parsed).toHaveProperty("row", row);
  });

  test("loses what this release does not know, at every depth", () => {
    const later = { ...agent, card: { ...agent.card, signatures: "Strip" }, quota: { tokens: 7 } };
    expect(parseRow("agent/agents/travel", later)).toHaveProperty("row", agent);
  });
});

describe("a refused row", () => {
  const withBackend = (over: object): unknown => ({ ...agent, backends: [{ ...backend, ...over }] });
  test.each<[string, unknown, string]>([
    ["agent/agents", agent, "the id is not of its kind's form"],
    ["agent/agents/travel/x", agent, "the id is not of its kind's form"],
    ["agent//travel", agent, "the id is not of its kind's form"],
    ["gateway/x", gatewayRow, "the id is not of its kind's form"],
    ["agent/a/b", null, "must be an object"],
    ["agent/a/b", [], "must be an object"],
    ["agent/a/b", { ...agent, uid: undefined }, "uid: is missing"],
    ["agent/a/b", { ...agent, generation: 1.5 }, "generation: must be an integer from 0"],
    ["agent/a/b", { ...agent, labels: { a: 1 } }, "labels: must hold strings only"],
    ["agent/a/b", { ...agent, allowedKeys: {} }, "allowedKeys.from: is missing"],
    ["agent/a/b", { ...agent, allowedKeys: { from: "Some" } }, "allowedKeys.from: must be Same or All"],
    ["agent/a/b", { ...agent, allowedKeys: { from: "Selector" } }, "allowedKeys.selector: is missing"],
    ["agent/a/b", { ...agent, card: { visibility: "Team" } }, "card.visibility: must be Public or Key"],
    ["agent/a/b", { ...agent, card: { visibility: "Key", path: "card" } }, "card.path: must start with /"],
    ["agent/a/b", withBackend({ weight: 1_000_001 }), "backends[0].weight: must be 0 to 1000000"],
    ["agent/a/b", withBackend({ url: "http://x.example" }), "backends[0]: must have exactly one of endpoints and url"],
    ["agent/a/b", withBackend({ endpoints: undefined }), "backends[0]: must have exactly one of endpoints and url"],
    ["agent/a/b", withBackend({ host: undefined }), "backends[0]: must have scheme, path and host with endpoints"],
    ["agent/a/b", withBackend({ endpoints: "key/a/b" }), "backends[0].endpoints: must be the id of an endpoints row"],
    [
      "agent/a/b",
      withBackend({ interfaces: [{ binding: "GRPC", version: "1.0", path: "/" }] }),
      "backends[0].interfaces[0].binding: must be JSONRPC or HTTP+JSON",
    ],
    ["agent/a/b", { ...agent, loadBalancing: "First" }, "loadBalancing: must be LeastRequest or RoundRobin or Random"],
    [
      "agent/a/b",
      { ...agent, credentials: [{ header: "X-A", credential: "credential/a/b/c" }] },
      "credentials[0].header: must be a header name in lower case",
    ],
    ["agent/a/b", { ...agent, pricePerRequest: "1e3" }, "pricePerRequest: must be a decimal"],
    ["agent/a/b", { ...agent, requires: ["limits"] }, "requires what this release does not know: limits"],
    ["agent/a/b", { ...agent, requires: "limits" }, "requires: must be a list"],
    ["key/a/b", { ...key, requires: ["operations", 7] }, "requires what this release does not know: number"],
    ["key/a/b", { ...key, sha256: "AB".repeat(32) }, "sha256: must be 64 hex digits in lower case"],
    ["key/a/b", { ...key, agents: [{ name: "x" }] }, "agents[0].namespace: is missing"],
    ["key/a/b", { ...key, agents: [{ selector: {}, name: "x" }] }, "agents[0]: must be a name or a selector, not both"],
    ["key/a/b", { ...key, agents: ["x"] }, "agents[0]: must be an object"],
    ["key/a/b", { ...key, operations: "SendMessage" }, "operations: must be a list"],
    ["key/a/b", { ...key, operations: null }, "operations: must be a list"],
    ["key/a/b", { ...key, expiresAt: "tomorrow" }, "expiresAt: must be an RFC 3339 time"],
    ["key/a/b", { ...key, disabled: "yes" }, "disabled: must be true"],
    ["endpoints/a/b/c", { endpoints: [{ address: "10.0.0.1", port: 0 }] }, "endpoints[0].port: must be 1 to 65535"],
    ...["bad host", "travel.agents.svc", "10.0.0.1/x", "[fd00::1]", "fe80::1%eth0", "10.0.0.1:80", ""].map(
      (address): [string, unknown, string] => [
        "endpoints/a/b/c",
        { endpoints: [{ address, port: 80, ready: true, serving: true }] },
        "endpoints[0].address: must be an IP address without a zone",
      ],
    ),
    ["credential/a/b/c", { value: 7 }, "value: must be a string"],
    ["namespace/a", {}, "labels: is missing"],
    ["gateway", { name: "default" }, "trustedProxies: is missing"],
    ...["gateway.example.com", "ftp://gateway", "https://u:p@gateway/", "https://gateway/#a", "https://a b/"].map(
      (publicUrl): [string, unknown, string] => [
        "gateway",
        { ...gatewayRow, publicUrl },
        "publicUrl: must be an http or https URL without credentials or fragment",
      ],
    ),
  ])("%s %#: %j", (id, row, reason) => {
    expect(parseRow(id, row)).toMatchObject({ outcome: "Refused", reason });
  });

  test.each([
    "ftp://x.example",
    "http://u:p@x.example/",
    "http://u@x.example/",
    "http://x.example/#a",
    "http://x.example/#",
    "/a2a",
    "x",
  ])("backends may not have the URL %s", (url) => {
    const row = { ...agent, backends: [{ name: "far", weight: 1, url, interfaces: [] }] };
    expect(parseRow("agent/a/b", row)).toMatchObject({ outcome: "Refused" });
  });

  test("tells the uid of its object, and nothing of a secret", () => {
    expect(parseRow("agent/a/b", { ...agent, labels: 7 })).toMatchObject({ uid: "agent-uid" });
    const parsed = parseRow("credential/a/b/c", { value: ["hunter2"] });
    expect(JSON.stringify(parsed)).not.toContain("hunter2");
  });
});

test("a kind of a later release is told from a broken row", () => {
  expect(parseRow("quota/a", {})).toStrictEqual({ outcome: "UnknownKind" });
  expect(parseRow("constructor/a", {})).toStrictEqual({ outcome: "UnknownKind" });
  expect(parseRow("", {})).toStrictEqual({ outcome: "UnknownKind" });
});

test("no value makes it throw", () => {
  const kinds = fc.constantFrom(
    "agent/a/b",
    "key/a/b",
    "endpoints/a/b/c",
    "credential/a/b/c",
    "namespace/a",
    "gateway",
  );
  const members = fc.constantFrom(...Object.keys(agent), ...Object.keys(key), "endpoints", "value", "name", "requires");
  fc.assert(
    fc.property(kinds, fc.dictionary(members, fc.jsonValue()), (id, row) => {
      expect(() => parseRow(id, { ...(id.startsWith("key") ? key : agent), ...row })).not.toThrow();
    }),
  );
});

test("times are RFC 3339 and nothing else that Date.parse takes", () => {
  expect(parseTime("2027-01-01T00:00:00Z")).toBe(Date.UTC(2027, 0, 1));
  expect(parseTime("2027-01-01T01:00:00.5+01:00")).toBe(Date.UTC(2027, 0, 1) + 500);
  for (const time of ["2027-01-01", "2027-13-01T00:00:00Z", "2027-01-01T00:00:00", "1 Jan 2027", ""]) {
    expect(parseTime(time)).toBeNaN();
  }
});
