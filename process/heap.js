// What waits for a full garbage collection, and for how long. Out: flags of V8's, and the room of young objects. Plain JavaScript, as the launchers
// that import it.
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from "node:v8";

/**
 * Lets the heap grow to about so many bytes before it is collected, but at most double, as V8 does, and by a fifth at least. V8 reads it after each
 * collection: to be called every now and then.
 *
 * @param {number} bytes
 */
export function boundGrowth(bytes) {
  const percent = Math.floor(100 * (bytes / getHeapStatistics().used_heap_size - 1));
  setFlagsFromString(`--heap-growing-percent=${Math.min(Math.max(percent, 20), 100)}`);
}

/**
 * Lets all that is made be young at first. Of what is made at the same place in the code V8 else puts all beside what is old, if most of it
 * lived on at the start, when everything is read: from then on each edit would leave that, and what it refers to, to the next full collection.
 */
export function beginYoung() {
  setFlagsFromString("--no-allocation-site-pretenuring");
}

/**
 * Bytes for young objects, in use or not.
 *
 * @returns {number}
 */
export function youngSpace() {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return (space?.space_used_size ?? 0) + (space?.space_available_size ?? 0);
}
