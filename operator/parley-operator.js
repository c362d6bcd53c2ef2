#!/usr/bin/env node
// The operator as an executable.
import { setFlagsFromString } from "node:v8";
import { beginYoung, boundGrowth, youngSpace } from "../process/heap.js";
import { launch } from "../process/launch.js";
import "./kube/lean-client-node.js";

beginYoung();
growYoungSpace();
keepSizes();
setInterval(keepSizes, 1000).unref();

await launch(new URL("main.ts", import.meta.url));

function keepSizes() {
  // Most of what is kept is outside of the heap, and what waits to be collected would be as much again.
  boundGrowth(115 * 2 ** 20);
  allowYoungSpace();
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
