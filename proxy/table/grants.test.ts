import { describe, expect, test } from "vitest";
import type { AgentRow, KeyRow, NamespaceRow } from "./contract.ts";
import { agentRow, keyRow } from "./rows.test-support.ts";
import { createTable } from "./table.ts";

const table = createTable();

/** Decides for a key `{keyNamespace}/alice` and an agent `agents/travel` with the labels { domain: booking }. */
function granted(
  keyNamespace: string,
  agents: KeyRow["agents"],
  allowedKeys: AgentRow["allowedKeys"],
  namespace?: NamespaceRow,
): boolean {
  table.applyLocal(
    [
      { id: "agent/agents/travel", row: agentRow({ allowedKeys }) },
      { id: `key/${keyNamespace}/alice`, row: keyRow("sk-1", { agents }) },
      ...(namespace === undefined ? [] : [{ id: `namespace/${keyNamespace}`, row: namespace }]),
    ],
    true,
  );
  return decide(keyNamespace);
}

function decide(keyNamespace: string): boolean {
  const key = table.keyById(`${keyNamespace}/alice`);
  const agent = table.agentByName("agents", "travel");
  if (key === undefined || agent === undefined) throw new Error("not in the table");
  return table.grants(key, agent);
}

const travel = { namespace: "agents", name: "travel" };
const booking = { selector: { matchLabels: { domain: "booking" } } };
const same = { from: "Same" } as const;
const all = { from: "All" } as const;
const selected = { from: "Selector", selector: { matchLabels: { team: "web" } } } as const;
const everyone = { from: "Selector", selector: {} } as const;

test.each<[string, boolean, Parameters<typeof granted>]>([
  ["a name in the same namespace", true, ["agents", [travel], same]],
  ["another name", false, ["agents", [{ namespace: "agents", name: "search" }], same]],
  ["the same name in another namespace", false, ["agents", [{ namespace: "other", name: "travel" }], all]],
  ["no grants", false, ["agents", [], all]],
  ["a selector in the same namespace", true, ["agents", [booking], same]],
  ["an empty selector", true, ["agents", [{ selector: {} }], same]],
  ["a selector for other labels", false, ["agents", [{ selector: { matchLabels: { domain: "x" } } }], same]],
  ["a selector never leaves the key's namespace", false, ["web", [booking], all]],
  ["one grant of several is enough", true, ["agents", [{ selector: { matchLabels: { a: "b" } } }, travel], same]],
  ["a foreign key where only Same is admitted", false, ["web", [travel], same]],
  ["a foreign key where All are admitted", true, ["web", [travel], all]],
  ["a foreign key of a selected namespace", true, ["web", [travel], selected, { labels: { team: "web" } }]],
  ["a foreign key of a namespace not selected", false, ["web", [travel], selected, { labels: { team: "db" } }]],
  ["a foreign key of a namespace whose labels are unknown", false, ["web", [travel], selected]],
  ["an empty selector over unknown labels", false, ["web", [travel], everyone]],
  ["an empty selector over known labels", true, ["web", [travel], everyone, { labels: {} }]],
  ["a selected namespace, but the key does not name the agent", false, ["web", [], everyone, { labels: {} }]],
])("%s: %s", (_name, expected, input) => {
  expect(granted(...input)).toBe(expected);
});

describe("a remembered decision ends", () => {
  test("when the namespace's labels change", () => {
    expect(granted("web", [travel], selected, { labels: { team: "web" } })).toBe(true);
    expect(decide("web")).toBe(true);
    table.applyLocal([{ id: "namespace/web", row: { labels: { team: "db" } } }], false);
    expect(decide("web")).toBe(false);
    table.applyLocal([{ id: "namespace/web", row: { labels: { team: "web" } } }], false);
    expect(decide("web")).toBe(true);
    table.applyLocal([{ id: "namespace/web", row: null }], false);
    expect(decide("web")).toBe(false);
  });

  test("when the key changes", () => {
    expect(granted("agents", [travel], same)).toBe(true);
    table.applyLocal([{ id: "key/agents/alice", row: keyRow("sk-1", { agents: [] }) }], false);
    expect(decide("agents")).toBe(false);
  });

  test("when the agent changes", () => {
    expect(granted("agents", [booking], same)).toBe(true);
    table.applyLocal([{ id: "agent/agents/travel", row: agentRow({ labels: {} }) }], false);
    expect(decide("agents")).toBe(false);
  });
});
