// Whether bytes are UTF-8, as they arrive in chunks. In: chunks cut anywhere. Out: yes or no, and no unfinished character left.
import { isUtf8 } from "node:buffer";

export interface Utf8Check {
  /** False from the first byte on that no UTF-8 text can hold (RFC 3629). */
  push(chunk: Uint8Array): boolean;
  /** False when the text ends inside a character. */
  end(): boolean;
  /** Makes it ready for another text. */
  reset(): void;
}

export function createUtf8Check(): Utf8Check {
  return new Check();
}

class Check implements Utf8Check {
  /** The start of a character whose rest is in the next chunk, and how many bytes that is. */
  #pending: Buffer | undefined = undefined;
  #missing = 0;

  push(chunk: Uint8Array): boolean {
    if (this.#pending === undefined && endsPlain(chunk)) return isUtf8(chunk);
    let start = 0;
    if (this.#pending !== undefined) {
      start = Math.min(this.#missing, chunk.length);
      const begun = Buffer.concat([this.#pending, chunk.subarray(0, start)]);
      this.#pending = begun;
      this.#missing -= start;
      if (this.#missing > 0) return true;
      if (!isUtf8(begun)) return false;
      this.#pending = undefined;
    }
    const cut = unfinished(chunk, start);
    if (cut.at < chunk.length) {
      this.#pending = Buffer.from(chunk.subarray(cut.at));
      this.#missing = cut.missing;
    }
    return isUtf8(chunk.subarray(start, cut.at));
  }

  end(): boolean {
    return this.#pending === undefined;
  }

  reset(): void {
    this.#pending = undefined;
    this.#missing = 0;
  }
}

/** No character can be cut off at the end of such a chunk. */
const endsPlain = (chunk: Uint8Array): boolean => chunk.length === 0 || (chunk[chunk.length - 1] as number) < 0x80;

/** Where the last character starts if its bytes are not all there, and how many are missing. */
function unfinished(chunk: Uint8Array, start: number): { at: number; missing: number } {
  const end = chunk.length;
  for (let at = end - 1; at >= start && at >= end - 3; at--) {
    const byte = chunk[at] as number;
    if (byte >= 0x80 && byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    const missing = length - (end - at);
    return missing > 0 ? { at, missing } : { at: end, missing: 0 };
  }
  return { at: end, missing: 0 };
}
