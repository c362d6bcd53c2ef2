// What is printed of the figures. In: figures by size. Out: lines of a table, each with its aim and whether it is met.
import { median, quantile } from "../statistics.ts";
import type { Arrival } from "./arrival.ts";
import type { Cost, Memory, Propagation } from "./measures.ts";
import type { Size } from "./options.ts";

/** Everything measured of one side at one size. */
export interface Figures {
  readonly size: Size;
  readonly label: string;
  readonly idle: Propagation;
  readonly busy: Propagation;
  readonly cost: Cost;
  readonly arrival: Arrival;
  /** MB of a new proxy with as many keys as agents, where that was measured on the way. */
  readonly fewKeys: number | undefined;
  /** Of processes that were started with everything there, and after all measures. */
  readonly atRest: Memory;
  readonly after: Memory;
  /** Milliseconds until operators and proxies that are started anew are ready. */
  readonly restartMs: number;
  readonly crowd: { readonly subscribers: number; readonly propagation: Propagation; readonly cost: Cost } | undefined;
}

export interface Line {
  readonly name: string;
  readonly unit: string;
  readonly digits: number;
  readonly values: readonly number[];
  /** The most that is wanted, by size; undefined: it is told only. */
  readonly aims: readonly (number | undefined)[];
}

const p = (q: number, ...samples: readonly (readonly number[])[]): number => quantile(samples.flat(), q);
const SMALL = 1_000;
const LARGE = 10_000;
/** Of fewer samples the 99th percentile is one of them, and judged by nobody. */
const ENOUGH = 50;

/** One line a figure; the ratio of sizes compares each with the first. */
export function linesOf(figures: readonly Figures[]): readonly Line[] {
  const lines: Line[] = [];
  const line = (
    name: string,
    unit: string,
    digits: number,
    of: (figures: Figures) => number,
    aim?: number | ((size: Size) => number | undefined),
  ): void => {
    lines.push({
      name,
      unit,
      digits,
      values: figures.map(of),
      aims: figures.map(({ size }) => (typeof aim === "function" ? aim(size) : aim)),
    });
  };
  for (const [when, of, aim] of [
    ["idle", (f: Figures) => f.idle, 50],
    ["busy", (f: Figures) => f.busy, 100],
  ] as const) {
    line(`agent edit live, ${when}, p50`, "ms", 1, (f) => p(0.5, of(f).agents));
    const enough = figures.every((f) => of(f).keys.length >= ENOUGH);
    line(`agent edit live, ${when}, p99`, "ms", 1, (f) => p(0.99, of(f).agents), enough ? aim : undefined);
    line(`new key live, ${when}, p50`, "ms", 1, (f) => p(0.5, of(f).keys));
    line(`new key live, ${when}, p99`, "ms", 1, (f) => p(0.99, of(f).keys), enough ? aim : undefined);
    line(`  after the API server's answer, p99`, "ms", 1, (f) => p(0.99, of(f).afterAnswer));
    line(`revocation, ${when}, p99`, "ms", 1, (f) => p(0.99, of(f).revocations), 1_000);
    line(`wrong answers, ${when}`, "", 0, (f) => of(f).wrong.length, 0);
  }
  line("other edits meanwhile", "/s", 1, (f) => f.busy.others);
  const [first] = figures;
  const ratio = (of: (f: Figures) => readonly number[]) => (f: Figures) => median(of(f)) / median(of(first ?? f));
  const twice = ({ agents }: Size): number | undefined => (agents === first?.size.agents ? undefined : 2);
  line("CPU of an edit, operators", "µs", 0, (f) => median(f.cost.operators));
  line("  of it the Lease holder", "µs", 0, (f) => median(f.cost.holder));
  line("CPU of an edit, a proxy", "µs", 0, (f) => median(f.cost.proxy));
  line(
    "  operators ÷ smallest size",
    "×",
    2,
    ratio((f) => f.cost.operators),
    twice,
  );
  line(
    "  a proxy ÷ smallest size",
    "×",
    2,
    ratio((f) => f.cost.proxy),
    twice,
  );
  line("status writes of an edit", "", 2, (f) => median(f.cost.writes), 1.05);
  line("event loop late, proxy, p99", "ms", 1, (f) => Math.max(...f.cost.proxyDelay), 20);
  line("event loop late, operator, p99", "ms", 1, (f) => Math.max(...f.cost.operatorDelay));
  line("requests that failed", "", 0, (f) => f.cost.failedRequests, 0);
  if (figures.some(({ fewKeys }) => fewKeys !== undefined)) {
    line(
      "memory of a new proxy, keys as agents",
      "MB",
      0,
      (f) => f.fewKeys ?? Number.NaN,
      ({ agents }) => (agents > SMALL ? undefined : 110),
    );
  }
  line(
    "memory of a new proxy",
    "MB",
    0,
    (f) => f.arrival.memory,
    ({ agents }) => (agents > LARGE ? undefined : 250),
  );
  line(
    "memory of a proxy, after all",
    "MB",
    0,
    (f) => f.after.proxy,
    ({ agents }) => (agents > LARGE ? undefined : 250),
  );
  line("memory of an operator, started", "MB", 0, (f) => f.atRest.operator);
  line(
    "memory of an operator, after all",
    "MB",
    0,
    (f) => f.after.operator,
    ({ agents }) => (agents > LARGE ? undefined : 400),
  );
  line("all started anew until ready", "ms", 0, (f) => f.restartMs);
  line("a new proxy until ready", "ms", 0, (f) => f.arrival.readyMs);
  line("bytes of a snapshot", "KiB", 0, (f) => f.arrival.snapshotBytes / 1024);
  line("bytes after one change", "KiB", 1, (f) => f.arrival.reconnectBytes / 1024);
  line("  of the snapshot", "%", 2, (f) => (f.arrival.reconnectBytes / f.arrival.snapshotBytes) * 100, 1);
  if (figures.some(({ crowd }) => crowd !== undefined)) {
    const crowd = (of: (crowd: NonNullable<Figures["crowd"]>) => number) => (f: Figures) =>
      f.crowd === undefined ? Number.NaN : of(f.crowd);
    line(
      "agent edit live, with subscribers, p99",
      "ms",
      1,
      crowd(({ propagation }) => p(0.99, propagation.agents)),
      50,
    );
    line(
      "new key live, with subscribers, p99",
      "ms",
      1,
      crowd(({ propagation }) => p(0.99, propagation.keys)),
      50,
    );
    line(
      "revocation, with subscribers, p99",
      "ms",
      1,
      crowd(({ propagation }) => p(0.99, propagation.revocations)),
      1_000,
    );
    line(
      "CPU of an edit, operators, with subscribers",
      "µs",
      0,
      crowd(({ cost }) => median(cost.operators)),
    );
  }
  return lines;
}

