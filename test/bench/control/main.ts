// `npm run bench:control`: what a change costs and how fast it is live, on a real API server with two operators and three proxies.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApiServer, type ApiServer } from "../../harness/api-server.ts";
import { startCluster } from "../../harness/cluster.ts";
import { node } from "../../harness/gateway.ts";
import { ownNetwork } from "../../harness/own-network.ts";
import { freePort, start } from "../../harness/processes.ts";
import { checkOut } from "../check-out.ts";
import { arrival, memoryOfNew } from "./arrival.ts";
import { cost, memory, propagation } from "./measures.ts";
import { fill } from "./objects.ts";
import { controlOptions, type ControlOptions, type Size } from "./options.ts";
import { metricsOf } from "./processes.ts";
import { compare, print, type Figures } from "./report.ts";
import { createSide, prepareSide, type Side } from "./side.ts";
import type { SubscribersOptions } from "./subscribers.ts";

/**
 * Go collects the API server's garbage when this much is in use, and when it is told to; the environment's own goes first. At 110,000 objects one
 * collection of 2 GB takes seconds of the two cores that everything measured shares with it.
 */
const API_SERVER_MEMORY = { GOGC: "off", GOMEMLIMIT: "12GiB" };
/** Every five minutes it reads all objects anew and compares them with its cache: minutes of a core at 110,000. */
const API_SERVER_FLAGS = ["--feature-gates=DetectCacheInconsistency=false"];
const OPERATORS = 2;
const PROXIES = 3;
/** Edits of one turn of the cost. */
const COST_EDITS = 300;
/** Edits that are timed while synthetic subscribers are there. */
const CROWD_SAMPLES = 100;

const begun = performance.now();
function progress(line: string): void {
  const text = `${((performance.now() - begun) / 1_000).toFixed(0).padStart(5)} s  ${line}`;
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
}
/** Of what changes from moment to moment, only a terminal is told each time. */
const DETAIL_MS = 10_000;
let toldAt = 0;
function detail(line: string): void {
  if (!process.stderr.isTTY && performance.now() - toldAt < DETAIL_MS) return;
  toldAt = performance.now();
  progress(line);
}

/** Everything of one size, of all sides in turn. */
async function measure(
  sides: readonly Side[],
  trees: ReadonlyMap<Side, string | undefined>,
  fewKeys: ReadonlyMap<Side, number>,
  size: Size,
  options: ControlOptions,
  folder: string,
): Promise<readonly Figures[]> {
  const restarted = new Map<Side, number>();
  for (const side of sides) {
    progress(`${side.label}: operators and proxies are started anew`);
    const at = performance.now();
    const processes = [...side.cluster.operators, ...side.cluster.proxies];
    await Promise.all(processes.map((each) => each.restart()));
    await Promise.all(processes.map((each) => each.ready(300_000)));
    restarted.set(side, performance.now() - at);
    await side.rest();
  }
  const atRest = new Map(sides.map((side) => [side, memory(side)]));
  const collect = async (): Promise<void> => collected(sides);
  const idle = await propagation(sides, options.samples, false, collect, detail);
  const busy = await propagation(sides, options.samples, true, collect, detail);
  const costs = await cost(sides, COST_EDITS, progress);
  const figures: Figures[] = [];
  for (const side of sides) {
    progress(`${side.label}: a proxy comes, leaves and comes back`);
    const arrived = await arrival(side, folder, trees.get(side));
    const crowd = options.subscribers === 0 ? undefined : await crowded(side, options.subscribers);
    const [mine, theirs, spent] = [idle.get(side), busy.get(side), costs.get(side)];
    const rested = atRest.get(side);
    if (mine === undefined || theirs === undefined || spent === undefined || rested === undefined) continue;
    figures.push({
      size,
      label: side.label,
      idle: mine,
      busy: theirs,
      cost: spent,
      arrival: arrived,
      fewKeys: fewKeys.get(side),
      atRest: rested,
      after: memory(side),
      restartMs: restarted.get(side) ?? Number.NaN,
      crowd,
    });
  }
  return figures;
}

/** Resolves when the API server has collected its garbage: its next collection comes the later. */
async function collected([side]: readonly Side[]): Promise<void> {
  const answer = await side?.cluster.api.request("GET", "/debug/pprof/heap?gc=1");
  if (answer?.status !== 200) throw new Error(`the API server's collector cannot be run: ${answer?.status}`);
}

