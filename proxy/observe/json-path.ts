// Places in JSON. In: a path as an object names it, `$.params.message.metadata['https://example.com/usage'].tokens`. Out: its steps.
// The part of RFC 9535 that needs no evaluation: names, indexes, wildcards and descendants.

export interface Step {
  /** At any depth below, not only the next. */
  readonly descends: boolean;
  /** A member's name, an item's index, or null for every one of them. */
  readonly key: string | number | null;
}

const step = /(\.\.?)([A-Za-z_][A-Za-z0-9_-]*|\*)|\[(\*|[0-9]{1,6}|'[^'\\]*')\]/y;

/** Undefined: not a path of this form. */
export function parsePath(path: string): readonly Step[] | undefined {
  if (!path.startsWith("$") || path.length === 1) return undefined;
  const steps: Step[] = [];
  step.lastIndex = 1;
  while (step.lastIndex < path.length) {
    const match = step.exec(path);
    if (match === null) return undefined;
    const [, dots, dotted, bracketed] = match;
    steps.push({ descends: dots === "..", key: dotted === undefined ? inBrackets(bracketed ?? "") : named(dotted) });
  }
  return steps;
}

const named = (name: string): string | null => (name === "*" ? null : name);

function inBrackets(text: string): string | number | null {
  if (text === "*") return null;
  return text.startsWith("'") ? text.slice(1, -1) : Number(text);
}

/** The one value at a path of names and indexes; undefined: there is none. Wildcards reach nothing. */
export function valueAt(root: unknown, steps: readonly Step[]): unknown {
  let value = root;
  for (const { key } of steps) {
    if (key === null || typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}
