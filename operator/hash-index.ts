// Where something is, by the hash of its name, outside of the heap. In: hashes of 32 bits with a number each, and whether a number is the
// one that is meant. Out: slots, and the numbers in them.

/** A slot stays that of its entry until `leave` or `makeRoom`. */
export interface HashIndex {
  /** The slot of the entry that is meant, or the free one where it would go. */
  find(hash: number, isMeant: (entry: number) => boolean): number;
  /** The entry of a slot; 0: it is free. */
  at(slot: number): number;
  /** Over zero and under 2³¹; what stands there keeps its mark, what is new has one. */
  put(slot: number, hash: number, entry: number): void;
  /** Frees a slot: others may have another one now. */
  leave(slot: number): void;
  /** For one more entry: all may have another slot now. */
  makeRoom(): void;
  mark(slot: number): void;
  /** Takes the marks off those that are meant. Gives how many these are. */
  unmark(isMeant: (entry: number) => boolean): number;
  /** Those without a mark, in no order. */
  unmarked(): Iterable<number>;
  /** Those whose hashes begin with these bits: what comes or goes meanwhile may or may not be among them. */
  beginningWith(bits: number, count: number): readonly number[];
  /** All as they are now, in no order. */
  entries(): Uint32Array;
  readonly size: number;
}

/** Slots of an empty index. */
const FEWEST = 64;
/** Of the bits of an entry, the one that says that it has a mark. */
const MARK = 0x8000_0000;
const UNMARKED = MARK - 1;

export function createHashIndex(): HashIndex {
  // Open addressing with linear probing, spread by the upper bits of the hash: so the order of entries is nearly that of their hashes.
  let entries = new Uint32Array(FEWEST);
  let hashes = new Uint32Array(FEWEST);
  let shift = 32 - Math.log2(FEWEST);
  let size = 0;

  const at = (slot: number): number => (entries[slot] ?? 0) & UNMARKED;
  const isMarked = (slot: number): boolean => (entries[slot] ?? 0) >= MARK;
  const next = (slot: number): number => (slot + 1) & (entries.length - 1);
  const find = (hash: number, isMeant: (entry: number) => boolean): number => {
    let slot = hash >>> shift;
    for (let entry = at(slot); entry !== 0; entry = at(slot)) {
      if (hashes[slot] === hash && isMeant(entry)) break;
      slot = next(slot);
    }
    return slot;
  };

  return {
    find,
    at,
    put(slot, hash, entry) {
      const isNew = at(slot) === 0;
      if (isNew) size += 1;
      entries[slot] = isNew || isMarked(slot) ? entry + MARK : entry;
      hashes[slot] = hash;
    },
    leave(slot) {
      // Those behind it come nearer, or their search would end here.
      let gap = slot;
      for (let from = next(gap); at(from) !== 0; from = next(from)) {
        const hash = hashes[from] ?? 0;
        const fromHome = (from - (hash >>> shift)) & (entries.length - 1);
        if (fromHome < ((from - gap) & (entries.length - 1))) continue;
        entries[gap] = entries[from] ?? 0;
        hashes[gap] = hash;
        gap = from;
      }
      entries[gap] = 0;
      size -= 1;
    },
    makeRoom() {
      if (8 * size < 7 * entries.length) return;
      const [before, known] = [entries, hashes];
      entries = new Uint32Array(2 * before.length);
      hashes = new Uint32Array(2 * before.length);
      shift -= 1;
      for (let slot = 0; slot < before.length; slot += 1) {
        const [entry = 0, hash = 0] = [before[slot], known[slot]];
        if (entry === 0) continue;
        const to = find(hash, none);
        entries[to] = entry;
        hashes[to] = hash;
      }
    },
    mark(slot) {
      if (!isMarked(slot)) entries[slot] = at(slot) + MARK;
    },
    unmark(isMeant) {
      let count = 0;
      for (let slot = 0; slot < entries.length; slot += 1) {
        const entry = at(slot);
        if (entry === 0 || !isMeant(entry)) continue;
        entries[slot] = entry;
        count += 1;
      }
      return count;
    },
    unmarked: () => entries.filter((entry) => entry !== 0 && entry < MARK),
    beginningWith(bits, count) {
      const found: number[] = [];
      const rest = 32 - count;
      const first = ((bits << rest) >>> 0) >>> shift;
      const last = (((bits << rest) >>> 0) + (2 ** rest - 1)) >>> shift;
      for (let slot = first, seen = 0; seen < entries.length; slot = next(slot), seen += 1) {
        const entry = at(slot);
        if (entry === 0 && first + seen >= last) break;
        if (entry !== 0 && (hashes[slot] ?? 0) >>> rest === bits) found.push(entry);
      }
      return found;
    },
    entries: () => entries.filter((entry) => entry !== 0).map((entry) => entry & UNMARKED),
    get size() {
      return size;
    },
  };
}

const none = (): boolean => false;
