// Who read what: the reverse index of translation. In: readers and the facts they read. Out: the readers of a fact.

export interface Reads {
  /** Replaces what a reader read. Gives the facts that nobody reads any more. */
  set(reader: string, facts: ReadonlySet<string>): string[];
  readersOf(fact: string): Iterable<string>;
  factsOf(reader: string): Iterable<string>;
  isRead(fact: string): boolean;
  clear(): void;
}

interface Fact {
  readonly name: string;
  /** Most facts have one reader, which then stands here by itself, or a few, in a list, which takes a third of a Set. */
  readers: string | string[] | Set<string>;
}

/** Readers in a list: among so many one is found soon. */
const FEW = 64;

export function createReads(): Reads {
  /** Facts are kept by reference, so that a name is held once, however many read it. */
  const factsByReader = new Map<string, readonly Fact[]>();
  const facts = new Map<string, Fact>();
  const none: readonly Fact[] = [];

  const enter = (reader: string, name: string): Fact => {
    const known = facts.get(name);
    if (known === undefined) {
      const made = { name, readers: reader };
      facts.set(name, made);
      return made;
    }
    const { readers } = known;
    if (readers instanceof Set) readers.add(reader);
    else if (typeof readers === "string") known.readers = readers === reader ? readers : [readers, reader];
    else if (readers.includes(reader)) return known;
    else if (readers.length === FEW) known.readers = new Set(readers).add(reader);
    else readers.push(reader);
    return known;
  };
  /** True if nobody is left. */
  const leave = (reader: string, fact: Fact): boolean => {
    const { readers } = fact;
    if (readers instanceof Set) readers.delete(reader);
    else if (typeof readers !== "string") readers.splice(readers.indexOf(reader), 1);
    const isEmpty = typeof readers === "string" || (readers instanceof Set ? readers.size : readers.length) === 0;
    return isEmpty && facts.delete(fact.name);
  };

  return {
    set(reader, names) {
      const before = factsByReader.get(reader) ?? none;
      if (before.length === names.size && before.every(({ name }) => names.has(name))) return [];
      // Copied, since an array that grew has room for more.
      const after = Array.from(names, (name) => enter(reader, name)).slice();
      if (after.length === 0) factsByReader.delete(reader);
      else factsByReader.set(reader, after);
      return before.filter((fact) => !names.has(fact.name) && leave(reader, fact)).map(({ name }) => name);
    },
    readersOf: (fact) => {
      const readers = facts.get(fact)?.readers ?? [];
      return typeof readers === "string" ? [readers] : readers;
    },
    factsOf: (reader) => (factsByReader.get(reader) ?? none).map(({ name }) => name),
    isRead: (fact) => facts.has(fact),
    clear() {
      factsByReader.clear();
      facts.clear();
    },
  };
}
