import { spawnSync } from "node:child_process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { RowChange } from "./contract.ts";
import { createDigest } from "./digest.ts";
import { rowHash } from "./encode.ts";
import { agentRow, keyRow } from "./rows.test-support.ts";
import { createTable } from "./table.ts";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** A table of these rows, and what it takes in and outside of the heap. */
function tableOf(rows: readonly RowChange[]) {
  collect();
  const before = process.memoryUsage();
  const table = createTable();
  table.applyLocal(rows, true);
  collect();
  const after = process.memoryUsage();
  return { table, bytes: after.heapUsed + after.external - before.heapUsed - before.external };
}

test("a thousand agents and a thousand keys take a few megabytes", () => {
  const rows = Array.from({ length: 1000 }, (_, n): RowChange[] => [
    { id: `agent/ns/agent-${n}`, row: agentRow({ uid: `uid-${n}`, publicName: `agent-${n}` }) },
    { id: `key/ns/key-${n}`, row: keyRow(`sk-${n}`, { agents: [{ namespace: "ns", name: `agent-${n}` }] }) },
  ]).flat();
  const { table, bytes } = tableOf(rows);
  expect(bytes).toBeLessThan(6_000_000);
  expect(table.rows).toBe(2000);
});

test("ten thousand keys of a few agents take less than half a kilobyte each", () => {
  const rows = Array.from({ length: 10_000 }, (_, n): RowChange => {
    const uid = `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
    const owner = { user: `user-${n}@example.com`, team: "booking" };
    return {
      id: `key/ns/key-${n}`,
      row: keyRow(`sk-${n}`, { uid, owner, agents: [{ namespace: "ns", name: `agent-${n % 100}` }] }),
    };
  });
  const { table, bytes } = tableOf(rows);
  expect(bytes / rows.length).toBeLessThan(480);
  expect(table.rows).toBe(10_000);
});

test("digests that are forked for each edit hold no more memory than before", async () => {
  const hashOf = (n: number): string => rowHash(`key/ns/key-${n}`, String(n));
  let digest = createDigest();
  for (let n = 0; n < 50_000; n += 1) digest.set(`key/ns/key-${n}`, hashOf(n));
  collect();
  const before = process.memoryUsage().arrayBuffers;
  for (let n = 0; n < 2_000; n += 1) {
    digest = digest.fork();
    digest.set(`key/ns/key-${n}`, hashOf(n + 1));
    // What others take from Node's shared blocks meanwhile.
    Buffer.from("x".repeat(2_000));
  }
  // What was freed is counted a little later.
  const more = (): number => {
    collect();
    return process.memoryUsage().arrayBuffers - before;
  };
  await expect.poll(more, { timeout: 30_000 }).toBeLessThan(1_000_000);
  expect(digest.size()).toBe(50_000);
});

/** Bytes that become old with two thousand edits, each of which makes 8 KiB and lets go of as much. */
const FORK = `
  import { getHeapSpaceStatistics } from "node:v8";
  import { createDigest } from "./proxy/table/digest.ts";
  const old = () => getHeapSpaceStatistics().find((one) => one.space_name === "old_space").space_used_size;
  let digest = createDigest();
  const turn = () => {
    for (let n = 0; n < 20; n += 1) digest = digest.fork();
    gc({ type: "minor" });
  };
  for (let n = 0; n < 5; n += 1) turn();
  const before = old();
  let most = 0;
  for (let n = 0; n < 100; n += 1) {
    turn();
    most = Math.max(most, old() - before);
  }
  console.log(most);
`;

test("digests that are forked for each edit are collected while they are young", () => {
  const words = ["--expose-gc", "--input-type=module", "--eval", FORK];
  const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^\d+\n$/);
  expect(Number(stdout)).toBeLessThan(2_000_000);
});
