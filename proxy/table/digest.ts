// The version of a table. In: row ids with the hash of their lines. Out: one digest, equal for equal tables, kept up to date by edits.
// A bucket's digest is SHA-256 over its row hashes in id order (32 zero bytes if empty); the version is SHA-256 over all buckets.
import { hash } from "node:crypto";
import { BUCKET_PREFIX, BUCKETS, type RowId } from "./contract.ts";

const HASH_BYTES = 32;
/** Buckets hashed in one go: well under a millisecond when each holds a hundred rows. */
const REFRESHED = 64;

/** Cost of an edit: one bucket. Cost of `version()`: the buckets edited since, and one hash over 32 KiB. */
export interface Digest {
  /** `rowHash`: 32 bytes, as rowHash gives them. */
  set(id: RowId, rowHash: string): void;
  /** False when there was no such row. */
  delete(id: RowId): boolean;
  has(id: RowId): boolean;
  /** Whether the row stands there with exactly this hash. */
  holds(id: RowId, rowHash: string): boolean;
  /** Lower-case hex, 64 digits. */
  version(): string;
  /** Hashes some of the edited buckets, for a `version()` that is to cost little. False: there are more. */
  refreshSome(): boolean;
  /** The first BUCKET_PREFIX bytes of each bucket's digest, as a `Subscription` names them: base64. */
  prefixes(): string;
  /** Buckets whose digests do not begin as these prefixes say; undefined when they are not prefixes of all buckets. */
  differing(prefixes: string): readonly number[] | undefined;
  /** How many rows there are. No accessor: each literal that has one keeps all that it closes over alive until the next full collection. */
  size(): number;
  /** In no order that means anything. */
  ids(): Iterable<RowId>;
  /** Ids of one bucket, sorted. */
  idsIn(bucket: number): readonly RowId[];
  /** An independent copy that shares every bucket until one side edits it. */
  fork(): Digest;
}

/** Ids sorted by UTF-16 code units; the hash of ids[i] is at 32 * i. The buffer may be longer than what is used. */
interface Bucket {
  readonly ids: RowId[];
  hashes: Buffer;
}

export function createDigest(): Digest {
  return digestOf(
    Array.from({ length: BUCKETS }, () => undefined),
    Buffer.alloc(BUCKETS * HASH_BYTES),
    0,
  );
}

