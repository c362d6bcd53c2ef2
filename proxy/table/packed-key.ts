// A key as it is kept, and as requests have it. In: a key's row. Out: one text of a fifth of the memory and what it grants, which many
// keys share; the row again, equal to what it was.
import type { Key } from "./compiled.ts";
import type { KeyRow, RowId } from "./contract.ts";
import { parseTime } from "./parse-row.ts";

export interface PackedKey {
  /** SHA-256 of the token and the UID, a character each byte; then all else as JSON. */
  readonly text: string;
  readonly agents: KeyRow["agents"];
}

type Others = Omit<KeyRow, "uid" | "generation" | "sha256" | "owner" | "agents">;
/** `uid`: where it is not a UUID. */
type Rest = [
  generation: number,
  user: string | null | undefined,
  team: string | null | undefined,
  others?: Others,
  uid?: string,
];

/** Of 64 and of 32 hex digits. */
const SHA256_BYTES = 32;
const UID_BYTES = 16;
const NO_UUID = "0".repeat(2 * UID_BYTES);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function packKey({ uid, generation, sha256, owner, agents, ...others }: KeyRow): PackedKey {
  const isUuid = UUID.test(uid);
  const rest: Rest = [generation, owner.user, owner.team];
  if (!isUuid) rest.push(others, uid);
  else if (Object.keys(others).length > 0) rest.push(others);
  const bytes = Buffer.from(sha256 + (isUuid ? uid.replaceAll("-", "") : NO_UUID), "hex").toString("latin1");
  // Joined, since what is added stays the pieces that it was made of.
  return { text: [bytes, JSON.stringify(rest)].join(""), agents };
}

export function unpackRow({ text, agents }: PackedKey): KeyRow {
  // What packKey wrote.
  const [generation, user, team, others, uid] = JSON.parse(text.slice(SHA256_BYTES + UID_BYTES)) as Rest;
  const row = {
    uid: uid ?? uuidOf(hexOf(text, SHA256_BYTES, UID_BYTES)),
    generation,
    sha256: sha256Of(text),
    owner: ownerOf({ user, team }),
    agents,
  };
  return others === undefined ? row : { ...row, ...others };
}

/** Every member, or it does not compile. */
function ownerOf({ user, team }: Record<keyof KeyRow["owner"], string | null | undefined>): KeyRow["owner"] {
  if (typeof user === "string") return typeof team === "string" ? { user, team } : { user };
  return typeof team === "string" ? { team } : {};
}

/** `id`: of the row. */
export function unpackKey(id: RowId, packed: PackedKey): Key {
  const row = unpackRow(packed);
  const { expiresAt, operations } = row;
  const name = id.slice("key/".length);
  return {
    id: name,
    namespace: name.slice(0, name.indexOf("/")),
    row,
    expiresAt: expiresAt === undefined ? Infinity : parseTime(expiresAt),
    operations: operations === undefined ? undefined : new Set(operations),
  };
}

/** Lower-case hex. */
export const sha256Of = (text: string): string => hexOf(text, 0, SHA256_BYTES);

const hexOf = (text: string, from: number, bytes: number): string =>
  Buffer.from(text.slice(from, from + bytes), "latin1").toString("hex");

/** The first 32 bits of the SHA-256, of a packed key and of 64 hex digits. */
export function hashOfText(text: string): number {
  let hash = 0;
  for (let at = 0; at < 4; at += 1) hash = (hash << 8) | text.charCodeAt(at);
  return hash >>> 0;
}
export function hashOfSha256(sha256: string): number {
  let hash = 0;
  for (let at = 0; at < 8; at += 1) hash = (hash << 4) | digit(sha256, at);
  return hash >>> 0;
}

/** Whether it is of this token. */
export function hasSha256(text: string, sha256: string): boolean {
  if (sha256.length !== 2 * SHA256_BYTES) return false;
  for (let at = 0; at < SHA256_BYTES; at += 1)
    if (text.charCodeAt(at) !== ((digit(sha256, 2 * at) << 4) | digit(sha256, 2 * at + 1))) return false;
  return true;
}

function digit(hex: string, at: number): number {
  const code = hex.charCodeAt(at);
  return code <= 57 ? code - 48 : code - 87;
}

function uuidOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
