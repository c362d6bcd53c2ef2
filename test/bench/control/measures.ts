// What is measured of gateways that take turns. In: sides of equal size. Out: figures by side.
import { setTimeout as pause } from "node:timers/promises";
import { quantile } from "../statistics.ts";
import { cpuOf, loopDelay, memoryOf, metricsOf } from "./processes.ts";
import type { Side } from "./side.ts";

export const BACKGROUND = 50;
/**
 * Milliseconds between two timed edits, at least: what follows on an edit is over by then. And how many more there are at most, by chance: after a
 * wait of one length each edit would come at the same moment between two batches of an operator.
 */
const BETWEEN_MS = 100;
const BETWEEN_MORE_MS = 50;
/** Requests a second, over all proxies, while event loops are watched. */
const LOAD = 300;
/** Milliseconds after the last edit in which what follows on it happens. */
const SETTLED_MS = 2_000;
/** Times that sides take turns for the cost of an edit. */
const TURNS = 3;

export interface Propagation {
  /** Milliseconds of each edit. */
  readonly agents: number[];
  readonly keys: number[];
  /** Milliseconds from sending the deletion, and from its answer, to 401 of the last proxy. */
  readonly revocations: number[];
  /** Milliseconds from the API server's answer to an edit until it was live; 0 where it was live before. */
  readonly afterAnswer: number[];
  readonly wrong: string[];
  /** Other edits a second that went on meanwhile, of the part with the fewest; infinite when there were none. */
  others: number;
}

/** Edits that wait for the API server at once, as from so many clients; when it is slower than the rate, the rate is what it can do. */
const MOST_WAITING = 8;

/** Edits at a rate until it is stopped; an edit that fails fails `stop`. */
export function background(side: Side, perSecond: number): { stop(): Promise<{ sent: number; perSecond: number }> } {
  const running = new Set<Promise<unknown>>();
  const faults: unknown[] = [];
  const begun = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    while (running.size < MOST_WAITING && sent < ((performance.now() - begun) / 1_000) * perSecond) {
      sent += 1;
      const one: Promise<unknown> = side
        .edit()
        .catch((error: unknown) => faults.push(error))
        .finally(() => running.delete(one));
      running.add(one);
    }
  }, 5);
  return {
    stop: async () => {
      clearInterval(timer);
      const seconds = (performance.now() - begun) / 1_000;
      await Promise.all(running);
      if (faults.length > 0) throw faults[0];
      return { sent, perSecond: sent / seconds };
    },
  };
}

/** Edits of each kind that are timed between two collections of the API server's garbage. */
const PART = 50;
/**
 * Edits of each kind before the first that counts: processes that have just started compile what an edit needs, and the API server's heap
 * takes the memory of a part from the system page by page, which it keeps.
 */
const WARM_UP = PART;

/**
 * Times `samples` edits of each side, half of them of agents and half of keys; with `busy` each while its gateway has other edits.
 * `collect` is awaited before each part of them, with nothing going on.
 */
export async function propagation(
  sides: readonly Side[],
  samples: number,
  busy: boolean,
  collect: () => Promise<void>,
  say: (line: string) => void,
): Promise<ReadonlyMap<Side, Propagation>> {
  const figures = new Map(
    sides.map((side): [Side, Propagation] => [
      side,
      { agents: [], keys: [], revocations: [], afterAnswer: [], wrong: [], others: Number.POSITIVE_INFINITY },
    ]),
  );
  const what = busy ? `under ${BACKGROUND} edits a second` : "idle";
  const pairs = samples / 2;
  for (let from = -WARM_UP; from < pairs; from += PART) {
    await collect();
    const others = (busy ? sides : []).map((side) => ({ side, work: background(side, BACKGROUND / sides.length) }));
    for (let n = from; n < Math.min(from + PART, pairs); n += 1) {
      for (const [side, figure] of figures) await timePair(side, figure, n >= 0);
      if (n < 0) {
        say(`propagation ${what}: warming up, ${n + WARM_UP + 1} of ${WARM_UP}`);
        continue;
      }
      const first = figures.get(sides[0] as Side);
      say(`propagation ${what}: ${2 * (n + 1)} of ${samples}, p50 ${quantile(first?.agents ?? [], 0.5).toFixed(1)} ms`);
    }
    for (const { side, work } of others) {
      const { perSecond } = await work.stop();
      const figure = figures.get(side);
      if (figure !== undefined && from >= 0) figure.others = Math.min(figure.others, perSecond);
    }
  }
  return figures;
}

