// What two or more rows of one object admit together. In: the table's, and others of it. Out: the table's own object if they take nothing
// away, a narrower one, or nothing. What a key grants is not narrowed here: that is decided for each row by itself.
import type { Agent, Key } from "./compiled.ts";

/** Undefined in `others`: no key. */
export function narrowKey(own: Key, others: readonly (Key | undefined)[]): Key | undefined {
  let narrowed = own;
  for (const other of others) {
    if (other === undefined || other.row.sha256 !== own.row.sha256) return undefined;
    if (other !== own) narrowed = both(narrowed, other);
  }
  return narrowed;
}

function both(own: Key, other: Key): Key {
  const operations =
    own.operations === undefined || other.operations === undefined
      ? // Absent, it is all of the protocol, and nothing beside it.
        withoutExtension(own.operations ?? other.operations, own.operations !== other.operations)
      : own.operations.intersection(other.operations);
  const disabled = own.row.disabled === true || other.row.disabled === true;
  const loopbackOnly = own.row.loopbackOnly === true || other.row.loopbackOnly === true;
  return {
    ...own,
    row: {
      ...own.row,
      ...(disabled ? { disabled: true as const } : {}),
      ...(loopbackOnly ? { loopbackOnly: true as const } : {}),
    },
    // An expiry that is not a number denies: so it must stay one.
    expiresAt: Math.min(own.expiresAt, other.expiresAt),
    operations,
  };
}

function withoutExtension(named: ReadonlySet<string> | undefined, oneIsAll: boolean): ReadonlySet<string> | undefined {
  if (named === undefined || !oneIsAll || !named.has("Extension")) return named;
  return named.difference(new Set(["Extension"]));
}

/** Undefined in `others`: no agent. */
export function narrowAgent(own: Agent, others: readonly (Agent | undefined)[]): Agent | undefined {
  if (others.includes(undefined)) return undefined;
  const { row } = own;
  if (row.card.visibility === "Key" || others.every((other) => other?.row.card.visibility !== "Key")) return own;
  return { ...own, row: { ...row, card: { ...row.card, visibility: "Key" } } };
}
