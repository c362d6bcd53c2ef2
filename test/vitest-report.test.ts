// What CI is told of a run of vitest: here of real ones, in a folder of their own.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { closingLines, readVitestReport, type Counts } from "./harness/vitest-report.ts";

const vitest = join(import.meta.dirname, "../node_modules/.bin/vitest");
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-report-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function countsOf(files: Readonly<Record<string, string>>): Counts {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.test.js`), text);
  const report = join(folder, "report.json");
  const args = ["run", "--globals", `--root=${folder}`, "--reporter=json", `--outputFile=${report}`];
  const { status } = spawnSync(vitest, args, { env: { PATH: process.env["PATH"] } });
  return readVitestReport(report, folder, status === 0);
}

it("counts, and names each that failed and why", () => {
  const counts = countsOf({
    good: "const { todo } = it; it('holds', () => undefined); todo('comes later');",
    bad: "describe('a', () => { it('fails', () => { throw new Error('so it is\\nand more'); }); it('holds', () => undefined); });",
    broken: "import './missing.js';",
    hook: "describe('b', () => { beforeAll(() => { throw new Error('no'); }); it('waits', () => undefined); });",
  });
  // What comes later, and what waits behind a hook that failed, did not run.
  expect(counts).toMatchObject({ passed: 2, failed: 3, skipped: 2 });
  expect(counts.failures.toSorted()).toEqual([
    "bad.test.js > a fails: Error: so it is\n  and more",
    expect.stringMatching(/^broken\.test\.js: .*missing\.js/),
    expect.stringMatching(/^hook\.test\.js: ./),
  ]);
  const lines = closingLines(counts).split("\n");
  expect(lines.filter((line) => line.startsWith("FAILED: "))).toHaveLength(3);
  expect(lines.at(-1)).toBe("2 passed, 3 failed, 2 skipped");
});

it("leaves out the middle of a long reason", () => {
  const counts = countsOf({
    long: "it('fails', () => { throw new Error(Array.from({ length: 30 }, (_, i) => `line ${i}`).join('\\n')); });",
  });
  const said = counts.failures[0]?.split("\n");
  expect(said).toHaveLength(16);
  expect(said?.slice(0, 3)).toEqual(["long.test.js > fails: Error: line 0", "  (15 lines more)", "  line 16"]);
  expect(said?.at(-1)).toBe("  line 29");
});

it("fails a run that ended badly though no test did, and one without a report", () => {
  const counts = countsOf({ loose: "it('holds', () => void Promise.reject(new Error('nobody waits')));" });
  expect(counts).toMatchObject({ passed: 1, failed: 1, failures: [expect.stringContaining("ended badly")] });
  expect(readVitestReport(join(folder, "none.json"), folder, true)).toMatchObject({ passed: 0, failed: 1 });
});

it("says no more than the count when all is well", () => {
  expect(closingLines(countsOf({ good: "it('holds', () => undefined);" }))).toBe("\n1 passed, 0 failed, 0 skipped");
});
