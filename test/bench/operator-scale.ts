// How an operator bears many objects: time until it publishes, memory, the longest turns of its event loop, CPU of one edit, a relist.
// In: sizes as AGENTSxKEYS. Out: a line for each. The API server is synthetic, the operator a process of its own.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sumOf } from "../harness/exposition.ts";
import { node } from "../harness/gateway.ts";
import { eventually, freePort, start } from "../harness/processes.ts";
import { startSyntheticApi } from "./synthetic-api.ts";

const EDITS = 300;
/** Milliseconds between two edits: none meets another. */
const PACE = 20;
const root = join(import.meta.dirname, "../..");
async function measure(agents: number, keys: number): Promise<Record<string, number | string>> {
  const api = await startSyntheticApi({ agents, keys });
  const folder = mkdtempSync(join(tmpdir(), "parley-scale-"));
  const kubeconfig = join(folder, "kubeconfig");
  const named = (name: string, what: string, more: object) => [{ name, [what]: more }];
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: named("api", "cluster", { server: api.url, "insecure-skip-tls-verify": true }),
      users: named("api", "user", {}),
      contexts: named("api", "context", { cluster: "api", user: "api" }),
      "current-context": "api",
    }),
  );
  const [listen, admin] = [await freePort(), await freePort()];
  const startedAt = performance.now();
  const options = [`--kubeconfig=${kubeconfig}`, `--listen=127.0.0.1:${listen}`, `--admin-listen=127.0.0.1:${admin}`];
  const script = join(root, "operator/parley-operator.js");
  const watch = `--import=${join(import.meta.dirname, "watch-turns.js")}`;
  // As its image has it.
  const env = { ...process.env, MALLOC_ARENA_MAX: "1", MALLOC_MMAP_THRESHOLD_: "131072" };
  const operator = start(node, [watch, script, ...options, "--log-level=warn"], { name: "operator", env });
  const metrics = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
  /** The longest turns of its event loop since it was asked last, as watch-turns.js tells them. */
  const takeTurns = async (): Promise<string> => {
    const told = (): string[] => operator.output().match(/^turns .*$/gm) ?? [];
    const before = told().length;
    operator.signal("SIGUSR2");
    const line = await eventually("the turns are told", async () => told()[before], 60_000, 20);
    return line.slice("turns ".length).replaceAll('"', "");
  };
  const value = (text: string, series: string): number => sumOf(text, series) ?? Number.NaN;
  const read = async (series: string): Promise<number> => value(await metrics(), series);
  const pid = operator.pid;
  try {
    await eventually(
      "the operator is ready",
      async () => {
        const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => undefined);
        return answer?.ok === true ? true : undefined;
      },
      300_000,
      200,
    );
    await eventually(
      "everything is published",
      async () => ((await read("parley_operator_batches_total")) > 0 ? true : undefined),
      300_000,
      200,
    );
    const ready_turns_ms = await takeTurns();
    const ready = (performance.now() - startedAt) / 1000;
    const startCpu = cpuOf(pid);
    const atReady = rssOf(pid);
    await settled(pid);
    const settle_turns_ms = await takeTurns();
    const quietRss = rssOf(pid);
    const cpuBefore = cpuOf(pid);
    for (let index = 0; index < EDITS; index += 1) {
      api.editKey((index * 7919) % keys);
      await new Promise((resolve) => void setTimeout(resolve, PACE));
    }
    const cpu = cpuOf(pid) - cpuBefore;
    const edit_turns_ms = await takeTurns();
    const listsBefore = api.lists;
    const cpuBeforeRelist = cpuOf(pid);
    api.expire();
    await eventually("all was listed again", () => (api.lists - listsBefore >= 6 ? true : undefined), 300_000, 200);
    await settled(pid);
    const relist_turns_ms = await takeTurns();
    const relisted = await metrics();
    return {
      ready_s: round(ready),
      ready_cpu_s: round(startCpu),
      ready_turns_ms,
      quiet_cpu_s: round(cpuBefore),
      settle_turns_ms,
      rss_at_ready_mb: round(atReady),
      rss_quiet_mb: round(quietRss),
      rss_peak_mb: round(peakOf(pid)),
      heap_mb: round(value(relisted, "nodejs_heap_size_used_bytes") / 2 ** 20),
      cpu_ms_per_edit: round((1000 * cpu) / EDITS, 3),
      edit_turns_ms,
      relist_cpu_s: round(cpuOf(pid) - cpuBeforeRelist),
      relist_turns_ms,
      rows: value(relisted, "parley_operator_rows"),
      status_writes: api.writes,
    };
  } catch (error) {
    process.stderr.write(operator.output().slice(-2000));
    throw error;
  } finally {
    await operator.stop();
    api.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Until it takes less than a twentieth of a core for two seconds. */
async function settled(pid: number): Promise<void> {
  for (let quiet = 0; quiet < 4;) {
    const before = cpuOf(pid);
    await new Promise((resolve) => void setTimeout(resolve, 500));
    quiet = cpuOf(pid) - before < 0.025 ? quiet + 1 : 0;
  }
}

/** Seconds of CPU, of ticks of 1/100 s (proc(5)). */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
const statusOf = (pid: number, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
const rssOf = (pid: number): number => statusOf(pid, "VmRSS");
const peakOf = (pid: number): number => statusOf(pid, "VmHWM");
const round = (number: number, digits = 1): number => Math.round(number * 10 ** digits) / 10 ** digits;

const sizes = process.argv.slice(2);

for (const size of sizes.length > 0 ? sizes : ["1000x10000", "10000x100000"]) {
  const [agents = 0, keys = 0] = size.split("x").map(Number);
  process.stdout.write(`${JSON.stringify({ size, ...(await measure(agents, keys)) }, undefined, 1)}\n`);
}
