// Entries by a hash of what they are looked for by. In: numbers of entries that come and go. Out: the only one that fits.
// Outside of the heap and not walked by collections: a Map takes six times the memory.

export interface SlotIndex {
  /** An entry that is not in it. */
  add(slot: number): void;
  /** An entry that is in it, while its hash is what it was. */
  remove(slot: number): void;
  /** NO_SLOT when none fits, or several do. */
  find(hash: number, wanted: string): number;
}

export const NO_SLOT = -1;

/** An index is many small ones, by the upper bits of the hash: one of all would keep requests waiting while it grows. */
const BITS_OF_PARTS = 8;
/** Places of an empty part. */
const FEWEST = 8;

/**
 * @param hashAt of an entry, 32 bits
 * @param fits whether an entry with that hash is what is looked for
 */
export function createSlotIndex(
  hashAt: (slot: number) => number,
  fits: (slot: number, wanted: string) => boolean,
): SlotIndex {
  const parts = Array.from({ length: 2 ** BITS_OF_PARTS }, (): SlotIndex | undefined => undefined);
  const numberOf = (hash: number): number => hash >>> (32 - BITS_OF_PARTS);
  return {
    add(slot) {
      const number = numberOf(hashAt(slot));
      (parts[number] ??= createPart(hashAt, fits)).add(slot);
    },
    remove: (slot) => parts[numberOf(hashAt(slot))]?.remove(slot),
    find: (hash, wanted) => parts[numberOf(hash)]?.find(hash, wanted) ?? NO_SLOT,
  };
}

function createPart(hashAt: (slot: number) => number, fits: (slot: number, wanted: string) => boolean): SlotIndex {
  // Open addressing with linear probing, half full at most; what is there is a slot's number and one.
  let places = new Uint32Array(FEWEST);
  let mask = FEWEST - 1;
  let size = 0;

  const enter = (slot: number): void => {
    let at = hashAt(slot) & mask;
    while (places[at] !== 0) at = (at + 1) & mask;
    places[at] = slot + 1;
  };
  const grow = (): void => {
    const before = places;
    places = new Uint32Array(2 * before.length);
    mask = places.length - 1;
    for (const place of before) if (place !== 0) enter(place - 1);
  };
  /** Those behind it come nearer, or their search would end here. */
  const leave = (place: number): void => {
    let gap = place;
    for (let at = (gap + 1) & mask; ; at = (at + 1) & mask) {
      const one = places[at] ?? 0;
      if (one === 0) break;
      const home = hashAt(one - 1) & mask;
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      places[gap] = one;
      gap = at;
    }
    places[gap] = 0;
  };

  return {
    add(slot) {
      if (2 * (size + 1) > places.length) grow();
      enter(slot);
      size += 1;
    },
    remove(slot) {
      let at = hashAt(slot) & mask;
      for (let one = places[at] ?? 0; one !== 0; one = places[at] ?? 0) {
        if (one === slot + 1) {
          leave(at);
          size -= 1;
          return;
        }
        at = (at + 1) & mask;
      }
    },
    find(hash, wanted) {
      let found = NO_SLOT;
      let at = hash & mask;
      for (let one = places[at] ?? 0; one !== 0; one = places[at] ?? 0) {
        const slot = one - 1;
        if (hashAt(slot) === hash && fits(slot, wanted)) {
          if (found !== NO_SLOT) return NO_SLOT;
          found = slot;
        }
        at = (at + 1) & mask;
      }
      return found;
    },
  };
}
