import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { FakeClock } from "../../proxy/table/clock.test-support.ts";
import type { ProxyState } from "../publish/acks.ts";
import { tally } from "./programmed.ts";
import { createWaiting } from "./waiting.ts";
import type { Waiting } from "./waiting.ts";

const proxy = (name: string, sequence: number, refusedRows = 0): ProxyState => ({
  proxy: name,
  address: "",
  connectedAt: 0,
  standby: false,
  acked: { sequence, version: "", at: 0 },
  refused: new Map(),
  refusedRows,
});

let clock: FakeClock;
let woken: string[];
let waiting: Waiting;
const change = async (...proxies: readonly ProxyState[]): Promise<readonly string[]> => {
  woken.length = 0;
  waiting.changed(() => tally(proxies));
  await turn();
  return [...woken];
};

beforeEach(async () => {
  clock = createFakeClock();
  woken = [];
  waiting = createWaiting({ clock, wake: (refs) => woken.push(...refs), walk: (refs) => woken.push(...refs) });
  await change(proxy("p", 0));
  clock.advance(60_000);
});

it("wakes what all proxies have acknowledged, once, in the order of the batches", async () => {
  waiting.add("a", 1);
  await change(proxy("p", 0));
  waiting.add("b", 2);
  waiting.add("c", 3);
  waiting.add("a", 4);
  expect(await change(proxy("p", 2))).toEqual(["b"]);
  waiting.delete("c");
  expect(await change(proxy("p", 4))).toEqual(["a"]);
  expect(await change(proxy("p", 5))).toEqual([]);
});

it("wakes everything when proxies come or go, once a second at most, and for wording every five", async () => {
  waiting.add("a", 9);
  expect(await change(proxy("p", 0), proxy("q", 0))).toEqual(["a"]);
  expect(await change(proxy("p", 0))).toEqual([]);
  clock.advance(1_000);
  expect(woken).toEqual(["a"]);
  expect(await change(proxy("p", 1))).toEqual([]);
  clock.advance(4_000);
  expect(woken).toEqual([]);
  clock.advance(1_000);
  expect(woken).toEqual(["a"]);
});

it("does not wake what is refused with every acknowledgement that follows", async () => {
  waiting.add("refused", 1);
  expect(await change(proxy("p", 1, 1))).toContain("refused");
  clock.advance(5_000);
  await change(proxy("p", 1, 1));
  for (let sequence = 2; sequence < 50; sequence++) {
    waiting.add(`other-${sequence}`, sequence);
    expect(await change(proxy("p", sequence, 1))).toEqual([`other-${sequence}`]);
    waiting.delete(`other-${sequence}`);
  }
});

it("leaves no timer behind when it rests", async () => {
  waiting.add("a", 9);
  await change(proxy("p", 1));
  await change(proxy("p", 2));
  waiting.rest();
  expect(clock.pending).toEqual([]);
});

it("takes off in slices what one acknowledgement settles", async () => {
  const names = Array.from({ length: 2_500 }, (_, index) => `key-${index}`);
  for (const name of names) waiting.add(name, 1);
  await change(proxy("p", 0));
  const slices = [await change(proxy("p", 1))];
  while (slices.flat().length < names.length) {
    woken.length = 0;
    await turn();
    slices.push([...woken]);
  }
  expect(slices.flat()).toEqual(names);
  expect(Math.max(...slices.map(({ length }) => length))).toBe(1_000);
});
