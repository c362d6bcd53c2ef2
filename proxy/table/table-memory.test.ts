import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { RowChange } from "./contract.ts";
import { agentRow, keyRow } from "./rows.test-support.ts";
import { createTable } from "./table.ts";

test("a thousand agents and a thousand keys take a few megabytes", () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const rows = Array.from({ length: 1000 }, (_, n): RowChange[] => [
    { id: `agent/ns/agent-${n}`, row: agentRow({ uid: `uid-${n}`, publicName: `agent-${n}` }) },
    { id: `key/ns/key-${n}`, row: keyRow(`sk-${n}`, { agents: [{ namespace: "ns", name: `agent-${n}` }] }) },
  ]).flat();
  collect();
  const before = process.memoryUsage();
  const table = createTable();
  table.applyLocal(rows, true);
  collect();
  const after = process.memoryUsage();
  expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(6_000_000);
  expect(table.rows).toBe(2000);
});
