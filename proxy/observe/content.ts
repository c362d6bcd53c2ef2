// Content for the log. In: chunks of a body, and how many bytes may be kept. Out: their start as text.
import { StringDecoder } from "node:string_decoder";

export interface ContentCapture {
  /** Copies what still fits; the chunk stays the caller's. */
  push(chunk: Uint8Array): void;
  /** What was kept, cut between characters; bytes that are not UTF-8 show as U+FFFD. */
  text(): string;
}

/** Keeps the first `maxBytes` bytes of a body. Only made when `logging.content` is `Full`. */
export function createContentCapture(maxBytes: number): ContentCapture {
  const chunks: Buffer[] = [];
  let held = 0;
  return {
    push(chunk) {
      const room = maxBytes - held;
      if (room <= 0 || chunk.length === 0) return;
      const kept = Buffer.from(chunk.length <= room ? chunk : chunk.subarray(0, room));
      held += kept.length;
      chunks.push(kept);
    },
    // Without end(): a character whose last bytes were cut off is left out.
    text: () => new StringDecoder("utf8").write(Buffer.concat(chunks, held)),
  };
}
