// Chunks of bytes in, whole lines of text out.
import { StringDecoder } from "node:string_decoder";

/** A line longer than this is a fault of the server, not an object: etcd keeps objects under 1.5 MiB. Characters. */
const LONGEST_LINE = 32 * 1024 * 1024;

/** Splits at `\n`, whatever the chunk borders. A last line without an end is given too. Throws on an endless line. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const text = decoder.write(chunk);
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      parts.push(text.slice(start, end));
      const line = parts.join("");
      parts = [];
      length = 0;
      start = end + 1;
      if (line !== "") yield line;
    }
    if (start < text.length) {
      parts.push(text.slice(start));
      length += text.length - start;
      if (length > LONGEST_LINE) throw new Error("the API server sent a line that does not end");
    }
  }
  const last = parts.join("") + decoder.end();
  if (last !== "") yield last;
}
