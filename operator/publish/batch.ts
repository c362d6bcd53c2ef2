// Lines of one batch as bytes, encoded once for all who are sent it. In: encoded lines. Out: chunks for a socket.
import { encodeLine } from "../../proxy/table/encode.ts";
import type { RowId } from "../../proxy/table/contract.ts";

/** A state of the table that batches lead to. */
export interface TableState {
  readonly replica: string;
  readonly sequence: number;
  readonly version: string;
  readonly rows: number;
}

/** So many characters at most go into one chunk, but for a line that is longer. */
const CHUNK = 64 * 1024;

/** BATCH, the lines (PUT and REMOVE), COMMIT. */
export function encodeBatch(state: TableState, reset: boolean, lines: readonly string[]): readonly Buffer[] {
  const { replica, sequence, version, rows } = state;
  const chunks: Buffer[] = [];
  let held: string[] = [];
  let size = 0;
  const add = (line: string): void => {
    held.push(line);
    size += line.length + 1;
    if (size >= CHUNK) emit();
  };
  const emit = (): void => {
    if (held.length > 0) chunks.push(Buffer.from(`${held.join("\n")}\n`));
    held = [];
    size = 0;
  };
  add(encodeLine({ type: "BATCH", replica, sequence, reset }));
  for (const line of lines) add(line);
  add(encodeLine({ type: "COMMIT", replica, sequence, lines: lines.length, rows, version }));
  emit();
  return chunks;
}

export const encodeRemove = (id: RowId): string => encodeLine({ type: "REMOVE", id });
