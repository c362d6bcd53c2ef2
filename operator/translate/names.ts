// Numbers for names, as long as they are wanted. In: names. Out: the number of each, and the name of a number.
import { hashOfName } from "../../proxy/table/name-hash.ts";
import { createHashIndex } from "../hash-index.ts";

export interface Names {
  /** 0: it has none. */
  numberOf(name: string): number;
  /** Gives it one, if it has none: over zero, and no larger than there are names, or once were. */
  enter(name: string): number;
  nameOf(number: number): string;
  /** Its number may be another name's from now on. */
  leave(number: number): void;
  clear(): void;
}

export function createNames(): Names {
  let index = createHashIndex();
  /** By number. */
  let names: (string | undefined)[] = [undefined];
  let free: number[] = [];

  const slotOf = (name: string): number => index.find(hashOfName(name), (number) => names[number] === name);
  const nameOf = (number: number): string => {
    const name = names[number];
    if (name === undefined) throw new RangeError(`nothing has the number ${number}`);
    return name;
  };

  return {
    numberOf: (name) => index.at(slotOf(name)),
    enter(name) {
      index.makeRoom();
      const slot = slotOf(name);
      const known = index.at(slot);
      if (known !== 0) return known;
      const number = free.pop() ?? names.length;
      names[number] = name;
      index.put(slot, hashOfName(name), number);
      return number;
    },
    nameOf,
    leave(number) {
      index.leave(slotOf(nameOf(number)));
      names[number] = undefined;
      free.push(number);
    },
    clear() {
      index = createHashIndex();
      names = [undefined];
      free = [];
    },
  };
}
