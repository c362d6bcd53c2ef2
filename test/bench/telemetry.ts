// What logs, traces and metrics cost: the same proxy without them, as shipped, and with all on. In: the bench's parts. Out: a table.
import { join } from "node:path";
import { sumOf } from "../harness/exposition.ts";
import { freePort } from "../harness/processes.ts";
import type { BenchOptions } from "./options.ts";
import { floorProxy, pinnedNode, type Peer } from "./peers.ts";
import { median, medianInterval } from "./statistics.ts";
import { cpu, fixed, ratios, say, startParley, windows, type Target } from "./targets.ts";

const root = join(import.meta.dirname, "../..");
const OFF = "parley, logs and traces off";
const SHIPPED = "parley as shipped";
const ALL_ON = "parley, all on";

/** JSON lines, and over OTLP traces of one request in ten, a log record of each, and metrics more often than by default. */
const allOn = (receiver: number): NodeJS.ProcessEnv => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver}`,
  OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
  OTEL_TRACES_SAMPLER_ARG: "0.1",
  OTEL_METRIC_EXPORT_INTERVAL: "10000",
});

/** The receiver stands on the core of load and agent: its CPU is not counted. */
export async function telemetry(at: {
  readonly options: BenchOptions;
  readonly target: (name: string, url: string, pids: readonly number[]) => Target;
  readonly folder: string;
  readonly feedUrl: string;
  readonly started: (peer: Promise<Peer>) => Promise<Peer>;
  readonly agentPort: number;
}): Promise<Record<string, unknown>> {
  const { options, target, started } = at;
  const [floorPort, receiverPort] = [await freePort(), await freePort()];
  const floor = await started(floorProxy(floorPort, at.agentPort));
  await started(
    pinnedNode(join(root, "test/bench/otlp-receiver.ts"), [], { PORT: String(receiverPort) }, /listening/, 0),
  );
  const parley = async (more: Parameters<typeof startParley>[3]) => {
    const running = await startParley(root, at.feedUrl, at.folder, more);
    await started(Promise.resolve(running.peer));
    return { ...running, url: `http://127.0.0.1:${running.port}/a2a/bench`, pids: running.peer.pids };
  };
  const [off, shipped, on] = [
    await parley({ args: ["--log-requests=off"] }),
    await parley({}),
    await parley({ env: allOn(receiverPort) }),
  ];
  const figures = await windows(
    [
      target("floor", `http://127.0.0.1:${floorPort}/`, floor.pids),
      target(OFF, off.url, off.pids),
      target(SHIPPED, shipped.url, shipped.pids),
      target(ALL_ON, on.url, on.pids),
    ],
    options,
    (t) => t.script,
    "telemetry",
  );
  say(`medians of ${options.rounds} interleaved windows of ${options.seconds} s; ratios with their intervals`);
  say(`${"".padEnd(30)} CPU µs/req   ÷ logs and traces off      ÷ floor`);
  for (const [name, mine] of figures) {
    const ratio = (to: string): string => {
      const each = ratios(mine, figures.get(to) ?? [], cpu);
      const [low, high] = medianInterval(each);
      return `${fixed(median(each), 3)} [${fixed(low, 3)}, ${fixed(high, 3)}]`;
    };
    const columns = [
      fixed(median(mine.map(cpu)), 1).padStart(10),
      ratio(OFF).padStart(22),
      ratio("floor").padStart(22),
    ];
    say(`  ${name.padEnd(28)} ${columns.join("  ")}`);
  }
  const metrics = await (await fetch(`${on.admin}/metrics`)).text();
  const count = (name: string, signal: string): number => sumOf(metrics, name, `signal="${signal}"`) ?? 0;
  for (const signal of ["logs", "traces"]) {
    const [sent, dropped] = [count("parley_otlp_sent_total", signal), count("parley_otlp_dropped_total", signal)];
    say(`  ${signal} of ${sent} requests were taken by the receiver, of ${dropped} dropped`);
  }
  return Object.fromEntries(figures);
}
