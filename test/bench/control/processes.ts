// What a process costs. In: a process and its admin listener. Out: CPU time, memory, and series of its metrics.
import { readdirSync, readFileSync } from "node:fs";
import { sumOf } from "../../harness/exposition.ts";
import type { ParleyProcess } from "../../harness/gateway.ts";

/** CPU microseconds of all threads of a process since its start, to the nanosecond of the scheduler; a thread that ended is not in it. */
export function cpuOf({ child }: ParleyProcess): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${child.pid}/task`))
    sum += Number(readFileSync(`/proc/${child.pid}/task/${task}/schedstat`, "latin1").split(" ")[0]) / 1_000;
  return sum;
}

/** Resident memory in MB (10⁶ bytes). */
export function memoryOf({ child }: ParleyProcess): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "latin1"))?.[1];
  return (Number(kib) * 1024) / 1e6;
}

/** The exposition of a process. Reading it begins a new period for the delay of its event loop. */
export async function metricsOf({ adminUrl }: ParleyProcess): Promise<string> {
  return await (await fetch(`${adminUrl}/metrics`)).text();
}

/** Sum of the samples of a metric; NaN when there are none. */
export function sum(exposition: string, name: string): number {
  return sumOf(exposition, name) ?? Number.NaN;
}

/** Node samples the delay of the event loop every 10 ms, and the 10 ms are in what it reports. */
const SAMPLED_MS = 10;

/** Milliseconds that the event loop was late, at the 99th percentile, since `metricsOf` was last called. */
export const loopDelay = (exposition: string): number =>
  Math.max(0, sum(exposition, "nodejs_eventloop_lag_p99_seconds") * 1_000 - SAMPLED_MS);
