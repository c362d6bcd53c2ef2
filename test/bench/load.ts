// One window of load from wrk (a C program), and what it cost the process under test.
// In: a URL, a request, a duration. Out: requests, errors, latencies, CPU time of the process under test.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Kernel ticks per second: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS = 100;

export interface Window {
  readonly requests: number;
  readonly errors: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Microseconds. */
  readonly latency: { readonly p50: number; readonly p90: number; readonly p99: number };
  /** CPU microseconds of the process under test (its threads together) per request; undefined without one. */
  readonly cpu: number | undefined;
}

export interface Load {
  readonly url: string;
  readonly script: string;
  readonly seconds: number;
  readonly connections: number;
  /** Processes under test: an nginx master has its worker as another. */
  readonly pids: readonly number[];
}

/** User and system time of a process since its start, in microseconds. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS;
}

/** Resident memory of a process in MiB. */
export function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) / 1024;
}

/** Runs wrk on core 0. Throws when wrk cannot be run; failed requests are counted, not thrown. */
export async function load(options: Load): Promise<Window> {
  const before = options.pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
  const { stdout } = await run("taskset", [
    "-c",
    "0",
    "wrk",
    "--threads=1",
    `--connections=${options.connections}`,
    `--duration=${options.seconds}s`,
    "--timeout=10s",
    `--script=${options.script}`,
    options.url,
  ]);
  const after = options.pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
  const line = stdout.split("\n").find((text) => text.startsWith("RESULT "));
  if (line === undefined) throw new Error(`wrk said nothing usable:\n${stdout}`);
  const result = JSON.parse(line.slice(7)) as {
    requests: number;
    errors: number;
    us: number;
    p50: number;
    p90: number;
    p99: number;
  };
  const seconds = result.us / 1e6;
  return {
    requests: result.requests,
    errors: result.errors,
    seconds,
    perSecond: result.requests / seconds,
    latency: { p50: result.p50, p90: result.p90, p99: result.p99 },
    cpu: options.pids.length === 0 ? undefined : (after - before) / result.requests,
  };
}

/** A wrk script: one POST, optionally paced, and a machine-readable summary. `paceMs` is each connection's pause. */
export function wrkScript(body: string, headers: Readonly<Record<string, string>>, paceMs = 0): string {
  const quoted = (text: string): string => `[==[${text}]==]`;
  return [
    `wrk.method = "POST"`,
    `wrk.body = ${quoted(body)}`,
    ...Object.entries(headers).map(([name, value]) => `wrk.headers[ ${quoted(name)} ] = ${quoted(value)}`),
    ...(paceMs > 0 ? [`function delay() return ${paceMs} end`] : []),
    `function done(summary, latency)`,
    `  local e = summary.errors`,
    `  io.write(string.format('RESULT {"requests":%d,"errors":%d,"us":%d,"p50":%d,"p90":%d,"p99":%d}\\n', summary.requests,`,
    `    e.connect + e.read + e.write + e.status + e.timeout, summary.duration,`,
    `    latency:percentile(50), latency:percentile(90), latency:percentile(99)))`,
    `end`,
    "",
  ].join("\n");
}
