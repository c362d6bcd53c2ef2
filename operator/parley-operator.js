#!/usr/bin/env node
// The operator as an executable.
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from "node:v8";
import { launch } from "../process/launch.js";
import "./kube/lean-client-node.js";

boundGrowth();
growYoungSpace();
keepSizes();
setInterval(keepSizes, 1000).unref();

await launch(new URL("main.ts", import.meta.url));

function keepSizes() {
  boundGrowth();
  allowYoungSpace();
}

/**
 * Lets the heap double before it is collected, as V8 does, while it has less than 90 MiB then, and beyond that grow by a fifth: most of what
 * is kept is outside of it, and what waits to be collected would be as much again.
 */
function boundGrowth() {
  const percent = Math.floor(100 * ((90 * 2 ** 20) / getHeapStatistics().used_heap_size - 1));
  setFlagsFromString(`--heap-growing-percent=${Math.min(Math.max(percent, 20), 100)}`);
}

/**
 * Lets young objects have 8 MiB: in the 1 MiB that V8 begins with, and comes back to when little is done, what is needed for the time of one
 * request is soon taken for old, and waits for the next large collection. V8 takes no size once it runs, but makes room when enough is alive.
 */
function allowYoungSpace() {
  setFlagsFromString(`--semi-space-growth-factor=${Math.max(1, Math.ceil((8 * 2 ** 20) / youngSpace()))}`);
}

/** Has enough alive. */
function growYoungSpace() {
  const alive = [];
  allowYoungSpace();
  for (let left = 2000; left > 0 && youngSpace() < 8 * 2 ** 20; left -= 1)
    alive.push(Array.from({ length: 2048 }, () => left));
}

function youngSpace() {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return (space?.space_used_size ?? 0) + (space?.space_available_size ?? 0);
}
