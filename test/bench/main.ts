// `npm run bench`: what Parley costs, as ratios against a direct request, nginx and the floor, all taken in one run.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../harness/processes.ts";
import { checkOut } from "./check-out.ts";
import { startTableOperator } from "../harness/table-operator.ts";
import { BENCH_TOKEN, benchTable } from "./feed.ts";
import { firstEvents } from "./first-event.ts";
import { memoryOf, wrkScript, type Window } from "./load.ts";
import { benchOptions, type BenchOptions } from "./options.ts";
import { floorProxy, nginxAgent, nginxProxy, pinnedNode, type Peer } from "./peers.ts";
import { median, medianInterval, quantile } from "./statistics.ts";
import { CONNECTIONS, cpu, fixed, ratios, say, startParley, windows, type Target } from "./targets.ts";
import { telemetry } from "./telemetry.ts";

const root = join(import.meta.dirname, "../..");
/** Ten connections that pause 10 ms between requests: about a thousand requests a second. */
const PACE_MS = 10;
const REST_AGENTS = 1_000;
const REST_KEYS = 1_000;

const request = JSON.stringify({
  jsonrpc: "2.0",
  id: "3f1c1d2e-6c0e-4a53-9c55-0e6f2b6a6a10",
  method: "message/send",
  params: {
    message: {
      kind: "message",
      role: "user",
      messageId: "9229e770767c449b9b0b0cd9ef4cb8ee",
      parts: [{ kind: "text", text: "What is the weather in the mountains this afternoon? ".repeat(4) }],
    },
  },
});
const answer = JSON.stringify({
  jsonrpc: "2.0",
  id: "3f1c1d2e-6c0e-4a53-9c55-0e6f2b6a6a10",
  result: {
    kind: "task",
    id: "363422be-b0f9-4692-a24d-278670e7c7f1",
    contextId: "c295ea44-7543-4f78-b524-7a38915ad6e4",
    status: { state: "completed", timestamp: "2026-01-01T00:00:00Z" },
    artifacts: [
      {
        artifactId: "a",
        name: "answer",
        parts: [{ kind: "text", text: "Sunny with a light wind from the west. ".repeat(8) }],
      },
    ],
  },
});

