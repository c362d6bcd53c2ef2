#!/usr/bin/env node
// The operator as an executable.
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from "node:v8";
import { launch } from "../process/launch.js";
import "./kube/lean-client-node.js";

boundGrowth(90 * 2 ** 20);
setInterval(boundGrowth, 1000, 90 * 2 ** 20).unref();
sizeYoungSpace(4 * 2 ** 20);

await launch(new URL("main.ts", import.meta.url));

/**
 * Lets the heap double before it is collected, as V8 does, while it has less than so many bytes then, and beyond that grow by a fifth: most of
 * what is kept is outside of it, and what waits to be collected would be as much again.
 */
function boundGrowth(bytes) {
  const percent = Math.floor(100 * (bytes / getHeapStatistics().used_heap_size - 1));
  setFlagsFromString(`--heap-growing-percent=${Math.min(Math.max(percent, 20), 100)}`);
}

/**
 * Lets young objects have so many bytes: in the 1 MiB that V8 begins with, what is needed for the time of one request is soon taken for
 * old, and waits for the next large collection. V8 takes no size once it runs, but makes room when enough is alive.
 */
function sizeYoungSpace(bytes) {
  const alive = [];
  setFlagsFromString(`--semi-space-growth-factor=${Math.ceil(bytes / youngSpace())}`);
  for (let left = 1000; left > 0 && youngSpace() < bytes; left -= 1)
    alive.push(Array.from({ length: 2048 }, () => left));
  setFlagsFromString("--semi-space-growth-factor=1");
}

function youngSpace() {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return (space?.space_used_size ?? 0) + (space?.space_available_size ?? 0);
}
