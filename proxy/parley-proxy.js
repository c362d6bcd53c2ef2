#!/usr/bin/env node
// The proxy as an executable.
import { setFlagsFromString } from "node:v8";
import { beginYoung, boundGrowth } from "../process/heap.js";
import { launch } from "../process/launch.js";

beginYoung();
// Nearly all of the heap is the table, of which V8 would let half be out of use.
const HEAP = 80 * 2 ** 20;
setInterval(boundGrowth, 1000, HEAP).unref();
boundGrowth(HEAP);
// What outlives a start is code and table, which the space for young objects should not grow for: main.ts lets it, once there is work.
setFlagsFromString("--semi-space-growth-factor=1");
await launch(new URL("main.ts", import.meta.url));
