#!/usr/bin/env node
// The operator as an executable.
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { launch } from "../process/launch.js";
import "./kube/lean-client-node.js";

// Most of what is kept is outside of the heap. The heap may grow by a fifth before it is collected, where V8 would let it double.
setFlagsFromString("--heap-growing-percent=20");
sizeYoungSpace(4 * 2 ** 20);

await launch(new URL("main.ts", import.meta.url));

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
