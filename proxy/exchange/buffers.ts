// How much of request bodies is held in memory. In: bytes taken and given back, by key. Out: whether there is room.

export interface Buffers {
  /** Takes bytes for a key; false, and nothing taken, when the key's or the proxy's share is used up. */
  take(key: string, bytes: number): boolean;
  give(key: string, bytes: number): void;
  /** Forgets keys that hold nothing: not at once, since most come back with their next request. */
  sweep(): void;
  /** Bytes held now. */
  readonly total: number;
}

/** @param limits bytes per key and for the whole proxy */
export function createBuffers(limits: { perKey: number; total: number }): Buffers {
  const byKey = new Map<string, { held: number }>();
  let total = 0;

  function shareOf(key: string): { held: number } {
    let share = byKey.get(key);
    if (share === undefined) {
      share = { held: 0 };
      byKey.set(key, share);
    }
    return share;
  }

  return {
    take(key, bytes) {
      const share = shareOf(key);
      if (share.held + bytes > limits.perKey || total + bytes > limits.total) return false;
      share.held += bytes;
      total += bytes;
      return true;
    },
    give(key, bytes) {
      shareOf(key).held -= bytes;
      total -= bytes;
    },
    sweep() {
      for (const [key, { held }] of byKey) if (held === 0) byKey.delete(key);
    },
    get total() {
      return total;
    },
  };
}
