import { expect, test } from "vitest";
import { agentRow, keyRow } from "./rows.test-support.ts";
import { createSharedParts } from "./shared-parts.ts";

test("rows keep their content, and hold equal parts once", () => {
  const shared = createSharedParts();
  const [one, other] = [shared.agent(agentRow()), shared.agent(agentRow({ uid: "2", labels: { domain: "other" } }))];
  expect([one, other]).toStrictEqual([agentRow(), agentRow({ uid: "2", labels: { domain: "other" } })]);
  expect(other.timeouts).toBe(one.timeouts);
  expect(other.allowedKeys).toBe(one.allowedKeys);
  expect(other.labels).not.toBe(one.labels);
  const [first, second] = [shared.key(keyRow("sk-a")), shared.key(keyRow("sk-b"))];
  expect([first, second]).toStrictEqual([keyRow("sk-a"), keyRow("sk-b")]);
  expect(second.agents).toBe(first.agents);
  expect(second.owner).not.toBe(first.owner);
});

test("parts of rows that are gone are forgotten in time", () => {
  const shared = createSharedParts();
  const first = shared.key(keyRow("sk-a"));
  for (let n = 0; n < 20_000; n += 1) shared.key(keyRow("sk", { agents: [{ namespace: "ns", name: `${n}` }] }));
  expect(shared.key(keyRow("sk-a")).agents).not.toBe(first.agents);
  expect(shared.key(keyRow("sk-a")).agents).toStrictEqual(first.agents);
});
