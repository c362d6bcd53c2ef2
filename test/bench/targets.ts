// What a bench sends load to, and how. In: trees, URLs, options. Out: running proxies, and windows of load that take turns.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { eventually, freePort } from "../harness/processes.ts";
import { load, type Window } from "./load.ts";
import type { BenchOptions } from "./options.ts";
import { pinnedNode, type Peer } from "./peers.ts";

export const CONNECTIONS = 10;
/** Rounds before the first that counts: V8 goes on compiling for some ten thousand requests. */
const WARM_UP = 2;

export interface Target {
  readonly name: string;
  readonly url: string;
  readonly script: string;
  readonly paced: string;
  readonly pids: readonly number[];
}

export interface RunningParley {
  readonly peer: Peer;
  readonly port: number;
  /** URL of its admin listener. */
  readonly admin: string;
}

/** Starts a proxy of a tree over the table that `operator` serves, and waits until it answers. */
export async function startParley(
  tree: string,
  operator: string,
  folder: string,
  more: { readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<RunningParley> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const admin = `http://127.0.0.1:${adminPort}`;
  const peer = await pinnedNode(
    [join(tree, "proxy/parley-proxy.js"), join(tree, "proxy/main.ts")].find(existsSync) ?? "",
    [
      `--operators=${operator}`,
      `--listen=127.0.0.1:${port}`,
      `--admin-listen=127.0.0.1:${adminPort}`,
      `--last-good=${join(folder, `last-good-${port}`)}`,
      "--log-format=json",
      ...(more.args ?? []),
    ],
    more.env ?? {},
    /\S/,
  );
  await eventually("the proxy is ready", async () =>
    (await fetch(`${admin}/readyz`)).status === 200 ? true : undefined,
  );
  return { peer, port, admin };
}

const progress = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
};

/** Interleaves windows of all targets; every target of a round sees the same minute of the machine. */
export async function windows(
  targets: readonly Target[],
  options: BenchOptions,
  script: (target: Target) => string,
  what: string,
): Promise<Map<string, Window[]>> {
  const figures = new Map<string, Window[]>(targets.map((target) => [target.name, []]));
  for (let round = -WARM_UP; round < options.rounds; round += 1) {
    for (const target of targets) {
      progress(`${what}: round ${Math.max(round + 1, 0)}/${options.rounds}, ${target.name}`);
      const window = await load({
        url: target.url,
        script: script(target),
        seconds: options.seconds,
        connections: CONNECTIONS,
        pids: target.pids,
      });
      if (window.errors > 0) throw new Error(`${target.name}: ${window.errors} of ${window.requests} requests failed`);
      if (round >= 0) figures.get(target.name)?.push(window);
    }
  }
  progress("");
  return figures;
}

/** Of each round, what `a` is times `b`. */
export const ratios = (a: readonly Window[], b: readonly Window[], of: (window: Window) => number): readonly number[] =>
  a.map((window, i) => of(window) / of(b[i] ?? window));
export const cpu = (window: Window): number => window.cpu ?? Number.NaN;
export const fixed = (n: number, digits = 2): string => (Number.isFinite(n) ? n.toFixed(digits) : "-");
export const say = (line = ""): void => console.log(line);
