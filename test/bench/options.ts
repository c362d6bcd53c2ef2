// What the bench is asked to do. In: arguments. Out: options, or what to print instead.
import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Seconds of each window. */
  readonly seconds: number;
  readonly rounds: number;
  readonly json: string | undefined;
  readonly against: string | undefined;
}

export const USAGE = `npm run bench -- [--seconds N] [--rounds N] [--json FILE] [--against COMMIT]

Prints, as ratios taken in one run with interleaved windows: CPU per request, throughput, latency at a fixed rate,
delay of the first event, and memory, of a direct request, nginx, the floor (bare node:http and undici) and Parley with
key, log and metrics on. The proxy measured runs on core 1; load (wrk) and agent run on core 0.

  --seconds N       length of a window (default 3)
  --rounds N        windows of each kind (default 7; 10 pairs with --against)
  --json FILE       writes the raw figures
  --against COMMIT  compares this tree with a commit in interleaved pairs; prints the median ratio and its interval

Needs wrk, nginx and taskset (Debian: apt-get install wrk nginx-light util-linux) and two cores.`;

/** @returns the options, or a text with the exit code to end with */
export function benchOptions(
  argv: readonly string[],
):
  | { readonly ok: true; readonly options: BenchOptions }
  | { readonly ok: false; readonly text: string; readonly code: number } {
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        seconds: { type: "string" },
        rounds: { type: "string" },
        json: { type: "string" },
        against: { type: "string" },
        help: { type: "boolean" },
      },
    }));
  } catch (error) {
    return { ok: false, text: `${error instanceof Error ? error.message : "bad arguments"}\n\n${USAGE}`, code: 2 };
  }
  if (values["help"] === true) return { ok: false, text: USAGE, code: 0 };
  const against = values["against"] as string | undefined;
  const seconds = Number(values["seconds"] ?? 3);
  const rounds = Number(values["rounds"] ?? (against === undefined ? 7 : 10));
  const faults = [
    ...(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60
      ? []
      : [`--seconds is ${values["seconds"]}: write a whole number from 1 to 60`]),
    ...(Number.isInteger(rounds) && rounds >= 1 && rounds <= 100
      ? []
      : [`--rounds is ${values["rounds"]}: write a whole number from 1 to 100`]),
  ];
  if (faults.length > 0) return { ok: false, text: faults.join("\n"), code: 2 };
  return { ok: true, options: { seconds, rounds, json: values["json"] as string | undefined, against } };
}
