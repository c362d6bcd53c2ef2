// What many have in common, known by number. In: its text. Out: the number, and from that what was made of the text.

export interface Numbered<T> {
  /** Undefined: it has none, since there are too many already. */
  numberOf(text: string): number | undefined;
  /** @throws RangeError when nothing has the number */
  valueOf(number: number): T;
}

/** Characters of all texts, of which a value may take up to thirty times as much memory. */
const MOST_CHARACTERS = 1024 * 1024;

/** @param most numbers that are given; whoever comes later is kept as it is */
export function createNumbered<T>(most: number, make: (text: string) => T): Numbered<T> {
  const numbers = new Map<string, number>();
  const values: T[] = [];
  let characters = 0;
  return {
    numberOf(text) {
      const known = numbers.get(text);
      if (known !== undefined) return known;
      if (values.length === most || characters + text.length > MOST_CHARACTERS) return undefined;
      characters += text.length;
      const number = values.push(make(text)) - 1;
      numbers.set(text, number);
      return number;
    },
    valueOf(number) {
      const value = values[number];
      if (value === undefined) throw new RangeError(`nothing is known by number ${number}`);
      return value;
    },
  };
}
