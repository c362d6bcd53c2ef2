// How much of request bodies is held in memory. In: bytes taken and given back, by key. Out: whether there is room.

export interface Buffers {
  /** Takes bytes for a key; false, and nothing taken, when the key's or the proxy's share is used up. */
  take(key: string, bytes: number): boolean;
  give(key: string, bytes: number): void;
  /** Bytes held now. */
  readonly total: number;
}

/** @param limits bytes per key and for the whole proxy */
export function createBuffers(limits: { perKey: number; total: number }): Buffers {
  const byKey = new Map<string, number>();
  let total = 0;
  return {
    take(key, bytes) {
      const held = byKey.get(key) ?? 0;
      if (held + bytes > limits.perKey || total + bytes > limits.total) return false;
      byKey.set(key, held + bytes);
      total += bytes;
      return true;
    },
    give(key, bytes) {
      const held = (byKey.get(key) ?? 0) - bytes;
      if (held > 0) byKey.set(key, held);
      else byKey.delete(key);
      total -= bytes;
    },
    get total() {
      return total;
    },
  };
}
