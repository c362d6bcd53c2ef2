// The file of finished requests. In: its path. Out: an open SQLite database with one table, for a writer or for readers.
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** What of a record has a column of its own, for filters and sums; `line` is the log line, and the only place of everything else. */
export interface Row {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly agent: string | undefined;
  readonly key: string | undefined;
  readonly team: string | undefined;
  readonly operation: string | undefined;
  readonly outcome: string;
  readonly reason: string | undefined;
  readonly latency: number;
  readonly cost: string | undefined;
  readonly trace: string;
  readonly line: string;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, time INTEGER NOT NULL, agent TEXT, key TEXT, team TEXT, operation TEXT, outcome TEXT NOT NULL,
    reason TEXT, latency REAL NOT NULL, cost TEXT, trace TEXT NOT NULL, line TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS requests_time ON requests (time);
`;

/** @throws when the file cannot be opened or is no database */
export function openForWriting(file: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // It may hold what was said. SQLite gives its other files the mode of this one.
  closeSync(openSync(file, "a", 0o600));
  const database = new DatabaseSync(file, { timeout: 5000 });
  // Must come before the first table; what is deleted is given back in small steps.
  database.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  database.exec(SCHEMA);
  return database;
}

/** @throws when there is no such file or it is no database */
export function openForReading(file: string): DatabaseSync {
  return new DatabaseSync(file, { readOnly: true, timeout: 5000 });
}
