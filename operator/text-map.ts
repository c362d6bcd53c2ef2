// Texts by name, outside of the heap: what is many and seldom read would there be walked by every collection, and need half as much
// again for what waits to be collected. In: names and texts. Out: the same; a look-up costs a copy of the text.
import { createSlabs, startOf } from "./slabs.ts";
import type { Place } from "./slabs.ts";

/** Names and texts are well-formed Unicode, which all is that the API server gives: half of a surrogate pair would not be found again. */
export interface TextMap {
  get(name: string): string | undefined;
  set(name: string, text: string): void;
  /** True if it was there. */
  delete(name: string): boolean;
  /** In no order. What is set or deleted meanwhile may or may not be among them; everything else is, once. */
  names(): Iterable<string>;
  /** All texts as they are now, whatever is changed later; in no order. */
  texts(): Texts;
  readonly size: number;
  clear(): void;
}

export interface Texts {
  readonly length: number;
  /** Undefined behind the last one. */
  at(index: number): string | undefined;
}

/** Before each entry stand the hash of its name and the bytes of its name: 32 bits each. */
const HEAD = 8;
/** Slots of an empty index. */
const FEWEST = 64;
/** Names are walked in so many steps. */
const STEPS = 4096;
const BITS_OF_STEPS = 12;

export function createTextMap(): TextMap {
  // Open addressing with linear probing, spread by the upper bits of the hash: so the order of entries is nearly that of their hashes.
  let places = new Uint32Array(FEWEST);
  let hashes = new Uint32Array(FEWEST);
  let shift = 32 - Math.log2(FEWEST);
  let size = 0;

  const next = (slot: number): number => (slot + 1) & (places.length - 1);
  /** The slot of an entry, or the free one where its search ends. */
  const find = (hash: number, fits: (place: Place) => boolean): number => {
    let slot = hash >>> shift;
    for (let place = places[slot] ?? 0; place !== 0; place = places[slot] ?? 0) {
      if (hashes[slot] === hash && fits(place)) break;
      slot = next(slot);
    }
    return slot;
  };
  const enter = (slot: number, hash: number, place: Place): void => {
    places[slot] = place;
    hashes[slot] = hash;
  };

  const moved = (from: Place, to: Place): void => {
    const hash = slabs.bytesOf(from).readUInt32LE(startOf(from));
    places[find(hash, (place) => place === from)] = to;
  };
  let slabs = createSlabs(moved);
  const nameAt = (place: Place): string => {
    const [bytes, start] = [slabs.bytesOf(place), startOf(place)];
    return bytes.toString("utf8", start + HEAD, start + HEAD + bytes.readUInt32LE(start + 4));
  };
  const slotOf = (hash: number, name: string): number => find(hash, (place) => nameAt(place) === name);

  const grow = (): void => {
    const [before, known] = [places, hashes];
    places = new Uint32Array(2 * before.length);
    hashes = new Uint32Array(2 * before.length);
    shift -= 1;
    for (let slot = 0; slot < before.length; slot += 1) {
      const [place = 0, hash = 0] = [before[slot], known[slot]];
      if (place !== 0) enter(find(hash, none), hash, place);
    }
  };
  /** Those behind it come nearer, or their search would end here. */
  const leave = (slot: number): void => {
    let gap = slot;
    for (let at = next(gap); places[at] !== 0; at = next(at)) {
      const hash = hashes[at] ?? 0;
      const [fromHome, fromGap] = [at - (hash >>> shift), at - gap].map((far) => far & (places.length - 1));
      if ((fromHome ?? 0) < (fromGap ?? 0)) continue;
      enter(gap, hash, places[at] ?? 0);
      gap = at;
    }
    places[gap] = 0;
  };

  const namesIn = (step: number): string[] => {
    const names: string[] = [];
    const first = (step << (32 - BITS_OF_STEPS)) >>> 0;
    const lastSlot = (first + (2 ** (32 - BITS_OF_STEPS) - 1)) >>> shift;
    for (let slot = first >>> shift, seen = 0; seen < places.length; slot = next(slot), seen += 1) {
      const place = places[slot] ?? 0;
      if (place === 0 && (first >>> shift) + seen >= lastSlot) break;
      if (place !== 0 && (hashes[slot] ?? 0) >>> (32 - BITS_OF_STEPS) === step) names.push(nameAt(place));
    }
    return names;
  };

  return {
    get(name) {
      const place = places[slotOf(hashOf(name), name)] ?? 0;
      if (place === 0) return undefined;
      const [bytes, start] = [slabs.bytesOf(place), startOf(place)];
      return bytes.toString("utf8", start + HEAD + bytes.readUInt32LE(start + 4), start + slabs.lengthOf(place));
    },
    set(name, text) {
      if (8 * size >= 7 * places.length) grow();
      const hash = hashOf(name);
      const slot = slotOf(hash, name);
      const before = places[slot] ?? 0;
      const [nameBytes, textBytes] = [Buffer.byteLength(name), Buffer.byteLength(text)];
      const place = slabs.add(HEAD + nameBytes + textBytes);
      const [bytes, start] = [slabs.bytesOf(place), startOf(place)];
      bytes.writeUInt32LE(hash, start);
      bytes.writeUInt32LE(nameBytes, start + 4);
      bytes.write(name, start + HEAD);
      bytes.write(text, start + HEAD + nameBytes);
      // To make room it may have been moved.
      const moved = places[slot] ?? 0;
      enter(slot, hash, place);
      if (before === 0) size += 1;
      else slabs.drop(moved);
    },
    delete(name) {
      const slot = slotOf(hashOf(name), name);
      const place = places[slot] ?? 0;
      if (place === 0) return false;
      leave(slot);
      size -= 1;
      slabs.drop(place);
      return true;
    },
    *names() {
      for (let step = 0; step < STEPS; step += 1) yield* namesIn(step);
    },
    texts() {
      const all = places.filter((place) => place !== 0);
      const read = slabs.reader();
      return {
        length: all.length,
        at(index) {
          const place = all[index];
          if (place === undefined) return undefined;
          const bytes = read(place);
          return bytes.toString("utf8", HEAD + bytes.readUInt32LE(4));
        },
      };
    },
    get size() {
      return size;
    },
    clear() {
      slabs = createSlabs(moved);
      places = new Uint32Array(FEWEST);
      hashes = new Uint32Array(FEWEST);
      shift = 32 - Math.log2(FEWEST);
      size = 0;
    },
  };
}

const none = (): boolean => false;

/** FNV-1a, 32 bits, and then mixed (MurmurHash3's finalizer), since its upper bits say little of a short name. */
export function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
