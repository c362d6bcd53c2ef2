// What a table of a size costs a proxy: memory, time to ready, the longest turn of its event loop.
// In: agents and keys (`node test/bench/table-size.ts 10000 100000`). Out: one JSON line. The proxy is a process of its own, as installed.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { startTableOperator } from "../harness/table-operator.ts";
import { benchTable } from "./feed.ts";

const [agents = 1000, keys = 1000] = process.argv.slice(2, 4).map(Number);
/** Watching costs memory of its own: `node test/bench/table-size.ts AGENTS KEYS turns` for that. */
const watched = process.argv[4] === "turns";
const LAUNCHER = new URL("../../proxy/parley-proxy.js", import.meta.url).pathname;
/** Tells the longest turns of its event loop. */
const WATCH = new URL("watch-turns.js", import.meta.url).href;

// The first start of all compiles the sources and pays for it to its end (25 MB); what is asked is how one runs that finds them compiled,
// as in an image. It writes what it compiled when it ends by itself.
spawnSync(process.execPath, [LAUNCHER, "--version"]);
const folder = await mkdtemp(join(tmpdir(), "table-size-"));
const feed = await startTableOperator(benchTable(agents, keys, "http://127.0.0.1:9", "http://127.0.0.1:9"));
const child = spawn(
  process.execPath,
  [
    ...(watched ? [`--import=${WATCH}`] : []),
    LAUNCHER,
    "--listen=127.0.0.1:0",
    "--admin-listen=127.0.0.1:0",
    `--operators=${feed.url}`,
    `--last-good=${join(folder, "table.log")}`,
    "--log-format=json",
  ],
  { stdio: ["ignore", "pipe", "pipe"] },
);
try {
  const lines = createInterface({ input: child.stdout });
  let admin = "";
  for await (const line of lines) {
    const said = JSON.parse(line) as { admin?: string };
    if (said.admin === undefined) continue;
    ({ admin } = said);
    break;
  }
  child.stdout.resume();
  const errors = createInterface({ input: child.stderr });
  const longestTurn = async (): Promise<unknown> => {
    if (!watched) return undefined;
    const answer = once(errors, "line") as Promise<[string]>;
    child.kill("SIGUSR2");
    return JSON.parse((await answer)[0].slice("turns ".length));
  };
  const begun = performance.now();
  await longestTurn();
  const isReady = async (): Promise<boolean> => (await fetch(`http://${admin}/readyz`)).ok;
  while (!(await isReady())) await wait(20);
  const ready = performance.now() - begun;
  const turn = await longestTurn();
  const rss = (): number => {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  };
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  const first = rss();
  await wait(15_000);
  console.log(
    JSON.stringify({
      agents,
      keys,
      readyMs: Math.round(ready),
      longestTurnMs: turn,
      longestTurnLaterMs: await longestTurn(),
      rssAtReady: first,
      rssPeak: peak,
      rssAfter15s: rss(),
    }),
  );
} finally {
  child.kill("SIGKILL");
  await feed.close();
  await rm(folder, { recursive: true, force: true });
}
