// How much of what is no longer used waits to be collected. In: bytes. Out: a flag of V8's. Plain JavaScript, as the launchers that import it.
import { getHeapStatistics, setFlagsFromString } from "node:v8";

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