async function run(options: BenchOptions): Promise<void> {
  for (const tool of ["wrk", "nginx", "taskset"]) {
    if (spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0)
      throw new Error(`${tool} is missing: apt-get install wrk nginx-light util-linux`);
  }
  const folder = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const ends: (() => unknown)[] = [];
  try {
    const [agentPort, nginxPort, floorPort, streamPort] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const started = async (peer: Promise<Peer>): Promise<Peer> => {
      const up = await peer;
      ends.push(() => up.child.stop());
      return up;
    };
    await started(nginxAgent(join(folder, "agent"), agentPort, answer));
    await started(pinnedNode(join(root, "test/bench/stream-agent.ts"), [], { PORT: String(streamPort) }, /listening/));
    const table = benchTable(
      REST_AGENTS,
      REST_KEYS,
      `http://127.0.0.1:${agentPort}/`,
      `http://127.0.0.1:${streamPort}/`,
    );
    const feed = await startTableOperator(table);
    ends.push(() => feed.close());

    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${BENCH_TOKEN}` };
    const script = join(folder, "load.lua");
    const paced = join(folder, "paced.lua");
    writeFileSync(script, wrkScript(request, headers));
    writeFileSync(paced, wrkScript(request, headers, PACE_MS));
    const target = (name: string, url: string, pids: readonly number[]): Target => ({ name, url, script, paced, pids });

    const raw: Record<string, unknown> = { machine: { cores: 2, connections: CONNECTIONS }, options };
    if (options.against !== undefined) {
      const { tree: old, remove } = checkOut(options.against, folder);
      ends.push(remove);
      const [now, then] = [await startParley(root, feed.url, folder), await startParley(old, feed.url, folder)];
      ends.push(
        () => now.peer.child.stop(),
        () => then.peer.child.stop(),
      );
      const pair = [
        target("this tree", `http://127.0.0.1:${now.port}/a2a/bench`, now.peer.pids),
        target(options.against, `http://127.0.0.1:${then.port}/a2a/bench`, then.peer.pids),
      ];
      const figures = await windows(pair, options, (t) => t.script, "pairs");
      raw["pairs"] = Object.fromEntries(figures);
      const [mine = [], theirs = []] = [figures.get("this tree"), figures.get(options.against)];
      say(`this tree / ${options.against}, ${options.rounds} interleaved pairs: median ratio [interval]`);
      for (const [name, of] of [
        ["CPU per request", cpu],
        ["requests per second", (w: Window) => w.perSecond],
        ["latency p50", (w: Window) => w.latency.p50],
        ["latency p99", (w: Window) => w.latency.p99],
      ] as const) {
        const each = ratios(mine, theirs, of);
        const [low, high] = medianInterval(each);
        say(`  ${name.padEnd(22)} ${fixed(median(each), 3)}  [${fixed(low, 3)}, ${fixed(high, 3)}]`);
      }
    } else if (options.telemetry)
      raw["telemetry"] = await telemetry({ options, target, folder, feedUrl: feed.url, started, agentPort });
    else
      await compare({
        options,
        target,
        raw,
        folder,
        feedUrl: feed.url,
        started,
        agentPort,
        nginxPort,
        floorPort,
        streamPort,
      });
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(raw, null, 2)}\n`);
  } finally {
    for (const end of ends.toReversed()) await end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(at: {
  readonly options: BenchOptions;
  readonly target: (name: string, url: string, pids: readonly number[]) => Target;
  readonly raw: Record<string, unknown>;
  readonly folder: string;
  readonly feedUrl: string;
  readonly started: (peer: Promise<Peer>) => Promise<Peer>;
  readonly agentPort: number;
  readonly nginxPort: number;
  readonly floorPort: number;
  readonly streamPort: number;
}): Promise<void> {
  const { options, target, raw } = at;
  const nginx = await at.started(nginxProxy(join(at.folder, "nginx"), at.nginxPort, at.agentPort));
  const floor = await at.started(floorProxy(at.floorPort, at.agentPort));
  // The first start of all compiles the sources, and keeps what that took: memory is that of one that finds them compiled, as in an image.
  spawnSync(process.execPath, [join(root, "proxy/parley-proxy.js"), "--version"]);
  const parley = await startParley(root, at.feedUrl, at.folder);
  await at.started(Promise.resolve(parley.peer));
  const atRest = memoryOf(parley.peer.child.pid);

  const targets = [
    target("direct", `http://127.0.0.1:${at.agentPort}/`, []),
    target("nginx", `http://127.0.0.1:${at.nginxPort}/`, nginx.pids),
    target("floor", `http://127.0.0.1:${at.floorPort}/`, floor.pids),
    target("parley", `http://127.0.0.1:${parley.port}/a2a/bench`, parley.peer.pids),
  ];
  const full = await windows(targets, options, (t) => t.script, "full load");
  const slow = await windows(targets, options, (t) => t.paced, "fixed rate");
  const events = await firstEvents(
    [
      { name: "direct", origin: `http://127.0.0.1:${at.streamPort}`, path: "/", token: undefined },
      { name: "parley", origin: `http://127.0.0.1:${parley.port}`, path: "/a2a/stream", token: BENCH_TOKEN },
    ],
    request.replace("message/send", "message/stream"),
    300,
  );
  raw["full"] = Object.fromEntries(full);
  raw["fixedRate"] = Object.fromEntries(slow);
  raw["firstEvent"] = Object.fromEntries(events);
  raw["memoryAtRestMiB"] = atRest;

  say(
    `full load, ${CONNECTIONS} connections, ${request.length} B in, ${answer.length} B out; medians of ${options.rounds} interleaved windows of ${options.seconds} s`,
  );
  say("            CPU µs/req   ÷ nginx   ÷ floor   requests/s   ÷ direct");
  const none: readonly Window[] = [];
  const of = (figures: Map<string, Window[]>, name: string): readonly Window[] => figures.get(name) ?? none;
  for (const { name } of targets) {
    const mine = of(full, name);
    const columns = [
      fixed(median(mine.map(cpu)), 1).padStart(10),
      fixed(median(ratios(mine, of(full, "nginx"), cpu))).padStart(9),
      fixed(median(ratios(mine, of(full, "floor"), cpu))).padStart(9),
      fixed(median(mine.map((w) => w.perSecond)), 0).padStart(12),
      fixed(median(ratios(mine, of(full, "direct"), (w) => w.perSecond))).padStart(10),
    ];
    say(`  ${name.padEnd(8)}  ${columns.join(" ")}`);
  }
  say();
  say(`fixed rate (each connection pauses ${PACE_MS} ms): latency in ms`);
  say("            requests/s    p50      p90      p99");
  for (const { name } of targets) {
    const mine = of(slow, name);
    const ms = (q: "p50" | "p90" | "p99"): string => fixed(median(mine.map((w) => w.latency[q])) / 1_000).padStart(8);
    say(
      `  ${name.padEnd(8)}  ${fixed(median(mine.map((w) => w.perSecond)), 0).padStart(10)} ${ms("p50")} ${ms("p90")} ${ms("p99")}`,
    );
  }
  say();
  const [direct = [], through = []] = [events.get("direct"), events.get("parley")];
  say(
    `first event, one stream at a time, 300 samples each in turn: added p50 ${fixed(median(through) - median(direct))} ms, p99 ${fixed(quantile(through, 0.99) - quantile(direct, 0.99))} ms`,
  );
  say(
    `memory: ${fixed(atRest, 0)} MiB at rest with ${REST_AGENTS} agents and ${REST_KEYS} keys; ${fixed(memoryOf(parley.peer.child.pid), 0)} MiB after the load`,
  );
}

const asked = benchOptions(process.argv.slice(2));
if (!asked.ok) {
  (asked.code === 0 ? console.log : console.error)(asked.text);
  process.exitCode = asked.code;
} else if (!existsSync("/proc/self/stat")) {
  console.error("The bench reads CPU times from /proc: run it on Linux.");
  process.exitCode = 2;
} else {
  await run(asked.options).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
