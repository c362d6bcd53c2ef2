// Watches the turns of the event loop of a process that it is preloaded into (`--import`). In: SIGUSR2. Out: a line of JSON on its error
// output, of the time since it was last asked, in milliseconds: `cpu` the most CPU that a turn took on the main thread, which a busy machine
// does not change; `own` the same without the pauses of the garbage collector; `gc` the longest such pause, `minor` of young objects alone.
import { constants, PerformanceObserver, performance } from "node:perf_hooks";

/** Turns of less are of no interest. */
const LONG_MS = 2;
const turns = [];
const pauses = [];

const cpuNow = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
let cpu = cpuNow();
let begun = performance.now();
const turn = () => {
  const [cpuAfter, ended] = [cpuNow(), performance.now()];
  if (cpuAfter - cpu > LONG_MS) turns.push({ begun, ended, cpu: cpuAfter - cpu });
  [cpu, begun] = [cpuAfter, ended];
  setTimeout(turn, 1).unref();
};
turn();

new PerformanceObserver((list) => {
  for (const { startTime, duration, detail } of list.getEntries()) {
    pauses.push({ begun: startTime, ms: duration, isMinor: detail.kind === constants.NODE_PERFORMANCE_GC_MINOR });
  }
}).observe({ entryTypes: ["gc"] });

const longest = (list) => Math.round(10 * list.reduce((most, ms) => Math.max(most, ms), 0)) / 10;
const tell = () => {
  const own = turns.map((one) => {
    const inside = pauses.filter((pause) => pause.begun >= one.begun && pause.begun < one.ended);
    return one.cpu - inside.reduce((sum, { ms }) => sum + ms, 0);
  });
  const told = {
    cpu: longest(turns.map((one) => one.cpu)),
    own: longest(own),
    gc: longest(pauses.filter(({ isMinor }) => !isMinor).map(({ ms }) => ms)),
    minor: longest(pauses.filter(({ isMinor }) => isMinor).map(({ ms }) => ms)),
  };
  turns.length = 0;
  pauses.length = 0;
  process.stderr.write(`turns ${JSON.stringify(told)}\n`);
  // The telling itself is no turn of theirs.
  [cpu, begun] = [cpuNow(), performance.now()];
};
// Pauses are told of a little later than they were.
process.on("SIGUSR2", () => setTimeout(tell, 100));
