// Whether bytes are UTF-8, as they arrive in chunks. In: chunks cut anywhere. Out: yes or no, and no unfinished character left.
import { isUtf8 } from "node:buffer";

export interface Utf8Check {
  /** False from the first byte on that no UTF-8 text can hold (RFC 3629). */
  push(chunk: Uint8Array): boolean;
  /** False when the text ends inside a character. */
  end(): boolean;
}

export function createUtf8Check(): Utf8Check {
  /** The start of a character whose rest is in the next chunk. */
  let pending: Buffer | undefined;
  let missing = 0;
  return {
    push(chunk) {
      let start = 0;
      if (pending !== undefined) {
        start = Math.min(missing, chunk.length);
        pending = Buffer.concat([pending, chunk.subarray(0, start)]);
        missing -= start;
        if (missing > 0) return true;
        if (!isUtf8(pending)) return false;
        pending = undefined;
      }
      const cut = unfinished(chunk, start);
      if (cut.at < chunk.length) {
        pending = Buffer.from(chunk.subarray(cut.at));
        missing = cut.missing;
      }
      return isUtf8(start === 0 && cut.at === chunk.length ? chunk : chunk.subarray(start, cut.at));
    },
    end: () => pending === undefined,
  };
}

const NOTHING_MISSING = { at: 0, missing: 0 };

/** Where the last character starts if its bytes are not all there, and how many are missing. */
function unfinished(chunk: Uint8Array, start: number): { at: number; missing: number } {
  const end = chunk.length;
  if (end === start || (chunk[end - 1] as number) < 0x80) return { ...NOTHING_MISSING, at: end };
  for (let at = end - 1; at >= start && at >= end - 3; at--) {
    const byte = chunk[at] as number;
    if (byte >= 0x80 && byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    const missing = length - (end - at);
    return missing > 0 ? { at, missing } : { ...NOTHING_MISSING, at: end };
  }
  return { ...NOTHING_MISSING, at: end };
}