function digestOf(buckets: (Bucket | undefined)[], digests: Buffer, rows: number): Digest {
  let size = rows;
  let known: string | undefined;
  /** Buckets that no fork shares, so that they may be edited in place. */
  const owned = new Uint8Array(BUCKETS);
  const stale = new Set<number>();

  const own = (index: number): Bucket => {
    const bucket = buckets[index];
    if (bucket !== undefined && owned[index] === 1) return bucket;
    const copy: Bucket =
      bucket === undefined
        ? { ids: [], hashes: Buffer.alloc(0) }
        : { ids: bucket.ids.slice(), hashes: copyOf(bucket.hashes.subarray(0, bucket.ids.length * HASH_BYTES)) };
    buckets[index] = copy;
    owned[index] = 1;
    return copy;
  };

  const touched = (index: number): void => {
    stale.add(index);
    known = undefined;
  };

  const find = (id: RowId): { index: number; bucket: Bucket | undefined; at: number; found: boolean } => {
    const index = bucketOf(id);
    const bucket = buckets[index];
    const at = bucket === undefined ? 0 : position(bucket.ids, id);
    return { index, bucket, at, found: bucket?.ids[at] === id };
  };

  const refresh = (limit = BUCKETS): void => {
    let left = limit;
    for (const index of stale) {
      if (left === 0) return;
      left -= 1;
      stale.delete(index);
      const bucket = buckets[index];
      const start = index * HASH_BYTES;
      if (bucket === undefined || bucket.ids.length === 0) digests.fill(0, start, start + HASH_BYTES);
      else digests.write(sha256(bucket.hashes.subarray(0, bucket.ids.length * HASH_BYTES)), start, "latin1");
    }
  };

  const prefixesNow = (): Buffer => {
    refresh();
    const prefixes = Buffer.allocUnsafe(BUCKETS * BUCKET_PREFIX);
    for (let index = 0; index < BUCKETS; index += 1) {
      digests.copy(prefixes, index * BUCKET_PREFIX, index * HASH_BYTES, index * HASH_BYTES + BUCKET_PREFIX);
    }
    return prefixes;
  };

  return {
    set(id, rowHash) {
      if (rowHash.length !== HASH_BYTES) throw new RangeError("a row hash has 32 bytes");
      const { index, at, found } = find(id);
      const bucket = own(index);
      if (!found) {
        makeRoom(bucket, at);
        bucket.ids.splice(at, 0, id);
        size += 1;
      }
      bucket.hashes.write(rowHash, at * HASH_BYTES, "latin1");
      touched(index);
    },
    delete(id) {
      const { index, at, found } = find(id);
      if (!found) return false;
      const bucket = own(index);
      bucket.hashes.copyWithin(at * HASH_BYTES, (at + 1) * HASH_BYTES, bucket.ids.length * HASH_BYTES);
      bucket.ids.splice(at, 1);
      size -= 1;
      touched(index);
      return true;
    },
    has: (id) => find(id).found,
    holds(id, rowHash) {
      const { bucket, at, found } = find(id);
      if (!found || bucket === undefined) return false;
      return bucket.hashes.toString("latin1", at * HASH_BYTES, (at + 1) * HASH_BYTES) === rowHash;
    },
    version() {
      if (known === undefined) {
        refresh();
        known = hash("sha256", digests, "hex");
      }
      return known;
    },
    refreshSome() {
      refresh(REFRESHED);
      return stale.size === 0;
    },
    prefixes: () => prefixesNow().toString("base64"),
    differing(prefixes) {
      const theirs = Buffer.from(prefixes, "base64");
      if (theirs.length !== BUCKETS * BUCKET_PREFIX) return undefined;
      const ours = prefixesNow();
      const found: number[] = [];
      for (let index = 0; index < BUCKETS; index += 1) {
        const at = index * BUCKET_PREFIX;
        if (ours.readUInt32BE(at) !== theirs.readUInt32BE(at)) found.push(index);
      }
      return found;
    },
    size: () => size,
    *ids() {
      for (const bucket of buckets) if (bucket !== undefined) yield* bucket.ids;
    },
    idsIn: (bucket) => buckets[bucket]?.ids ?? [],
    fork() {
      refresh();
      owned.fill(0);
      return digestOf(buckets.slice(), Buffer.from(digests), size);
    },
  };
}

/** In memory of its own: one of Node's shared blocks would stay as long as the bucket does. */
function copyOf(hashes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(hashes.length);
  hashes.copy(copy);
  return copy;
}

/** The first ten bits of SHA-256(id). */
export function bucketOf(id: RowId): number {
  const digest = sha256(id);
  return (digest.charCodeAt(0) << 2) | (digest.charCodeAt(1) >>> 6);
}

/** Where the id is, or where it would go. */
function position(ids: readonly RowId[], id: RowId): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] ?? "") < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Opens a gap of one hash. Grows by an eighth: of each of a thousand buckets, what is free is memory that nobody uses. */
function makeRoom(bucket: Bucket, at: number): void {
  const used = bucket.ids.length * HASH_BYTES;
  if (used + HASH_BYTES > bucket.hashes.length) {
    const grown = Buffer.alloc(HASH_BYTES * (bucket.ids.length + Math.max(8, bucket.ids.length >> 3)));
    bucket.hashes.copy(grown, 0, 0, used);
    bucket.hashes = grown;
  }
  bucket.hashes.copyWithin((at + 1) * HASH_BYTES, at * HASH_BYTES, used);
}

/** One character a byte. */
const sha256 = (data: string | Buffer): string => hash("sha256", data, "latin1");
