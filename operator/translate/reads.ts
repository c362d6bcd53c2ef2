// Who read what: the reverse index of translation. In: readers and the facts they read. Out: the readers of a fact.
// Outside of the heap: as lists they would take twice the memory, and be walked by every collection.
import { createNames } from "./names.ts";

export interface Reads {
  /** Replaces what a reader read. Gives the facts that nobody reads any more. */
  set(reader: string, facts: ReadonlySet<string>): string[];
  /** As they are now. */
  readersOf(fact: string): readonly string[];
  factsOf(reader: string): readonly string[];
  isRead(fact: string): boolean;
  clear(): void;
}

/** Numbers of a read; 0: there is none. */
const [READER, FACT, NEXT_OF_READER, NEXT_OF_FACT, LAST_OF_FACT] = [0, 1, 2, 3, 4];
const MEMBERS = 5;
/** Numbers of a name: the first read of it as a reader, and as a fact. */
const [READS, READ_BY] = [0, 1];
const ENDS = 2;

export function createReads(): Reads {
  const names = createNames();
  /** Reads of one reader, and of one fact, are linked. */
  let reads = createRecords(MEMBERS);
  let ends = createRecords(ENDS);
  /** The first of those that are out of use, linked as a reader's are. */
  let free = 0;
  let used = 0;

  const walk = (first: number, next: number, member: number): string[] => {
    const found: string[] = [];
    for (let read = first; read !== 0; read = reads.get(read, next)) found.push(names.nameOf(reads.get(read, member)));
    return found;
  };
  const factsOf = (reader: string): string[] => walk(ends.get(names.numberOf(reader), READS), NEXT_OF_READER, FACT);

  const takeFree = (): number => {
    if (free === 0) return (used += 1);
    const read = free;
    free = reads.get(read, NEXT_OF_READER);
    return read;
  };
  const enter = (reader: number, name: string): void => {
    const fact = names.enter(name);
    const read = takeFree();
    const [nextOfReader, nextOfFact] = [ends.get(reader, READS), ends.get(fact, READ_BY)];
    reads.set(read, READER, reader);
    reads.set(read, FACT, fact);
    reads.set(read, NEXT_OF_READER, nextOfReader);
    reads.set(read, NEXT_OF_FACT, nextOfFact);
    reads.set(read, LAST_OF_FACT, 0);
    if (nextOfFact !== 0) reads.set(nextOfFact, LAST_OF_FACT, read);
    ends.set(reader, READS, read);
    ends.set(fact, READ_BY, read);
  };
  /** Gives the fact. */
  const leave = (read: number): number => {
    const fact = reads.get(read, FACT);
    const [last, next] = [reads.get(read, LAST_OF_FACT), reads.get(read, NEXT_OF_FACT)];
    if (last === 0) ends.set(fact, READ_BY, next);
    else reads.set(last, NEXT_OF_FACT, next);
    if (next !== 0) reads.set(next, LAST_OF_FACT, last);
    reads.set(read, NEXT_OF_READER, free);
    free = read;
    return fact;
  };
  const tidy = (name: string): void => {
    const number = names.numberOf(name);
    if (number !== 0 && ends.get(number, READS) === 0 && ends.get(number, READ_BY) === 0) names.leave(number);
  };

  return {
    set(reader, facts) {
      const before = factsOf(reader);
      if (before.length === facts.size && before.every((name) => facts.has(name))) return [];
      const number = names.enter(reader);
      const first = ends.get(number, READS);
      ends.set(number, READS, 0);
      for (const name of facts) enter(number, name);
      const abandoned: string[] = [];
      for (let read = first, next = 0; read !== 0; read = next) {
        next = reads.get(read, NEXT_OF_READER);
        const fact = leave(read);
        if (ends.get(fact, READ_BY) === 0) abandoned.push(names.nameOf(fact));
      }
      for (const name of [...abandoned, reader]) tidy(name);
      return abandoned;
    },
    readersOf: (fact) => walk(ends.get(names.numberOf(fact), READ_BY), NEXT_OF_FACT, READER),
    factsOf,
    isRead: (fact) => ends.get(names.numberOf(fact), READ_BY) !== 0,
    clear() {
      names.clear();
      reads = createRecords(MEMBERS);
      ends = createRecords(ENDS);
      [free, used] = [0, 0];
    },
  };
}

/** So many numbers each, by the number of a record; all are 0 at first, and of record 0 for ever. */
function createRecords(members: number) {
  let numbers = new Uint32Array(64 * members);
  return {
    get: (record: number, member: number): number => numbers[record * members + member] ?? 0,
    set(record: number, member: number, number: number): void {
      const at = record * members + member;
      if (at >= numbers.length) {
        const before = numbers;
        numbers = new Uint32Array(2 * before.length);
        numbers.set(before);
      }
      numbers[at] = number;
    },
  };
}
