// `npm run test:cluster`: images, a cluster, the tests on it, and no trace of it afterwards. Ends with one line that counts them.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closingLines, readVitestReport, type Counts } from "../harness/vitest-report.ts";
import type { Cluster } from "./cluster.ts";
import { CLUSTER_VARIABLE, clusterAt } from "./current.ts";
import { createBuilder } from "./images.ts";
import { claimCrds } from "./installation.ts";
import { startKind } from "./kind.ts";
import { HELP, parseClusterTestOptions, type ClusterTestOptions } from "./options.ts";
import { startOwnNode, whyNoOwnNode } from "./own-node.ts";

const root = join(import.meta.dirname, "..", "..");
const say = (line: string): void => console.log(line);
/** What the last line counts: the tests, and as one that failed whatever went wrong around them. */
let counts: Counts = { passed: 0, failed: 0, skipped: 0, failures: [] };

async function bringUp(driver: "node" | "kind", keep: boolean): Promise<Cluster> {
  if (driver === "kind") return startKind(say);
  const archives = await createBuilder(say).archives();
  const started = performance.now();
  const cluster = await startOwnNode(archives, keep ? undefined : process.pid, say);
  say(`A node is up in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
  return cluster;
}

async function runTests(cluster: Cluster, files: readonly string[]): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "parley-cluster-"));
  const report = join(scratch, "report.json");
  const vitest = ["run", "--project=cluster*", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  // Whoever shows that the kinds stay when it goes must be the one that has brought them.
  if (files.length === 0) await claimCrds(cluster, "day-one");
  // What buildah makes is put on trial where buildah makes it.
  const left = cluster.where.startsWith("kind=") ? ["--exclude=test/cluster/images.test.ts"] : [];
  const child = spawn("vitest", [...vitest, ...left, ...files], {
    stdio: "inherit",
    env: { ...process.env, [CLUSTER_VARIABLE]: cluster.where },
  });
  const code = await new Promise((resolve) => {
    child.on("error", () => resolve(-1));
    child.on("close", resolve);
  });
  counts = readVitestReport(report, root, code === 0);
  rmSync(scratch, { recursive: true, force: true });
}

async function run(options: ClusterTestOptions): Promise<void> {
  if (options.down !== undefined) return await clusterAt(options.down).down();
  if (options.on === undefined && options.driver === "node") {
    const missing = whyNoOwnNode();
    if (missing.length > 0)
      throw new Error(`A node of its own needs:\n  ${missing.join("\n  ")}\nWhere kind and Docker are: --driver kind`);
  }
  const keep = options.keep || options.up || options.on !== undefined;
  const cluster = options.on === undefined ? await bringUp(options.driver, keep) : clusterAt(options.on);
  // Ctrl-C reaches the tests by themselves; the cluster is taken down once they have ended.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => undefined);
  try {
    if (!options.up) await runTests(cluster, options.files);
  } finally {
    if (keep) {
      say(`Kept: ${cluster.hint}`);
      say(
        `Again: npm run test:cluster -- --on ${cluster.where}    Down: npm run test:cluster -- --down ${cluster.where}`,
      );
    } else await cluster.down();
  }
}

const parsed = parseClusterTestOptions(process.argv.slice(2));
if (typeof parsed === "string") {
  console.error(`${parsed}\n\n${HELP}`);
  process.exitCode = 2;
} else if (parsed.help) process.stdout.write(HELP);
else {
  try {
    await run(parsed);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    const failures = [...counts.failures, "the cluster of the tests: what was said of it stands above"];
    counts = { ...counts, failed: counts.failed + 1, failures };
  }
  // Nothing is counted where a cluster is brought up or down alone.
  if (counts.passed + counts.failed + counts.skipped > 0) say(closingLines(counts));
  process.exitCode = counts.failed === 0 ? 0 : 1;
}
