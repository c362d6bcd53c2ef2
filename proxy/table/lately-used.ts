// What was used lately, by name. In: values as they are made. Out: the same ones while they are used now and then.

export interface LatelyUsed<T> {
  get(name: string): T | undefined;
  set(name: string, value: T): void;
  delete(name: string): void;
}

/** @param kept at least so many are kept, and twice as many at most */
export function createLatelyUsed<T>(kept: number): LatelyUsed<T> {
  let recent = new Map<string, T>();
  let older = new Map<string, T>();

  const set = (name: string, value: T): void => {
    if (recent.size >= kept) {
      older = recent;
      recent = new Map();
    }
    recent.set(name, value);
  };

  return {
    get(name) {
      const value = recent.get(name);
      if (value !== undefined) return value;
      const before = older.get(name);
      if (before !== undefined) set(name, before);
      return before;
    },
    set,
    delete(name) {
      recent.delete(name);
      older.delete(name);
    },
  };
}
