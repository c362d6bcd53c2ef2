// The table as requests read it. In: rows as they were parsed. Out: objects that never change; an edit replaces the object.
// A request takes the Agent and the Key once and keeps them to its end.
import type { AgentBackend, AgentRow, Endpoint, GatewayRow, KeyRow, NamespaceRow, RowId } from "./contract.ts";

export interface Agent {
  /** `{namespace}/{name}` */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly row: AgentRow;
}

export interface Key {
  /** `{namespace}/{name}` */
  readonly id: string;
  readonly namespace: string;
  readonly row: KeyRow;
  /** Milliseconds since the epoch; Infinity when it never ends. */
  readonly expiresAt: number;
  /** Set of 1.0 operation names; undefined: all of the protocol. */
  readonly operations: ReadonlySet<string> | undefined;
}

/** First 8 hex digits of the SHA-256 of a key's token. */
export const fingerprintOf = ({ row }: Pick<Key, "row">): string => row.sha256.slice(0, 8);

/** What changed, for those who hold on to something across requests (open streams, remembered decisions, endpoint state). */
export interface TableChange {
  /** Rows that were put or removed; empty with `reset`. */
  readonly ids: readonly RowId[];
  /** The whole table was replaced, or too much of it to be listed: judge everything again. */
  readonly reset: boolean;
}

/** Read side of the table. All look-ups are O(1). */
export interface Table {
  readonly version: string;
  /** Number of rows, and of rows that are kept but not served. */
  readonly rows: number;
  readonly refusedRows: number;
  /** False until a whole table was applied. */
  readonly complete: boolean;
  readonly gateway: GatewayRow;
  /** By SHA-256 of the token, lower-case hex. */
  key(sha256: string): Key | undefined;
  keyById(id: string): Key | undefined;
  /** Whether there is a key of this row id, withheld or not. Makes no object of it, so that many may be asked for. */
  servesKey(id: RowId): boolean;
  agentByPublicName(publicName: string): Agent | undefined;
  agentByName(namespace: string, name: string): Agent | undefined;
  /** Whether the key's grants and the agent's allowedKeys both admit; decided once per pair and remembered until either row (or the key's Namespace) changes. */
  grants(key: Key, agent: Agent): boolean;
  /** Of an `endpoints` backend: its endpoints row's list; undefined while there is no such row. Same array until it changes. */
  endpoints(backend: AgentBackend): readonly Endpoint[] | undefined;
  /** The secret value; undefined while there is no such row. */
  credential(id: RowId): string | undefined;
  namespace(name: string): NamespaceRow | undefined;
  /** For the redacted dump: every row; credentials and key hashes are shown redacted. */
  dump(): Iterable<{ readonly id: RowId; readonly row: unknown; readonly refused?: string }>;
  /** Called after each applied batch. Returns how to stop. */
  onChange(listener: (change: TableChange) => void): () => void;
}
