// Equal values kept once. In: values as they are parsed, each a copy of its own. Out: the first of all that are equal to it.

/** Characters of the values that are remembered; when there are more, it begins anew: what is equal mostly comes together. */
const REMEMBERED = 1024 * 1024;

export interface Intern {
  text(value: string): string;
  /** By its JSON; never to be changed afterwards. */
  value<T extends object>(value: T): T;
}

export function createIntern(): Intern {
  const texts = new Map<string, string>();
  const values = new Map<string, object>();
  let length = 0;
  const first = <T>(known: Map<string, T>, key: string, value: T): T => {
    const found = known.get(key);
    if (found !== undefined) return found;
    length += key.length;
    if (length > REMEMBERED) {
      texts.clear();
      values.clear();
      ({ length } = key);
    }
    known.set(key, value);
    return value;
  };
  return {
    text: (value) => first(texts, value, value),
    // What has the same JSON has the same type.
    value: <T extends object>(value: T) => first(values, JSON.stringify(value), value) as T,
  };
}
