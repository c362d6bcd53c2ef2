// What is still to be done again, in an order that is fair. In: ids as they turn up. Out: one after another: what came last does not
// wait for all that came before it.

export interface Worklist {
  /** Once is enough, however often it is added before it is taken. */
  add(id: string): void;
  /** By turns one of those that were added since `turn`, and one of those before. */
  take(): string | undefined;
  /** Begins a slice of work: what is still here is older than what comes now. */
  turn(): void;
  readonly size: number;
  clear(): void;
}

export function createWorklist(): Worklist {
  let fresh = createLine();
  let older = createLine();
  let favoured = false;
  return {
    add(id) {
      older.delete(id);
      fresh.add(id);
    },
    take() {
      favoured = !favoured;
      return favoured ? (fresh.take() ?? older.take()) : (older.take() ?? fresh.take());
    },
    turn() {
      if (older.size === 0) [fresh, older] = [older, fresh];
      for (let id = fresh.take(); id !== undefined; id = fresh.take()) older.add(id);
    },
    get size() {
      return fresh.size + older.size;
    },
    clear() {
      fresh = createLine();
      older = createLine();
    },
  };
}

/** First in, first out, each once. */
function createLine() {
  const ids = new Set<string>();
  // One walk over a set that grows behind it: to begin anew for each would step over all holes each time.
  let walk = ids.values();
  return {
    add: (id: string) => void ids.add(id),
    delete: (id: string) => void ids.delete(id),
    take(): string | undefined {
      if (ids.size === 0) return undefined;
      let next = walk.next();
      if (next.done === true) {
        walk = ids.values();
        next = walk.next();
      }
      if (next.done === true) return undefined;
      ids.delete(next.value);
      return next.value;
    },
    get size() {
      return ids.size;
    },
  };
}
