// Equal values kept once. In: values as they are parsed, each a copy of its own. Out: the first of all that are equal to it.

/** Values remembered; when there are more, it begins anew: what is equal mostly comes together. */
const REMEMBERED = 20_000;

export interface Intern {
  text(value: string): string;
  /** By its JSON; never to be changed afterwards. */
  value<T extends object>(value: T): T;
}

export function createIntern(): Intern {
  const texts = new Map<string, string>();
  const values = new Map<string, object>();
  const first = <T>(known: Map<string, T>, key: string, value: T): T => {
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= REMEMBERED) known.clear();
    known.set(key, value);
    return value;
  };
  return {
    text: (value) => first(texts, value, value),
    // What has the same JSON has the same type.
    value: <T extends object>(value: T) => first(values, JSON.stringify(value), value) as T,
  };
}
