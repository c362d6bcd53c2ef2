// A collection for things that come and go with every request. In: things with a slot. Out: membership without garbage.
// Not a Set: a Set that is added to and deleted from at this rate leaves old tables behind that keep dead requests alive until
// the next full garbage collection, and young ones are copied again and again.

export interface Slotted {
  /** Where it stands; the collection's own business. -1 outside of it. */
  slot: number;
}

export interface Slots<T extends Slotted> {
  add(item: T): void;
  /** Does nothing when it is not in. */
  remove(item: T): void;
  /** What is in now: later changes do not show. */
  all(): readonly T[];
  readonly size: number;
}

export function createSlots<T extends Slotted>(): Slots<T> {
  const items: T[] = [];
  return {
    add(item) {
      item.slot = items.length;
      items.push(item);
    },
    remove(item) {
      const { slot } = item;
      if (items[slot] !== item) return;
      item.slot = -1;
      // The last one takes the free place.
      const last = items.pop();
      if (last === undefined || last === item) return;
      last.slot = slot;
      items[slot] = last;
    },
    all: () => items.slice(),
    get size() {
      return items.length;
    },
  };
}
