// Lines of a byte stream. In: chunks cut anywhere. Out: whole lines as text, without their newline.

/** A row of the largest object that etcd takes is far below this. */
export const LONGEST_LINE = 16 * 1024 * 1024;

export interface LineSplitter {
  /** Lines that this chunk completed; undefined once a line is longer than the limit. */
  push(chunk: Uint8Array): readonly string[] | undefined;
}

/** `limit`: bytes of a line without its newline. */
export function createLineSplitter(limit: number = LONGEST_LINE): LineSplitter {
  let begun: Uint8Array[] = [];
  let length = 0;
  let broken = false;
  return {
    push(chunk) {
      const lines: string[] = [];
      let start = 0;
      for (let end = chunk.indexOf(10); !broken && end !== -1; end = chunk.indexOf(10, start)) {
        broken = length + end - start > limit;
        lines.push(
          begun.length === 0
            ? textOf(chunk, start, end)
            : textOf(Buffer.concat([...begun, chunk.subarray(start, end)])),
        );
        begun = [];
        length = 0;
        start = end + 1;
      }
      if (start < chunk.length) begun.push(chunk.subarray(start));
      length += chunk.length - start;
      broken ||= length > limit;
      if (broken) begun = [];
      return broken ? undefined : lines;
    },
  };
}

function textOf(chunk: Uint8Array, start = 0, end = chunk.length): string {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("utf8", start, end);
}
