// An operator as the lines that it sends, without a network. In: changes as its watch brings them. Out: lines of a stream.
import type { Row, RowChange, RowId } from "./contract.ts";
import { bucketOf, createDigest } from "./digest.ts";
import { encodeLine, encodePut, rowHash } from "./encode.ts";

/** It has read nothing yet. */
export function createLinesOperator(replica: string) {
  const digest = createDigest();
  const lines = new Map<RowId, string>();
  let sequence = 0;
  let known = 0;
  let isSilent = false;
  const reach = () => (isSilent ? {} : { reach: { keys: known } });
  const textOf = (id: RowId, row: Row | null): string =>
    row === null ? encodeLine({ type: "REMOVE", id }) : encodePut(id, row);
  const batch = (texts: readonly string[], kind: { reset?: boolean; buckets?: readonly number[] }): string[] => [
    encodeLine({ type: "BATCH", replica, sequence, reset: false, ...kind }),
    ...texts,
    encodeLine({
      type: "COMMIT",
      replica,
      sequence,
      lines: texts.length,
      rows: digest.size(),
      version: digest.version(),
      ...reach(),
    }),
  ];
  return {
    /** Changes of the history that it knows. */
    get known() {
      return known;
    },
    hello: encodeLine({ type: "HELLO", gateway: "default", replica }),
    get version() {
      return digest.version();
    },
    heartbeat() {
      isSilent = false;
      return encodeLine({ type: "HEARTBEAT", replica, sequence, version: digest.version(), ...reach() });
    },
    /** What changed meanwhile is in the batch as it is in the end: that a key was there, or was another, between is not told. */
    take(changes: readonly RowChange[], silent = false): string[] {
      sequence += 1;
      known += changes.length;
      isSilent = silent;
      const last = new Map(changes.map((change) => [change.id, change]));
      const texts = [...last.values()].map(({ id, row }) => {
        const text = textOf(id, row);
        if (row === null) {
          lines.delete(id);
          digest.delete(id);
        } else {
          lines.set(id, text);
          digest.set(id, rowHash(id, text));
        }
        return text;
      });
      return batch(texts, {});
    },
    /** What a stream begins with that is applied. */
    greeting(prefixes: string | undefined): string[] {
      if (prefixes === undefined) return batch([...lines.values()], { reset: true });
      const buckets = digest.differing(prefixes) ?? [];
      return batch(
        [...lines].filter(([id]) => buckets.includes(bucketOf(id))).map(([, line]) => line),
        { buckets },
      );
    },
  };
}
