#!/usr/bin/env node
// The proxy as an executable.
import { setFlagsFromString } from "node:v8";
import { launch } from "../process/launch.js";

// Nearly all of the heap is the table: it may grow by a fifth before it is collected, where V8 would let it double.
setFlagsFromString("--heap-growing-percent=20");
// What outlives a start is code and table, which the space for young objects should not grow for: main.ts lets it, once there is work.
setFlagsFromString("--semi-space-growth-factor=1");
await launch(new URL("main.ts", import.meta.url));
