// Keys as requests have them. In: packed keys. Out: their objects, the same ones again for those that requests used lately, whatever table
// they stand in: decisions are remembered for them.
import type { Key } from "./compiled.ts";
import type { RowId } from "./contract.ts";
import { createLatelyUsed } from "./lately-used.ts";
import { unpackKey, type PackedKey } from "./packed-key.ts";

/** `id`: of the row. */
export type KeyObjects = (id: RowId, packed: PackedKey) => Key;

/** Of keys that are used: twice as many take some 4 MB. */
export const KEYS_KEPT = 4096;

export function createKeyObjects(): KeyObjects {
  // By text, whose hash is known once it was looked up.
  const lately = createLatelyUsed<Key>(KEYS_KEPT);
  return (id, packed) => {
    const known = lately.get(packed.text);
    // The text says neither under which name nor what is granted.
    if (known?.row.agents === packed.agents && id.length === known.id.length + 4 && id.endsWith(known.id)) return known;
    const key = unpackKey(id, packed);
    lately.set(packed.text, key);
    return key;
  };
}
