// Bytes of a body that are kept for later. In: chunks as they pass. Out: its start, for the log, and its end, for figures of usage.
import { StringDecoder } from "node:string_decoder";

/** How much of an answer's end is kept for figures of usage: frameworks tell them in the last event. Bytes. */
export const USAGE_BYTES = 256 * 1024;

/** A class, as all that lives as long as a request: see Exchange. */
export class ContentCapture {
  readonly #headLimit: number;
  readonly #tailLimit: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #dropped = false;

  /** @param limits how many bytes of the start and of the end are kept; 0: none */
  constructor(limits: { readonly head: number; readonly tail: number }) {
    this.#headLimit = limits.head;
    this.#tailLimit = limits.tail;
  }

  /** Copies what is kept; the chunk stays the caller's. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const room = this.#headLimit - this.#headBytes;
    if (room > 0) {
      const kept = Buffer.from(chunk.length <= room ? chunk : chunk.subarray(0, room));
      this.#headBytes += kept.length;
      this.#head.push(kept);
    }
    if (this.#tailLimit > 0) this.#keepTail(chunk);
  }

  #keepTail(chunk: Uint8Array): void {
    this.#tail.push(Buffer.from(chunk));
    this.#tailBytes += chunk.length;
    // Twice as much as is wanted before it is cut, so that small chunks are not copied each time.
    if (this.#tailBytes <= 2 * this.#tailLimit) return;
    const kept = Buffer.from(Buffer.concat(this.#tail, this.#tailBytes).subarray(-this.#tailLimit));
    this.#tail = [kept];
    this.#tailBytes = kept.length;
    this.#dropped = true;
  }

  /** The start, cut between characters; bytes that are not UTF-8 show as U+FFFD. */
  start(): string {
    // Without end(): a character whose last bytes were cut off is left out.
    return new StringDecoder("utf8").write(Buffer.concat(this.#head, this.#headBytes));
  }

  /** The end, and whether that is all there was. */
  end(): { readonly text: string; readonly whole: boolean } {
    return { text: Buffer.concat(this.#tail, this.#tailBytes).toString("utf8"), whole: !this.#dropped };
  }
}
