// `npm test`: every check there is, in the order of their cost; ends with one line that counts them.
// Tests run in a network of their own: see harness/own-network.ts.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ownNetwork } from "./harness/own-network.ts";
import { closingLines, readVitestReport } from "./harness/vitest-report.ts";

const root = join(import.meta.dirname, "..");
const bin = join(root, "node_modules", ".bin");
const scratch = mkdtempSync(join(tmpdir(), "parley-test-"));
const total = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];

function run(command: readonly string[]): boolean {
  const [program = "", ...args] = command;
  // Whatever a test leaves in a folder for passing things goes with this run's own.
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`, TMPDIR: scratch };
  return spawnSync(program, args, { cwd: root, stdio: "inherit", env }).status === 0;
}

function heading(text: string): void {
  console.log(`\n── ${text}`);
}

function check(name: string, ...command: string[]): void {
  heading(name);
  if (run(command)) total.passed += 1;
  else {
    total.failed += 1;
    failures.push(name);
  }
}

function tests(name: string, prefix: readonly string[], projects: readonly string[]): void {
  heading(name);
  const file = join(scratch, `${projects.join("-")}.json`);
  const vitest = [
    "vitest",
    "run",
    ...projects.map((project) => `--project=${project}`),
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${file}`,
  ];
  const endedWell = run([...prefix, ...vitest]);
  const counts = readVitestReport(file, root, endedWell);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  failures.push(...counts.failures);
}

check("generated files are fresh", "npm", "run", "--silent", "generate:check");
check("lint", "oxlint", "--type-aware", ".");
check("format", "oxfmt", "--check", ".");
check("types", "tsc", "--noEmit");
const network = ownNetwork();
tests("unit, golden and property tests", network ?? [], ["unit"]);
heading("API server, Python clients");
if (!run(["node", "test/harness/prepare.ts"])) {
  total.failed += 1;
  failures.push("feature tests: what they need could not be made (see above)");
} else if (network === undefined) {
  total.failed += 1;
  failures.push(
    "feature tests: they need Linux with `unshare` (util-linux) and `ip` (iproute2), as root or with user namespaces",
  );
} else tests("feature and conformance tests", network, ["endurance", "feature"]);

rmSync(scratch, { recursive: true, force: true });
console.log(closingLines({ ...total, failures }));
process.exitCode = total.failed === 0 ? 0 : 1;
