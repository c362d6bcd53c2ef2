// A row as a stream brought it, beside the row of its id that the table served until then. In: a line of a batch. Out: both, for judging
// later which of two rows under one id is the newer.
import type { Table } from "./compiled.ts";
import type { Row, RowId } from "./contract.ts";
import { rowHash } from "./encode.ts";

/** What tells the age of a key's or an agent's row. */
export interface RowIdentity {
  readonly uid: string;
  readonly generation: number;
  /** Of a key. */
  readonly sha256: string | undefined;
}

export interface SeenRow {
  readonly id: RowId;
  /** Null: it was removed. It is not judged yet. */
  readonly row: Row | null;
  /** Of its line, as the version counts it; undefined when it was removed. */
  readonly hash: string | undefined;
  /** Of the row that it took the place of, if one was served. */
  readonly before: RowIdentity | undefined;
}

export function seenRow(
  table: Pick<Table, "keyById" | "agentByName">,
  line: { readonly id: RowId; readonly row?: Row },
  text: string,
): SeenRow {
  const { id, row } = line;
  const hash = row === undefined ? undefined : rowHash(id, text);
  return { id, row: row ?? null, hash, before: servedIdentity(table, id) };
}

/** Of the row that is served under the id; undefined for rows that say nothing of their age. */
export function servedIdentity(table: Pick<Table, "keyById" | "agentByName">, id: RowId): RowIdentity | undefined {
  const [kind, namespace = "", name = ""] = id.split("/");
  if (kind === "key") return identityOf(table.keyById(`${namespace}/${name}`)?.row);
  if (kind === "agent") return identityOf(table.agentByName(namespace, name)?.row);
  return undefined;
}

/** What a row says of itself, whether it is a whole one or not. */
export function identityOf(row: unknown): RowIdentity | undefined {
  if (typeof row !== "object" || row === null) return undefined;
  const { uid, generation, sha256 } = row as Readonly<Record<string, unknown>>;
  if (typeof uid !== "string" || typeof generation !== "number") return undefined;
  return { uid, generation, sha256: typeof sha256 === "string" ? sha256 : undefined };
}

/**
 * Whether the row that is served now is newer than one that was seen. `dead`: rows that the seen one came after. Newer is another object than
 * all of these, a higher generation, or the same with a token that none of them had.
 */
export function isNewer(now: RowIdentity, seen: Pick<SeenRow, "row">, dead: readonly RowIdentity[]): boolean {
  const after = identityOf(seen.row);
  const before = dead.filter(({ uid }) => uid === now.uid);
  if (after?.uid !== now.uid && (after !== undefined || before.length === 0)) return before.length === 0;
  const generation = after?.generation ?? Math.max(...before.map((one) => one.generation));
  if (now.generation !== generation) return now.generation > generation;
  const tokens = before.map(({ sha256 }) => sha256);
  return tokens.length > 0 && now.sha256 !== undefined && ![...tokens, after?.sha256].includes(now.sha256);
}