/** The same with many who subscribe. A tree that knows no subscription by POST is left out. */
async function crowded(side: Side, subscribers: number): Promise<Figures["crowd"]> {
  progress(`${side.label}: ${subscribers} subscribers come`);
  const holder = (await side.cluster.holder()) ?? side.cluster.operator;
  const others = side.cluster.operators.filter((operator) => operator !== holder);
  const version = /^parley_operator_table_info\{version="([0-9a-f]+)"/m.exec(await metricsOf(holder))?.[1] ?? "";
  const asked: SubscribersOptions = {
    operators: [holder, ...others].map(({ url }) => url),
    gateway: side.gateway,
    version,
    count: subscribers,
  };
  const child = start(node, [join(import.meta.dirname, "subscribers.ts"), JSON.stringify(asked)], {
    name: "subscribers",
  });
  try {
    const came = await child.line(/^subscribed$/).then(
      () => true,
      () => false,
    );
    if (!came) {
      progress(`${side.label} takes no subscribers: ${child.output().slice(0, 200)}`);
      return undefined;
    }
    const timed = await propagation([side], CROWD_SAMPLES, false, () => collected([side]), detail);
    const spent = await cost([side], COST_EDITS, progress);
    if (child.exited()) throw new Error(`subscribers were cut off:\n${child.output()}`);
    const [times, spending] = [timed.get(side), spent.get(side)];
    if (times === undefined || spending === undefined) return undefined;
    return { subscribers, propagation: times, cost: spending };
  } finally {
    child.signal("SIGKILL");
    await child.ended;
    await side.rest();
  }
}

async function run(options: ControlOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "parley-bench-control-"));
  const ends: (() => unknown)[] = [];
  try {
    progress("starting the API server");
    const { GOGC, GOMEMLIMIT } = process.env;
    const given = GOGC === undefined && GOMEMLIMIT === undefined ? API_SERVER_MEMORY : {};
    const api: ApiServer = await startApiServer(API_SERVER_FLAGS, given);
    ends.push(() => api.stop());
    await api.applyCrds();
    const port = await freePort();
    const agent = start(node, [join(import.meta.dirname, "agent.ts")], {
      name: "agent",
      env: { ...process.env, PORT: String(port) },
    });
    ends.push(() => agent.stop());
    await agent.line(/listening/);
    const upstream = `http://127.0.0.1:${port}/`;

    const trees = new Map<Side, string | undefined>();
    const begin = async (label: string, gateway: string, tree: string | undefined): Promise<void> => {
      const cluster = await startCluster({
        api,
        gateway,
        operators: OPERATORS,
        proxies: PROXIES,
        ...(tree === undefined ? {} : { tree }),
      });
      ends.push(() => cluster.stop());
      trees.set(createSide(label, gateway, cluster, upstream), tree);
    };
    await begin("this tree", "bench", undefined);
    if (options.against !== undefined) {
      const { tree, remove } = checkOut(options.against, folder);
      ends.push(remove);
      await begin(options.against, "against", tree);
    }
    const sides = [...trees.keys()];
    ends.push(() => Promise.all(sides.map(({ prober }) => prober.close())));

    const all: Figures[] = [];
    let from: Size = { agents: 0, keys: 0 };
    for (const size of options.sizes) {
      const fewKeys = new Map<Side, number>();
      for (const side of sides) {
        let there = from;
        if (from.keys === 0) {
          there = { agents: size.agents, keys: Math.min(size.agents, size.keys) };
          await fill(api, side.gateway, upstream, from, there, detail);
          await prepareSide(side, upstream);
          await side.rest();
          fewKeys.set(side, await memoryOfNew(side, folder, trees.get(side)));
        }
        await fill(api, side.gateway, upstream, there, size, detail);
        progress(`${side.label}: waiting until ${size.agents} agents and ${size.keys} keys are programmed`);
        await side.rest();
      }
      from = size;
      const figures = await measure(sides, trees, fewKeys, size, options, folder);
      all.push(...figures);
      progress("");
      const [mine, theirs] = figures;
      if (mine !== undefined && theirs !== undefined)
        console.log(`${size.agents}/${size.keys}\n${compare(mine, theirs)}\n`);
      if (options.json !== undefined)
        writeFileSync(options.json, `${JSON.stringify({ options, figures: all }, null, 2)}\n`);
    }
    console.log(
      print(
        all.filter(({ label }) => label === "this tree"),
        process.stdout.isTTY,
      ),
    );
  } finally {
    for (const end of ends.toReversed()) await Promise.resolve(end()).catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Set in the network of the bench's own, where it then runs. */
const INSIDE = "--inside";
const argv = process.argv.slice(2);
const asked = controlOptions(argv.filter((arg) => arg !== INSIDE));
if (!asked.ok) {
  (asked.code === 0 ? console.log : console.error)(asked.text);
  process.exitCode = asked.code;
} else if (!existsSync("/proc/self/stat")) {
  console.error("The bench reads CPU times from /proc: run it on Linux.");
  process.exitCode = 2;
} else if (argv.includes(INSIDE)) {
  // Whatever still runs ends with the process.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  await run(asked.options).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
} else {
  const [program, ...words] = ownNetwork() ?? [];
  if (program === undefined) {
    console.error("The bench needs a network of its own: Linux with `unshare` (util-linux) and `ip` (iproute2).");
    process.exitCode = 2;
  } else {
    const again = [process.execPath, import.meta.filename, INSIDE, ...argv];
    process.exitCode = spawnSync(program, [...words, ...again], { stdio: "inherit" }).status ?? 1;
  }
}
