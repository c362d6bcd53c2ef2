// What the control bench is asked to do. In: arguments. Out: options, or what to print instead.
import { type Instead, readFlags } from "../flags.ts";

export interface Size {
  readonly agents: number;
  readonly keys: number;
}

export interface ControlOptions {
  readonly sizes: readonly Size[];
  /** Edits of each kind of propagation that are timed. */
  readonly samples: number;
  readonly subscribers: number;
  readonly json: string | undefined;
  readonly against: string | undefined;
}

export const USAGE = `npm run bench:control -- [--sizes LIST] [--samples N] [--subscribers N] [--json FILE] [--against COMMIT]

Measures the way of a change: a real API server, two operators, three proxies, each a process. Prints, against the aims: time from sending an
apply to 200 on every proxy (probed every 5 ms) idle and under 50 edits a second, time of a revocation, CPU of an edit, delay of event
loops, memory, time until a new proxy is ready, bytes after a reconnect, writes of statuses, and the same with many subscribers.

  --sizes LIST      agents/keys, ascending, 100/100 at least (default 1000/10000,10000/100000)
  --samples N       edits that are timed, of each kind (default 300; of less than 100 no p99 is judged); with subscribers always 100
  --subscribers N   synthetic subscribers in the last part (default 100; 0 leaves it out)
  --json FILE       writes the raw figures
  --against COMMIT  runs another commit beside this tree, over objects of its own, and takes turns with it; prints ratios
  --help            prints this

It takes some six minutes for each size. MISS is told and fails nothing: the exit code is 0 once everything was measured. It needs Linux with
unshare and ip, and what the feature tests need (Go for the API server, once).`;

/** @returns the options, or a text with the exit code to end with */
export function controlOptions(
  argv: readonly string[],
): { readonly ok: true; readonly options: ControlOptions } | Instead {
  const flags = readFlags(argv, ["sizes", "samples", "subscribers", "json", "against"], USAGE);
  if (!flags.ok) return flags;
  const { json, against, ...texts } = flags.texts;
  const sizes = (texts.sizes ?? "1000/10000,10000/100000")
    .split(",")
    .map((size) => /^(\d+)\/(\d+)$/.exec(size))
    .map((match) => ({ agents: Number(match?.[1]), keys: Number(match?.[2]) }));
  const samples = Number(texts.samples ?? 300);
  const subscribers = Number(texts.subscribers ?? 100);
  const grows = sizes.every(
    ({ agents, keys }, n) => agents > (sizes[n - 1]?.agents ?? 99) && keys > (sizes[n - 1]?.keys ?? 99),
  );
  const faults = [
    ...(grows
      ? []
      : [`--sizes is ${texts.sizes}: write AGENTS/KEYS,…, each larger than the one before, 100/100 at least`]),
    ...(Number.isInteger(samples) && samples >= 10
      ? []
      : [`--samples is ${texts.samples}: write a whole number from 10 on`]),
    ...(Number.isInteger(subscribers) && subscribers >= 0
      ? []
      : [`--subscribers is ${texts.subscribers}: write a whole number`]),
  ];
  if (faults.length > 0) return { ok: false, text: faults.join("\n"), code: 2 };
  return { ok: true, options: { sizes, samples, subscribers, json, against } };
}
