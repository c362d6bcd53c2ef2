// Texts by name, outside of the heap: what is many and seldom read would there be walked by every collection, and need half as much
// again for what waits to be collected. In: names and texts. Out: the same; a look-up costs a copy of the text.
import { hashOfName } from "../proxy/table/name-hash.ts";
import { createHashIndex } from "./hash-index.ts";
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
  /** Takes the marks off all whose names begin so; what is set for the first time has one. Gives how many they are. */
  unmark(prefix: string): number;
  mark(name: string): void;
  /** Names that begin so and have no mark. */
  unmarked(prefix: string): readonly string[];
  readonly size: number;
  clear(): void;
}

export interface Texts {
  readonly length: number;
  /** Undefined behind the last one. */
  at(index: number): string | undefined;
}

/** Before each entry stands how many bytes its name has, in 32 bits. */
const HEAD = 4;
/** Names are walked in 2 to the power of this steps. */
const BITS_OF_STEPS = 12;

export function createTextMap(): TextMap {
  let index = createHashIndex();

  const moved = (from: Place, to: Place): void => {
    const hash = hashOfName(nameAt(from));
    index.put(
      index.find(hash, (place) => place === from),
      hash,
      to,
    );
  };
  let slabs = createSlabs(moved);
  const nameAt = (place: Place): string => {
    const [bytes, start] = [slabs.bytesOf(place), startOf(place)];
    return bytes.toString("utf8", start + HEAD, start + HEAD + bytes.readUInt32LE(start));
  };
  const slotOf = (hash: number, name: string): number => index.find(hash, (place) => nameAt(place) === name);
  /** Told by the bytes: there may be many. */
  const beginsWith = (prefix: string): ((place: Place) => boolean) => {
    const wanted = Buffer.from(prefix);
    if (wanted.length === 0) return () => true;
    return (place) => {
      const [bytes, start] = [slabs.bytesOf(place), startOf(place)];
      if (bytes.readUInt32LE(start) < wanted.length) return false;
      return wanted.every((byte, at) => bytes[start + HEAD + at] === byte);
    };
  };
  const placeOf = (name: string): Place => index.at(slotOf(hashOfName(name), name));

  return {
    get(name) {
      const place = placeOf(name);
      if (place === 0) return undefined;
      const [bytes, start] = [slabs.bytesOf(place), startOf(place)];
      return bytes.toString("utf8", start + HEAD + bytes.readUInt32LE(start), start + slabs.lengthOf(place));
    },
    set(name, text) {
      index.makeRoom();
      const hash = hashOfName(name);
      const slot = slotOf(hash, name);
      const before = index.at(slot);
      const [nameBytes, textBytes] = [Buffer.byteLength(name), Buffer.byteLength(text)];
      const place = slabs.add(HEAD + nameBytes + textBytes);
      const [bytes, start] = [slabs.bytesOf(place), startOf(place)];
      bytes.writeUInt32LE(nameBytes, start);
      bytes.write(name, start + HEAD);
      bytes.write(text, start + HEAD + nameBytes);
      // To make room it may have been moved.
      const moved = index.at(slot);
      index.put(slot, hash, place);
      if (before !== 0) slabs.drop(moved);
    },
    delete(name) {
      const slot = slotOf(hashOfName(name), name);
      const place = index.at(slot);
      if (place === 0) return false;
      index.leave(slot);
      slabs.drop(place);
      return true;
    },
    *names() {
      for (let step = 0; step < 2 ** BITS_OF_STEPS; step += 1)
        yield* index.beginningWith(step, BITS_OF_STEPS).map(nameAt);
    },
    texts() {
      const all = index.entries();
      const read = slabs.reader();
      return {
        length: all.length,
        at(index) {
          const place = all[index];
          if (place === undefined) return undefined;
          const bytes = read(place);
          return bytes.toString("utf8", HEAD + bytes.readUInt32LE(0));
        },
      };
    },
    unmark: (prefix) => index.unmark(beginsWith(prefix)),
    mark(name) {
      const slot = slotOf(hashOfName(name), name);
      if (index.at(slot) !== 0) index.mark(slot);
    },
    unmarked: (prefix) => Array.from(index.unmarked()).filter(beginsWith(prefix)).map(nameAt),
    get size() {
      return index.size;
    },
    clear() {
      index = createHashIndex();
      slabs = createSlabs(moved);
    },
  };
}
