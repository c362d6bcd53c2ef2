// What a table of a size costs a proxy with two operators: memory, time to ready, the longest turns of its event loop.
// In: agents and keys (`node test/bench/table-size.ts 10000 100000`). Out: a JSON line for each phase. The proxy is a process of its own.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { RowChange } from "../../proxy/table/contract.ts";
import { startByteRelay } from "../harness/byte-relay.ts";
import { startProxy } from "../harness/gateway.ts";
import { eventually, freePort } from "../harness/processes.ts";
import { startTableOperator } from "../harness/table-operator.ts";
import { memoryOf, metricsOf, sum } from "./control/processes.ts";
import { BENCH_TOKEN, benchTable } from "./feed.ts";

const [agents = 1000, keys = 1000] = process.argv.slice(2, 4).map(Number);
/** Watching costs memory of its own: `node test/bench/table-size.ts AGENTS KEYS turns` for that. */
const watched = process.argv[4] === "turns";
/** Edits of one phase, the milliseconds between two, and the requests with each. */
const EDITS = 3_000;
const PACE_MS = 10;
const REQUESTS = 5;
/** A proxy waits 5 s for operators before it serves its last good table. */
const LAST_GOOD_MS = 6_000;
const SETTLED_MS = 2_000;

// The first start of all compiles the sources and pays for it to its end (25 MB); what is asked is how one runs that finds them compiled,
// as in an image. It writes what it compiled when it ends by itself.
spawnSync(process.execPath, [new URL("../../proxy/parley-proxy.js", import.meta.url).pathname, "--version"]);
const folder = await mkdtemp(join(tmpdir(), "table-size-"));
const agent = createServer((request, response) => {
  request
    .resume()
    .on("end", () =>
      response.setHeader("content-type", "application/json").end('{"jsonrpc":"2.0","id":"1","result":{}}'),
    );
});
const port = await freePort();
agent.listen(port, "127.0.0.1");
const url = `http://127.0.0.1:${port}/`;
const rows = benchTable(agents, keys, url, url);
const holder = (): string => "first";
const operators = [
  await startTableOperator(rows, { replica: "first", holder }),
  await startTableOperator(rows, { replica: "second", holder }),
];
const relays = [];
for (const operator of operators) relays.push(await startByteRelay(operator.url));
const proxy = await startProxy(
  "proxy",
  relays.map((relay) => relay.url),
  {
    folder,
    args: ["--log-format=json", "--log-requests=off"],
    node: watched ? [`--import=${new URL("watch-turns.js", import.meta.url).href}`] : [],
  },
);

const longestTurns = async (): Promise<unknown> => {
  if (!watched) return undefined;
  const told = (): string[] => proxy.child.output().match(/^turns .*$/gm) ?? [];
  const before = told().length;
  proxy.child.signal("SIGUSR2");
  const line = await eventually("the turns are told", async () => told()[before], 60_000, 20);
  return JSON.parse(line.slice("turns ".length));
};
/** Says what a phase cost, and begins the next. */
const tell = async (phase: string, begun: number): Promise<void> => {
  const ms = Math.round(performance.now() - begun);
  await wait(SETTLED_MS);
  const file = (name: string): string => `/proc/${proxy.child.pid}/${name}`;
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(file("status"), "latin1"))?.[1]) * 1024;
  const told = { ms, memory: Math.round(memoryOf(proxy)), peak: Math.round(peak / 1e6), turns: await longestTurns() };
  console.log(JSON.stringify({ phase, ...told }));
  // From here on the peak is the next phase's.
  writeFileSync(file("clear_refs"), "5");
};
const apply = (changes: readonly RowChange[]): void =>
  operators.forEach(({ publisher }) => void publisher.apply(changes));
const inStep = (): Promise<unknown> =>
  eventually(
    "the proxy has the operators' table",
    async () => {
      const text = await metricsOf(proxy);
      const version = Number.parseInt(operators[0]?.publisher.state.version.slice(0, 12) ?? "", 16);
      const has = sum(text, "parley_table_version") === version && sum(text, "parley_table_connected") === 1;
      return has && sum(text, "parley_table_withheld_rows") === 0 ? true : undefined;
    },
    120_000,
  );
let generation = 1;
/** Another generation of a row. */
const edited = ({ id, row }: RowChange): RowChange => ({
  id,
  row: { ...row, generation: (generation += 1) } as RowChange["row"],
});
const request = async (): Promise<void> => {
  const headers = { "content-type": "application/json", authorization: `Bearer ${BENCH_TOKEN}` };
  const body = '{"jsonrpc":"2.0","id":"1","method":"message/send","params":{}}';
  const answer = await fetch(`${proxy.url}/a2a/bench`, { method: "POST", headers, body });
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`a request was answered ${answer.status}`);
};
const several = (from: number, count: number): RowChange[] => rows.slice(from, from + count).map(edited);

try {
  let begun = performance.now();
  await proxy.ready(300_000);
  await tell("new", begun);

  begun = performance.now();
  for (let n = 0; n < EDITS; n += 1) {
    apply(several(1 + ((n * 7919) % (rows.length - 1)), 1));
    await Promise.all([wait(PACE_MS), ...Array.from({ length: REQUESTS }, request)]);
  }
  await inStep();
  await tell("edits and requests", begun);

  // More rows than there are buckets: all is sent anew.
  for (const relay of relays) relay.cut();
  await eventually("it is cut off", async () =>
    sum(await metricsOf(proxy), "parley_table_connected") === 0 ? true : undefined,
  );
  begun = performance.now();
  apply(several(1, rows.length / 10));
  apply(several(1, rows.length / 2));
  for (const relay of relays) relay.mend();
  await inStep();
  await tell("came back to another table", begun);

  begun = performance.now();
  apply(several(1, rows.length / 2));
  await inStep();
  await tell("half of the rows in a batch", begun);

  for (const relay of relays) relay.cut();
  begun = performance.now();
  await proxy.restart();
  await proxy.ready(300_000);
  await wait(LAST_GOOD_MS);
  await tell("last good table", begun);

  apply(several(1, rows.length / 2));
  for (const relay of relays) relay.mend();
  begun = performance.now();
  await inStep();
  await tell("came back from the last good table", begun);
} finally {
  await proxy.child.stop(0);
  for (const relay of relays) await relay.close();
  for (const operator of operators) await operator.close();
  agent.close();
  await rm(folder, { recursive: true, force: true });
}
