// The keys of a table. In: packed keys coming and going. Out: keys by row id and by the SHA-256 of their token.
// There are many of them, of which few are used at a time: so they are kept packed, and made into objects for whoever asks.
import type { Key } from "./compiled.ts";
import type { RowId } from "./contract.ts";
import { KEYS_KEPT, type KeyObjects } from "./key-objects.ts";
import { createLatelyUsed } from "./lately-used.ts";
import { hashOfName } from "./name-hash.ts";
import { hashOfSha256, hashOfText, hasSha256, sha256Of, type PackedKey } from "./packed-key.ts";
import { createSlotIndex, NO_SLOT } from "./slot-index.ts";

export interface KeyStore {
  packed(id: RowId): PackedKey | undefined;
  key(id: RowId): Key | undefined;
  /** The only key of this token. Two must never be; if they are, neither is given, whichever came first: deterministic, and closed. */
  bySha256(sha256: string): Key | undefined;
  has(id: RowId): boolean;
  set(id: RowId, packed: PackedKey): void;
  /** False when it was not there. */
  delete(id: RowId): boolean;
}

/** Slots of an empty store. */
const FEWEST = 64;
const NOTHING: PackedKey["agents"] = [];

export function createKeyStore(objects: KeyObjects): KeyStore {
  // One slot is one key; what is in it stands in an array of its own for each part: an object each would take 50 bytes more.
  const ids: (RowId | undefined)[] = [];
  const texts: string[] = [];
  const grants: PackedKey["agents"][] = [];
  /** Of ids. Of tokens they are in the texts. */
  let hashes = new Uint32Array(FEWEST);
  const free: number[] = [];

  const byId = createSlotIndex(
    (slot) => hashes[slot] ?? 0,
    (slot, id) => ids[slot] === id,
  );
  const byToken = createSlotIndex(
    (slot) => hashOfText(texts[slot] ?? ""),
    (slot, sha256) => hasSha256(texts[slot] ?? "", sha256),
  );

  /** What requests found by a token's SHA-256. */
  const found = createLatelyUsed<Key>(KEYS_KEPT);

  const find = (id: RowId): number => byId.find(hashOfName(id), id);
  const at = (slot: number): PackedKey => ({ text: texts[slot] ?? "", agents: grants[slot] ?? NOTHING });
  const objectAt = (slot: number): Key | undefined => {
    const id = slot === NO_SLOT ? undefined : ids[slot];
    return id === undefined ? undefined : objects(id, at(slot));
  };

  const put = (slot: number, { text, agents }: PackedKey): void => {
    texts[slot] = text;
    grants[slot] = agents;
    byToken.add(slot);
    // It may be the second one of its token.
    found.delete(sha256Of(text));
  };
  const take = (slot: number): void => {
    byToken.remove(slot);
    found.delete(sha256Of(texts[slot] ?? ""));
  };
  const nextSlot = (): number => {
    const slot = free.pop() ?? ids.length;
    if (slot >= hashes.length) {
      const more = new Uint32Array(2 * hashes.length);
      more.set(hashes);
      hashes = more;
    }
    return slot;
  };

  return {
    packed(id) {
      const slot = find(id);
      return slot === NO_SLOT ? undefined : at(slot);
    },
    key: (id) => objectAt(find(id)),
    bySha256(sha256) {
      const known = found.get(sha256);
      if (known !== undefined) return known;
      const key = objectAt(byToken.find(hashOfSha256(sha256), sha256));
      if (key !== undefined) found.set(key.row.sha256, key);
      return key;
    },
    has: (id) => find(id) !== NO_SLOT,
    set(id, packed) {
      const known = find(id);
      if (known !== NO_SLOT) {
        take(known);
        return put(known, packed);
      }
      const slot = nextSlot();
      ids[slot] = id;
      hashes[slot] = hashOfName(id);
      byId.add(slot);
      return put(slot, packed);
    },
    delete(id) {
      const slot = find(id);
      if (slot === NO_SLOT) return false;
      byId.remove(slot);
      take(slot);
      ids[slot] = undefined;
      texts[slot] = "";
      grants[slot] = NOTHING;
      free.push(slot);
      return true;
    },
  };
}
