// Pieces of bytes one behind the other in slabs of one size outside of the heap, so that no holes are between them that fit nobody.
// In: lengths. Out: places to write to once; what was written is never changed, so whoever was given it may read on.

export interface Slabs {
  /** Room for so many bytes. Others may move meanwhile. */
  add(length: number): Place;
  /** Others may move meanwhile: a slab of which a quarter is out of use gives the rest of it to the last one. */
  drop(place: Place): void;
  /** The slab of a piece, in which it begins at `startOf`. */
  bytesOf(place: Place): Buffer;
  lengthOf(place: Place): number;
  /** Reads pieces that are there now, also when they were dropped since. */
  reader(): (place: Place) => Buffer;
}

/** A number over zero. */
export type Place = number;

/** Bytes of a slab, but for one of a single piece that would leave much of it unused: with what the allocator puts before it, whole pages. */
const SLAB = 256 * 1024 - 64;
const LONG = SLAB / 8;
/** Pieces begin at multiples of so many bytes, behind their length in 32 bits, of which the first says that the piece was dropped. */
const UNIT = 4;
const UNITS = SLAB / UNIT;
const DROPPED = 0x8000_0000;
/** Slabs out of use that are kept to be used again. */
const SPARE = 2;

interface Slab {
  readonly bytes: Buffer;
  used: number;
  /** Of those, bytes of pieces that were not dropped. */
  live: number;
  /** Somebody reads in it, whatever happens here. */
  shared: boolean;
}

/** Where in its slab a piece begins. */
export const startOf = (place: Place): number => ((place - 1) % UNITS) * UNIT + UNIT;
const numberOf = (place: Place): number => Math.floor((place - 1) / UNITS);
const roomFor = (length: number): number => UNIT + Math.ceil(length / UNIT) * UNIT;

/** @param moved told of every piece that has another place now; the old one is still to be read while it is told */
export function createSlabs(moved: (from: Place, to: Place) => void): Slabs {
  const slabs: (Slab | undefined)[] = [];
  const unused: number[] = [];
  const spare: Buffer[] = [];
  /** The one that is written to. */
  let last = begin(SLAB);

  function begin(length: number): number {
    const bytes = (length === SLAB ? spare.pop() : undefined) ?? Buffer.from(new ArrayBuffer(length));
    const number = unused.pop() ?? slabs.length;
    slabs[number] = { bytes, used: 0, live: 0, shared: false };
    return number;
  }
  const slabAt = (number: number): Slab => {
    const slab = slabs[number];
    if (slab === undefined) throw new RangeError(`no slab ${number}`);
    return slab;
  };
  const headOf = (place: Place): number => slabAt(numberOf(place)).bytes.readUInt32LE(startOf(place) - UNIT);
  const put = (number: number, length: number): Place => {
    const slab = slabAt(number);
    slab.bytes.writeUInt32LE(length, slab.used);
    const place = 1 + number * UNITS + slab.used / UNIT;
    slab.used += roomFor(length);
    slab.live += roomFor(length);
    return place;
  };

  const add = (length: number): Place => {
    const room = roomFor(length);
    if (room > LONG) return put(begin(room), length);
    const full = last;
    if (slabAt(full).used + room > SLAB) last = begin(SLAB);
    const place = put(last, length);
    if (last !== full) tidy(full);
    return place;
  };
  const tidy = (number: number): void => {
    const slab = slabAt(number);
    if (number === last || slab.live > 0.75 * slab.used) return;
    const { bytes, used } = slab;
    for (let at = 0; at < used;) {
      const head = bytes.readUInt32LE(at);
      const length = head % DROPPED;
      if (head < DROPPED) {
        const to = add(length);
        bytes.copy(slabAt(numberOf(to)).bytes, startOf(to), at + UNIT, at + UNIT + length);
        moved(1 + number * UNITS + at / UNIT, to);
      }
      at += roomFor(length);
    }
    slabs[number] = undefined;
    unused.push(number);
    // What it had goes at once, not with the next collection.
    if (slab.shared) return;
    if (bytes.length === SLAB && spare.length < SPARE) spare.push(bytes);
    else (bytes.buffer as ArrayBuffer).transfer(0);
  };

  return {
    add,
    drop(place) {
      const slab = slabAt(numberOf(place));
      const length = headOf(place);
      slab.bytes.writeUInt32LE(length + DROPPED, startOf(place) - UNIT);
      slab.live -= roomFor(length);
      tidy(numberOf(place));
    },
    bytesOf: (place) => slabAt(numberOf(place)).bytes,
    lengthOf: (place) => headOf(place) % DROPPED,
    reader() {
      for (const slab of slabs) if (slab !== undefined) slab.shared = true;
      const given = slabs.map((slab) => slab?.bytes);
      return (place) => {
        const bytes = given[numberOf(place)];
        if (bytes === undefined) throw new RangeError(`nothing was at ${place}`);
        const start = startOf(place);
        return bytes.subarray(start, start + (bytes.readUInt32LE(start - UNIT) % DROPPED));
      };
    },
  };
}
