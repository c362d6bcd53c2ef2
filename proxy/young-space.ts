// The space for young objects while requests are served. In: a clock. Out: it grows to 16 MiB in one step as soon as requests need it.
import { setFlagsFromString } from "node:v8";
import type { Clock } from "../process/clock.ts";
import { youngSpace } from "../process/heap.js";

/** Of the 1 MiB that V8 begins with. */
const GROWTH = 16;
/** It has grown, when there are more bytes. */
const SMALL = 8 * 2 ** 20;
const LOOK_MS = 100;

/**
 * V8 takes no size once it runs, but a factor to grow by when much is alive. Step by step requests would pay with a collection every few
 * dozen of them; the second step, to 32 MiB, would take 27 MB more and save one collection in ten. It never ends: V8 makes the space smaller
 * again when little is done.
 */
export function sizeYoungSpace(clock: Pick<Clock, "setTimeout">): void {
  setFlagsFromString(`--semi-space-growth-factor=${youngSpace() < SMALL ? GROWTH : 1}`);
  clock.setTimeout(() => sizeYoungSpace(clock), LOOK_MS);
}