/** The lines as text; `colours`: for a terminal. */
export function print(figures: readonly Figures[], colours: boolean): string {
  const paint = (text: string, code: number): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const width = 44;
  const column = 22;
  const head = figures.map(({ size, label }) => `${label} ${size.agents}/${size.keys}`.padStart(column));
  const rows = linesOf(figures).map(({ name, unit, digits, values, aims }) => {
    const cells = values.map((value, n) => {
      const aim = aims[n];
      const text = Number.isFinite(value) ? `${value.toFixed(digits)} ${unit}`.trim() : "-";
      if (aim === undefined || !Number.isFinite(value)) return text.padStart(column);
      const good = value <= aim;
      const verdict = `≤${aim} ${good ? "pass" : "MISS"}`;
      return `${text.padStart(column - verdict.length - 1)} ${paint(verdict, good ? 32 : 31)}`;
    });
    return `${name.padEnd(width)}${cells.join(" ")}`;
  });
  return [`${"agents/keys".padEnd(width)}${head.join(" ")}`, ...rows].join("\n");
}

/** Ratios of two sides at one size, figure by figure. */
export function compare(mine: Figures, theirs: Figures): string {
  const [a, b] = [linesOf([mine]), linesOf([theirs])];
  const rows = a.map(({ name, unit, digits, values: [now = Number.NaN] }, n) => {
    const then = b[n]?.values[0] ?? Number.NaN;
    const text = (value: number): string => (Number.isFinite(value) ? value.toFixed(digits) : "-").padStart(11);
    return `${name.padEnd(44)}${text(now)}${text(then)} ${unit.padEnd(4)}${(now / then).toFixed(3).padStart(8)}`;
  });
  return [
    `${"".padEnd(44)}${mine.label.padStart(11)}${theirs.label.slice(0, 10).padStart(11)}      ratio`,
    ...rows,
  ].join("\n");
}
