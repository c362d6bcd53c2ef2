// What each release sent and wrote, as it was recorded then: this release still understands it.
import { copyFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Table } from "./compiled.ts";
import { openLastGood } from "./last-good.ts";
import { sha256Of } from "./rows.test-support.ts";
import { createStandbyReader, type StandbyStep } from "./standby-reader.ts";
import { createStreamReader, type Step } from "./stream-reader.ts";
import { createTable, type TableWriter } from "./table.ts";

const folder = new URL("testdata/", import.meta.url);
const files = await readdir(folder);
const recorded = (form: RegExp): string[] => files.filter((file) => form.test(file));
const linesOf = async (file: string): Promise<string[]> =>
  (await readFile(new URL(file, folder), "utf8")).trimEnd().split("\n");

async function applied(file: string): Promise<{ table: Table & TableWriter; steps: Step[] }> {
  const table = createTable();
  const reader = createStreamReader({ table, lastGood: undefined, gateway: "default" });
  const steps: Step[] = [];
  for (const line of await linesOf(file)) steps.push(await reader.line(line));
  return { table, steps };
}

describe.each(recorded(/^stream-.*\.ndjson$/))("%s", (file) => {
  test("leads to the version that it names, without a fault", async () => {
    const { table, steps } = await applied(file);
    expect(steps.filter(({ step }) => step === "Fault" || step === "OtherGateway")).toStrictEqual([]);
    const last = steps.at(-1);
    expect(last?.step === "Current" && last.at.version).toBe(table.version);
    expect(last).toMatchObject({ reach: { "A2AAgent/": 90, "VirtualKey/": 91, "Secret/": 88 } });
    expect(steps.filter(({ step }) => step === "Applied").length).toBeGreaterThan(2);
  });

  test("what it asks that is not known is refused, and what it only adds is kept", async () => {
    const { table } = await applied(file);
    expect(
      table
        .refusals()
        .refused.map(({ id }) => id)
        .sort(),
    ).toStrictEqual(["agent/agents/later", "key/agents/carol"]);
    expect([...table.dump()].map(({ id }) => id)).toContain("aKindOfALaterRelease/agents/x");
    expect(table.key(sha256Of("sk-carol"))).toBeUndefined();
    const [travel, erin] = [table.agentByPublicName("travel"), table.key(sha256Of("sk-erin"))];
    expect([travel?.id, erin?.id]).toStrictEqual(["agents/travel", "agents/erin"]);
    expect(travel !== undefined && erin !== undefined && table.grants(erin, travel)).toBe(true);
    // A batch brought its bucket without it.
    expect(table.key(sha256Of("sk-alice"))).toBeUndefined();
  });
});

test.each(recorded(/^standby-.*\.ndjson$/))(
  "%s is understood: what it announces, and what it takes away",
  async (file) => {
    const { table } = await applied(file.replace("standby", "stream"));
    const reader = createStandbyReader({ gateway: "default" });
    const steps: StandbyStep[] = (await linesOf(file)).map((line) => reader.line(line));
    expect(steps.map(({ step }) => step)).toStrictEqual([
      "Greeted",
      "Announced",
      "None",
      "None",
      "None",
      "Seen",
      "Announced",
    ]);
    expect(steps[1]).toMatchObject({
      at: { version: table.version },
      holder: "operator-0",
      reach: { "VirtualKey/": 91 },
    });
    const seen = steps.flatMap((step) => (step.step === "Seen" ? step.seen.values().toArray() : []));
    expect(seen.map(({ id, compiled }) => [id, compiled === undefined])).toStrictEqual([
      ["key/agents/erin", true],
      ["agent/agents/travel", false],
    ]);
  },
);

test.each(recorded(/^table-.*\.log$/))(
  "%s is loaded, to the version of the stream that it was written from",
  async (file) => {
    const stream = await applied(file.replace("table", "stream").replace(".log", ".ndjson"));
    const copies = await mkdtemp(join(tmpdir(), "recorded-"));
    try {
      await copyFile(new URL(file, folder), join(copies, file));
      const ignore = (): void => undefined;
      const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
      const lastGood = await openLastGood({ file: join(copies, file), gateway: "default", random: () => 0, log });
      const table = createTable();
      const loaded = await lastGood.load(table, new AbortController().signal);
      await lastGood.close();
      expect(loaded).toMatchObject({ ok: true, version: stream.table.version, cut: false });
      expect([...table.dump()]).toStrictEqual([...stream.table.dump()]);
    } finally {
      await rm(copies, { recursive: true });
    }
  },
);

test("every release has all three recordings", () => {
  const releases = (form: RegExp): string[] => recorded(form).map((file) => /\d+\.\d+/.exec(file)?.[0] ?? "");
  const streams = releases(/^stream-/);
  expect(streams).toContain("0.1");
  expect(releases(/^standby-/)).toStrictEqual(streams);
  expect(releases(/^table-/)).toStrictEqual(streams);
});
