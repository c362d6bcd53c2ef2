// One batch as bytes. In: a state of the table and the lines that lead to it. Out: pieces for sockets, each encoded when it is first wanted
// and shared by all who want it soon after. Nothing is encoded at once that would hold up the process.
import { encodeLine } from "../../proxy/table/encode.ts";
import type { Reach, RowId } from "../../proxy/table/contract.ts";

/** A state of the table that batches lead to. */
export interface TableState {
  readonly replica: string;
  readonly sequence: number;
  readonly version: string;
  readonly rows: number;
  /** As COMMIT says it. */
  readonly reach?: Reach | undefined;
}

export type BatchKind = "snapshot" | "buckets" | "changes";

export interface Batch {
  readonly kind: BatchKind;
  readonly sequence: number;
  /** A piece, by its number. They are to be asked for in order; whoever is far behind has it encoded once more. */
  piece(at: number): Buffer | undefined;
  /** Whether a piece that was given is the last one. */
  isLast(at: number): boolean;
}

/** So many characters at most go into one piece, but for a line that is longer. */
const PIECE = 64 * 1024;
/** Pieces that are kept for those who come behind: 4 MiB; of buckets, which few others lack too, less. */
const KEPT = { snapshot: 64, changes: 64, buckets: 8 } as const satisfies Record<BatchKind, number>;

/** What stands between BATCH and COMMIT. */
export interface Lines {
  readonly length: number;
  at(index: number): string | undefined;
}

/** BATCH, the lines (PUT and REMOVE), COMMIT. @param buckets with kind "buckets": those that the lines are the whole of. */
export function createBatch(kind: BatchKind, state: TableState, lines: Lines, buckets?: readonly number[]): Batch {
  const { replica, sequence, version, rows, reach } = state;
  const reset = kind === "snapshot";
  const head = encodeLine({ type: "BATCH", replica, sequence, reset, ...(buckets === undefined ? {} : { buckets }) });
  const commit = encodeLine({
    type: "COMMIT",
    replica,
    sequence,
    lines: lines.length,
    rows,
    version,
    ...(reach === undefined ? {} : { reach }),
  });
  const all = lines.length + 2;
  const lineAt = (index: number): string => (index === 0 ? head : (lines.at(index - 1) ?? commit));
  /** Index of the first line of each piece, as far as pieces were encoded. */
  const starts = [0];
  const kept = new Map<number, Buffer>();

  const encode = (at: number, start: number): Buffer => {
    const texts: string[] = [];
    let size = 0;
    let index = start;
    for (; index < all && size < PIECE; index++) {
      const line = lineAt(index);
      texts.push(line);
      size += line.length + 1;
    }
    starts[at + 1] = index;
    return Buffer.from(`${texts.join("\n")}\n`);
  };

  return {
    kind,
    sequence,
    piece: (at) => {
      const start = starts[at] ?? all;
      if (start >= all) return undefined;
      const known = kept.get(at);
      if (known !== undefined) return known;
      const piece = encode(at, start);
      kept.set(at, piece);
      kept.delete(at - KEPT[kind]);
      return piece;
    },
    isLast: (at) => (starts[at + 1] ?? 0) >= all,
  };
}

export const encodeRemove = (id: RowId): string => encodeLine({ type: "REMOVE", id });
