// After thousands of random edits, with every fault on the streams and the Lease going from hand to hand, each proxy has the table that a fresh
// snapshot gives.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RowChange } from "../../proxy/table/contract.ts";
import { startProxy, type ProxyProcess } from "../harness/gateway.ts";
import { startLineProxy, type LineProxy, type Spoiled } from "../harness/line-proxy.ts";
import { eventually } from "../harness/processes.ts";
import { createRandom, randomEdit, settings } from "../harness/random-rows.ts";
import { startTableOperator, type TableOperator } from "../harness/table-operator.ts";

const EDITS = 10_000;
/** Edits that are made in one go, and milliseconds between two of these. */
const STRIDE = 10;
const REST_MS = 8;
/** Of a thousand lines so many are spoiled. */
const SPOILED = 4;
const folder = mkdtempSync(join(tmpdir(), "parley-equality-"));
const random = createRandom(20_261_125);
let holder = "left";
const operators: TableOperator[] = [];
const links: LineProxy[] = [];
const proxies: ProxyProcess[] = [];

async function proxy(name: string, urls: readonly string[]): Promise<ProxyProcess> {
  const started = await startProxy(name, urls, { folder, args: [] });
  proxies.push(started);
  return started;
}

beforeAll(async () => {
  for (const replica of ["left", "right"]) {
    operators.push(await startTableOperator([settings], { replica, holder: () => holder }));
  }
  // Each proxy has links of its own, so that what is done to one stream is not done to another.
  for (let n = 0; n < 3; n += 1) {
    const own = await Promise.all(operators.map(({ url }) => startLineProxy(url)));
    links.push(...own);
    await proxy(
      `proxy-${n}`,
      own.map(({ url }) => url),
    );
  }
  await Promise.all(proxies.map((each) => each.ready()));
});

afterAll(async () => {
  await Promise.all(proxies.map(({ child }) => child.stop()));
  await Promise.all([...links, ...operators].map((each) => each.close()));
  rmSync(folder, { recursive: true, force: true });
});

const done: Record<string, number> = {};
const faults: readonly (readonly [string, (line: string) => Spoiled | Promise<Spoiled>])[] = [
  ["cut", () => "cut"],
  ["delay", (line) => pause(random() * 400, [line])],
  ["duplicate", (line) => [line, line]],
  ["drop", () => []],
  ["corrupt", (line) => [line.replace(/[0-9a-f]/, "x")]],
  ["truncate", (line) => [line.slice(0, line.length / 2)]],
  ["garble", () => ["\u0000{{"]],
];

function spoil(line: string): Spoiled | Promise<Spoiled> {
  if (random() * 1_000 >= SPOILED) return [line];
  const [name, fault] = faults[Math.floor(random() * faults.length)] ?? ["", () => "cut" as const];
  done[name] = (done[name] ?? 0) + 1;
  return fault(line);
}

interface Dump {
  readonly head: { readonly version: string; readonly rows: number };
  readonly rows: readonly string[];
}

async function dump({ adminUrl }: ProxyProcess): Promise<Dump> {
  const [first = "{}", ...rows] = (await (await fetch(`${adminUrl}/table`)).text()).trimEnd().split("\n");
  return { head: JSON.parse(first) as Dump["head"], rows: rows.toSorted() };
}

test(
  `${EDITS} random edits and random faults on every stream: the tables are equal`,
  { timeout: 240_000 },
  async () => {
    for (const link of links) link.spoil = spoil;
    // What one operator has not seen yet: each sees the same edits, neither at the same time nor in the same batches.
    const behind: RowChange[][] = operators.map(() => []);
    const catchUp = (n: number): void => {
      const edits = behind[n]?.splice(0) ?? [];
      operators[n]?.publisher.apply(edits);
    };
    for (let made = 0; made < EDITS; made += STRIDE) {
      const edits = Array.from({ length: STRIDE }, () => randomEdit(random));
      for (const [n, waiting] of behind.entries()) {
        waiting.push(...edits);
        if (random() < 0.5) catchUp(n);
      }
      if (random() < 0.01) {
        holder = holder === "left" ? "right" : "left";
        for (const { publisher } of operators) publisher.beat();
      }
      await pause(REST_MS);
    }
    for (const n of operators.keys()) catchUp(n);
    for (const link of links) link.spoil = (line) => [line];
    console.log(`faults: ${JSON.stringify(done)}`);
    expect(Object.keys(done).toSorted()).toEqual(faults.map(([name]) => name).toSorted());

    const fresh = await proxy(
      "fresh",
      operators.map(({ url }) => url),
    );
    await fresh.ready();
    const [left, right] = operators.map(({ publisher }) => publisher);
    await eventually("both operators publish one table", () => left?.state.version === right?.state.version);
    const version = left?.state.version ?? "";
    for (const each of proxies)
      await eventually(
        `${each.name} has version ${version}`,
        async () => (await dump(each)).head.version === version,
        90_000,
        100,
      );
    const whole = await dump(fresh);
    expect(whole.head.rows).toBe(left?.state.rows);
    for (const each of proxies) expect(await dump(each)).toEqual(whole);
  },
);
