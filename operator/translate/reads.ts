// Who read what: the reverse index of translation. In: readers and the facts they read. Out: the readers of a fact.

export interface Reads {
  /** Replaces what a reader read. Gives the facts that nobody reads any more. */
  set(reader: string, facts: ReadonlySet<string>): string[];
  readersOf(fact: string): Iterable<string>;
  isRead(fact: string): boolean;
  clear(): void;
}

export function createReads(): Reads {
  const factsByReader = new Map<string, ReadonlySet<string>>();
  const readersByFact = new Map<string, Set<string>>();
  const none: ReadonlySet<string> = new Set();

  return {
    set(reader, facts) {
      const before = factsByReader.get(reader) ?? none;
      for (const fact of facts) {
        if (before.has(fact)) continue;
        const readers = readersByFact.get(fact);
        if (readers === undefined) readersByFact.set(fact, new Set([reader]));
        else readers.add(reader);
      }
      const abandoned: string[] = [];
      for (const fact of before) {
        if (facts.has(fact)) continue;
        const readers = readersByFact.get(fact);
        readers?.delete(reader);
        if (readers?.size === 0) {
          readersByFact.delete(fact);
          abandoned.push(fact);
        }
      }
      if (facts.size === 0) factsByReader.delete(reader);
      else factsByReader.set(reader, facts);
      return abandoned;
    },
    readersOf: (fact) => readersByFact.get(fact) ?? none,
    isRead: (fact) => readersByFact.has(fact),
    clear() {
      factsByReader.clear();
      readersByFact.clear();
    },
  };
}
