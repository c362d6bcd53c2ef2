import { describe, expect, test } from "vitest";
import type { AgentRow, KeyRow, RowChange } from "../table/contract.ts";
import { agentRowId, keyRowId } from "../table/contract.ts";
import { authorizeAgent, authorizeOperation, stillAllowed } from "./authorize.ts";
import { keyRow, putAgent, putKey, tableOf } from "./table.test-support.ts";

const NOW = Date.parse("2026-06-01T00:00:00Z");

function setUp(agent: Partial<AgentRow> = {}, key: Partial<KeyRow> = {}, keyNamespace = "agents") {
  const table = tableOf(putAgent(agent), putKey("token", key, "alice", keyNamespace));
  const held = table.keyById(`${keyNamespace}/alice`);
  const target = table.agentByPublicName("travel");
  if (held === undefined || target === undefined) throw new Error("rows were refused");
  return { table, key: held, agent: target };
}

describe("authorizeAgent", () => {
  test("admits a key that names the agent", () => {
    const { table, key, agent } = setUp();
    expect(authorizeAgent(key, agent, table)).toEqual({ ok: true, agent });
  });

  test.each([
    ["Public", "AgentNotGranted"],
    ["Key", "AgentNotFound"],
  ] as const)("a key that does not, with a card for %s, is told %s", (visibility, reason) => {
    const { table, key, agent } = setUp({ card: { visibility } }, { agents: [] });
    expect(authorizeAgent(key, agent, table)).toEqual({ ok: false, reason });
  });

  test("an agent that is not there is not found", () => {
    const { table, key } = setUp();
    expect(authorizeAgent(key, table.agentByPublicName("nobody"), table)).toEqual({
      ok: false,
      reason: "AgentNotFound",
    });
  });

  test("the agent must admit the key's namespace", () => {
    const other = setUp({}, {}, "other");
    expect(authorizeAgent(other.key, other.agent, other.table).ok).toBe(false);
    const open = setUp({ allowedKeys: { from: "All" } }, {}, "other");
    expect(authorizeAgent(open.key, open.agent, open.table).ok).toBe(true);
  });
});

describe("authorizeOperation", () => {
  test.each([
    ["SendMessage", true],
    ["GetTask", true],
    ["GetExtendedAgentCard", true],
    ["Extension", false],
  ])("by default %s is %s", (permission, allowed) => {
    expect(authorizeOperation(setUp().key, permission)).toBe(allowed);
  });
  test.each([
    ["GetTask", true],
    ["Extension", true],
    ["SendMessage", false],
    ["", false],
  ])("with GetTask and Extension named, %s is %s", (permission, allowed) => {
    const { key } = setUp({}, { operations: ["GetTask", "Extension"], requires: ["operations"] });
    expect(authorizeOperation(key, permission)).toBe(allowed);
  });
});

describe("stillAllowed", () => {
  const changes: [string, RowChange[], true | string][] = [
    ["nothing changed", [], true],
    ["the owner changed", [putKey("token", { owner: { user: "bob" }, generation: 2 })], true],
    [
      "the agent's timeouts changed",
      [putAgent({ generation: 2, timeouts: { connect: 1, firstByte: 1, streamIdle: 1 } })],
      true,
    ],
    ["the key is gone", [{ id: keyRowId("agents", "alice"), row: null }], "KeyRevoked"],
    ["the agent is gone", [{ id: agentRowId("agents", "travel"), row: null }], "AgentNotFound"],
    ["the key is disabled", [putKey("token", { disabled: true })], "KeyRevoked"],
    ["the key has expired", [putKey("token", { expiresAt: "2026-05-31T00:00:00Z" })], "KeyRevoked"],
    ["the key is kept to loopback", [putKey("token", { loopbackOnly: true })], "KeyRevoked"],
    ["the key has another token", [putKey("other")], "KeyRevoked"],
    ["the key is another object", [putKey("token", { uid: "another" })], "KeyRevoked"],
    ["the agent is another object", [putAgent({ uid: "another" })], "AgentNotFound"],
    ["the key names no agent", [putKey("token", { agents: [] })], "AgentNotGranted"],
    [
      "the key names no agent, and the card is not public",
      [putKey("token", { agents: [] }), putAgent({ card: { visibility: "Key" } })],
      "AgentNotFound",
    ],
    [
      "the agent admits no such labels",
      [putAgent({ allowedKeys: { from: "Selector", selector: { matchLabels: { a: "b" } } } })],
      "AgentNotGranted",
    ],
    ["the key lost the operation", [putKey("token", { operations: ["GetTask"] })], "OperationNotGranted"],
    [
      "the key's row asks for what is not known",
      [{ id: keyRowId("agents", "alice"), row: { ...keyRow("token"), requires: ["tomorrow"] } }],
      "KeyRevoked",
    ],
  ];
  test.each(changes)("when %s", (_, change, reason) => {
    const { table, key, agent } = setUp();
    table.applyLocal(change, false);
    expect(stillAllowed(key, agent, "SendMessage", table, NOW, false)).toEqual(
      reason === true
        ? { ok: true, key: table.keyById(key.id), agent: table.agentByName("agents", "travel") }
        : { ok: false, reason },
    );
  });

  test("an operation that is not known yet may still become one that is granted", () => {
    const { table, key, agent } = setUp();
    table.applyLocal([putKey("token", { operations: ["GetTask"] })], false);
    expect(stillAllowed(key, agent, undefined, table, NOW, false).ok).toBe(true);
  });

  test("time alone ends it", () => {
    const { table, key, agent } = setUp({}, { expiresAt: "2026-06-01T00:00:00Z" });
    expect(stillAllowed(key, agent, "SendMessage", table, NOW - 1, false).ok).toBe(true);
    expect(stillAllowed(key, agent, "SendMessage", table, NOW, false).ok).toBe(false);
  });
});
