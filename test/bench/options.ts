// What the bench is asked to do. In: arguments. Out: options, or what to print instead.
import { type Instead, readFlags } from "./flags.ts";

export interface BenchOptions {
  /** Seconds of each window. */
  readonly seconds: number;
  readonly rounds: number;
  readonly json: string | undefined;
  readonly against: string | undefined;
  readonly telemetry: boolean;
}

export const USAGE = `npm run bench -- [--seconds N] [--rounds N] [--json FILE] [--against COMMIT | --telemetry]

Prints, as ratios taken in one run with interleaved windows: CPU per request, throughput, latency at a fixed rate,
delay of the first event, and memory, of a direct request, nginx, the floor (bare node:http and undici) and Parley with
key, log and metrics on. The proxy measured runs on core 1; load (wrk) and agent run on core 0.

  --seconds N       length of a window (default 3)
  --rounds N        windows of each kind (default 7; 10 with --against and --telemetry)
  --json FILE       writes the raw figures
  --against COMMIT  compares this tree with a commit in interleaved pairs; prints the median ratio and its interval
  --telemetry       compares CPU per request of the floor, of Parley with logs and traces off, as shipped, and with all on: JSON lines,
                    and over OTLP metrics, a log record of each request and traces of one in ten, to a receiver on core 0

Needs wrk, nginx and taskset (Debian: apt-get install wrk nginx-light util-linux) and two cores.`;

/** @returns the options, or a text with the exit code to end with */
export function benchOptions(argv: readonly string[]): { readonly ok: true; readonly options: BenchOptions } | Instead {
  const flags = readFlags(argv, ["seconds", "rounds", "json", "against"], USAGE, ["telemetry"]);
  if (!flags.ok) return flags;
  const { json, against, ...texts } = flags.texts;
  const seconds = Number(texts.seconds ?? 3);
  const telemetry = flags.on.telemetry === true;
  const rounds = Number(texts.rounds ?? (against === undefined && !telemetry ? 7 : 10));
  const faults = [
    ...(telemetry && against !== undefined ? ["--against and --telemetry do not go together: write one"] : []),
    ...(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60
      ? []
      : [`--seconds is ${texts.seconds}: write a whole number from 1 to 60`]),
    ...(Number.isInteger(rounds) && rounds >= 1 && rounds <= 100
      ? []
      : [`--rounds is ${texts.rounds}: write a whole number from 1 to 100`]),
  ];
  if (faults.length > 0) return { ok: false, text: faults.join("\n"), code: 2 };
  return { ok: true, options: { seconds, rounds, json, against, telemetry } };
}
