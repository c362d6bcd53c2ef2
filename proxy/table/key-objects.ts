// Keys as requests have them. In: packed keys. Out: their objects, the same ones again for those that requests used lately, whatever table
// they stand in: decisions are remembered for them.
import type { Key } from "./compiled.ts";
import type { RowId } from "./contract.ts";
import { unpackKey, type PackedKey } from "./packed-key.ts";

/** `id`: of the row. */
export type KeyObjects = (id: RowId, packed: PackedKey) => Key;

/** At least so many are kept, and twice as many at most. */
const KEPT = 4096;

export function createKeyObjects(): KeyObjects {
  // By text, whose hash is known once it was looked up.
  let recent = new Map<string, Key>();
  let older = new Map<string, Key>();
  return (id, packed) => {
    const { text, agents } = packed;
    const known = recent.get(text);
    if (known !== undefined && isOf(known, id, agents)) return known;
    const before = older.get(text);
    const key = before !== undefined && isOf(before, id, agents) ? before : unpackKey(id, packed);
    if (recent.size >= KEPT) {
      older = recent;
      recent = new Map();
    }
    recent.set(text, key);
    return key;
  };
}

/** The text says neither under which name nor what is granted. */
const isOf = (key: Key, id: RowId, agents: PackedKey["agents"]): boolean =>
  key.row.agents === agents && id.length === key.id.length + 4 && id.endsWith(key.id);