/** One edit of an agent, and a key that comes and goes; of those that are not `counted` only wrong answers are told. */
async function timePair(side: Side, figure: Propagation, counted: boolean): Promise<void> {
  const between = (): Promise<void> => pause(BETWEEN_MS + Math.random() * BETWEEN_MORE_MS);
  const renamed = await side.renameAgent();
  await between();
  const { came, went } = await side.comeAndGo();
  await between();
  figure.wrong.push(...renamed.wrong, ...came.wrong, ...went.wrong);
  if (!counted) return;
  figure.agents.push(renamed.ms);
  figure.keys.push(came.ms);
  figure.revocations.push(went.ms);
  figure.afterAnswer.push(renamed.sinceAnswer, came.sinceAnswer);
}

export interface Cost {
  /** CPU microseconds of one edit: of all operators, of the one that holds the Lease, of one proxy (the mean of them). */
  readonly operators: number[];
  readonly holder: number[];
  readonly proxy: number[];
  /** Writes of statuses per edit. */
  readonly writes: number[];
  /** Milliseconds that event loops were late at the 99th percentile, with requests going on: the worst of the proxies, of the operators. */
  readonly proxyDelay: number[];
  readonly operatorDelay: number[];
  failedRequests: number;
}

interface Clock {
  readonly operators: number;
  readonly holder: number;
  readonly proxy: number;
  readonly writes: number;
}

async function read(side: Side): Promise<Clock> {
  const { operators, proxies } = side.cluster;
  const holder = (await side.cluster.holder()) ?? side.cluster.operator;
  return {
    writes: await side.statusWrites(),
    operators: operators.reduce((total, one) => total + cpuOf(one), 0),
    holder: cpuOf(holder),
    proxy: proxies.reduce((total, one) => total + cpuOf(one), 0) / proxies.length,
  };
}

/** The CPU of `edits` edits at the background's rate, less what the same time costs at rest; then event loops under requests and edits. */
export async function cost(
  sides: readonly Side[],
  edits: number,
  say: (line: string) => void,
): Promise<ReadonlyMap<Side, Cost>> {
  const figures = new Map(
    sides.map((side): [Side, Cost] => [
      side,
      { operators: [], holder: [], proxy: [], writes: [], proxyDelay: [], operatorDelay: [], failedRequests: 0 },
    ]),
  );
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const [side, figure] of figures) {
      say(`cost of an edit, ${side.label}: turn ${turn + 1} of ${TURNS}`);
      await side.rest();
      const ms = (edits / BACKGROUND) * 1_000;
      const quietBegun = performance.now();
      const before = await read(side);
      await pause(ms / 2);
      const quiet = await read(side);
      const quietMs = performance.now() - quietBegun;
      const begun = performance.now();
      const work = background(side, BACKGROUND);
      await pause(ms);
      const { sent } = await work.stop();
      await pause(SETTLED_MS);
      const after = await read(side);
      const share = (performance.now() - begun) / quietMs;
      const each = (of: keyof Clock): number => (after[of] - quiet[of] - (quiet[of] - before[of]) * share) / sent;
      figure.operators.push(each("operators"));
      figure.holder.push(each("holder"));
      figure.proxy.push(each("proxy"));
      figure.writes.push((after.writes - quiet.writes) / sent);

      const { proxies, operators } = side.cluster;
      const processes = [...proxies, ...operators];
      await Promise.all(processes.map(metricsOf));
      const requests = side.prober.load(side.path, side.token, LOAD);
      const more = background(side, BACKGROUND);
      await pause(ms);
      const delays = (await Promise.all(processes.map(metricsOf))).map(loopDelay);
      await more.stop();
      const { failed } = await requests.stop();
      figure.failedRequests += failed;
      figure.proxyDelay.push(Math.max(...delays.slice(0, proxies.length)));
      figure.operatorDelay.push(Math.max(...delays.slice(proxies.length)));
    }
  }
  return figures;
}

export interface Memory {
  /** MB of the largest. */
  readonly operator: number;
  readonly proxy: number;
}

export const memory = ({ cluster }: Side): Memory => ({
  operator: Math.max(...cluster.operators.map(memoryOf)),
  proxy: Math.max(...cluster.proxies.map(memoryOf)),
});
