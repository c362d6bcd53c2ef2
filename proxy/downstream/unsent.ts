// Whether a client takes what waits for it. In: looks at its socket or stream. Out: that nothing has left for too long.
import type { Writable } from "node:stream";

/** How long a client may take nothing; milliseconds. */
export const SEND_MS = 60_000;

export class Unsent {
  /** Octets that waited at the last look, and since when none of them left. */
  #octets = 0;
  #since = 0;

  /** @param now milliseconds that never step */
  isStuck({ writableLength }: Pick<Writable, "writableLength">, now: number): boolean {
    if (writableLength > 0 && writableLength === this.#octets) return now - this.#since >= SEND_MS;
    this.#octets = writableLength;
    this.#since = now;
    return false;
  }
}
