// Readers of JSON values. In: a parsed value of any kind. Out: the value with no member that we do not know, or where and why it does not
// fit. A value that needs no change is given back itself: parsed objects are the smallest there are.
// What a reader finds wrong names the place and the rule, never the value: values may be secret.

const INVALID = Symbol("invalid");

/** Where a reader stands, and what it found wrong there. */
export interface Place {
  readonly path: (string | number)[];
  problem: string;
}

/** Gives the value as T, or INVALID after it set `place.problem`. Only a whole success leaves `place.path` as it was. */
export type Read<T> = (value: unknown, place: Place) => T | typeof INVALID;

interface OptionalRead<T> {
  readonly optional: Read<T>;
}

/** A reader for each member of T, so that a member added to a type without a reader does not compile. */
type Members<T> = {
  readonly [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K>
    ? OptionalRead<Exclude<T[K], undefined>>
    : Read<T[K]>;
};

export type Shaped<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** `reason`: `path.to[0].member: what it must be`. */
export function shaped<T>(read: Read<T>, value: unknown): Shaped<T> {
  const place: Place = { path: [], problem: "" };
  const result = read(value, place);
  if (result !== INVALID) return { ok: true, value: result };
  const path = place.path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );
  return { ok: false, reason: path === "" ? place.problem : `${path}: ${place.problem}` };
}

export function invalid(place: Place, problem: string): typeof INVALID {
  place.problem = problem;
  return INVALID;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Any string, or one that fits a rule: `must` says it. */
export function text(fits: (value: string) => boolean = () => true, must = "must be a string"): Read<string> {
  return (value, place) => (typeof value === "string" && fits(value) ? value : invalid(place, must));
}

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Read<number> {
  return (value, place) =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max
      ? value
      : invalid(place, max === Number.MAX_SAFE_INTEGER ? `must be an integer from ${min}` : `must be ${min} to ${max}`);
}

export const flag: Read<boolean> = (value, place) =>
  typeof value === "boolean" ? value : invalid(place, "must be true or false");

export function oneOf<const T extends string | boolean>(...values: readonly T[]): Read<T> {
  return (value, place) => {
    for (const known of values) if (known === value) return known;
    return invalid(place, `must be ${values.join(" or ")}`);
  };
}

export function list<T>(item: Read<T>): Read<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) return invalid(place, "must be a list");
    const given: readonly unknown[] = value;
    const items: T[] = [];
    let same = true;
    for (const [index, one] of given.entries()) {
      place.path.push(index);
      const read = item(one, place);
      if (read === INVALID) return INVALID;
      place.path.pop();
      items.push(read);
      same &&= read === one;
    }
    // Each item is what the reader of items gave.
    return same ? (given as readonly T[]) : items;
  };
}

/** An object whose members are all strings: labels. */
export const texts: Read<Readonly<Record<string, string>>> = (value, place) => {
  if (!isObject(value)) return invalid(place, "must be an object");
  return Object.values(value).every((member) => typeof member === "string")
    ? (value as Readonly<Record<string, string>>)
    : invalid(place, "must hold strings only");
};

export const optional = <T>(read: Read<T>): OptionalRead<T> => ({ optional: read });

/** An object with the members of T. Members that T does not name are left out. */
export function object<T extends object>(members: Members<T>): Read<T> {
  const readers = Object.entries<Read<unknown> | OptionalRead<unknown>>(members).map(([name, member]) =>
    typeof member === "function"
      ? { name, read: member, required: true }
      : { name, read: member.optional, required: false },
  );
  return (value, place) => {
    if (!isObject(value)) return invalid(place, "must be an object");
    let unknown = Object.keys(value).length;
    let changed: [string, unknown][] | undefined;
    for (const { name, read, required } of readers) {
      const member = Object.hasOwn(value, name) ? value[name] : undefined;
      if (member === undefined && !required) continue;
      place.path.push(name);
      const result = member === undefined ? invalid(place, "is missing") : read(member, place);
      if (result === INVALID) return INVALID;
      place.path.pop();
      unknown -= 1;
      if (result !== member) (changed ??= []).push([name, result]);
    }
    // Members<T> made sure that each member of T was read by a reader of its type.
    return (unknown === 0 && changed === undefined ? value : known(value, changed ?? [])) as T;
  };

  function known(value: Readonly<Record<string, unknown>>, changed: readonly [string, unknown][]): object {
    const copy: Record<string, unknown> = {};
    for (const { name } of readers)
      if (Object.hasOwn(value, name) && value[name] !== undefined) copy[name] = value[name];
    return Object.assign(copy, Object.fromEntries(changed));
  }
}

/** Adds a rule over the whole value: `problem` gives what is wrong, or undefined. */
export function where<T>(read: Read<T>, problem: (value: T) => string | undefined): Read<T> {
  return (value, place) => {
    const result = read(value, place);
    if (result === INVALID) return INVALID;
    const wrong = problem(result);
    return wrong === undefined ? result : invalid(place, wrong);
  };
}

/** Chooses the reader by looking at the value. */
export function choose<T>(pick: (value: Readonly<Record<string, unknown>>) => Read<T>): Read<T> {
  return (value, place) => (isObject(value) ? pick(value)(value, place) : invalid(place, "must be an object"));
}
