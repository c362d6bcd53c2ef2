// Where a name is looked for. In: a name. Out: 32 bits, others in each process.
import { randomBytes } from "node:crypto";

/** Whoever may choose names cannot choose many that are looked for in one place. Not an argument: nothing that anybody sees depends on it. */
const SEED = randomBytes(4).readInt32LE();

/** FNV-1a, 32 bits, from a start of its own, and then mixed (MurmurHash3's finalizer), since its upper bits say little of a short name. */
export function hashOfName(name: string): number {
  let hash = 0x811c9dc5 ^ SEED;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
