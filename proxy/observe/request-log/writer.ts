// The thread that writes the request log. In: batches of rows. Out: rows in the file, old ones gone; after each batch, how many it took.
import { parentPort, workerData } from "node:worker_threads";
import { type Row, openForWriting } from "./database.ts";

export interface WriterOptions {
  readonly file: string;
  /** Milliseconds that a request is kept. */
  readonly maxAge: number;
  /** Bytes of the file. */
  readonly maxBytes: number;
}

/** Rows that are deleted at once when the file is too large. */
const STEP = 1000;
/** Milliseconds between two looks at age and size. */
const PRUNE_EVERY = 10_000;

const { file, maxAge, maxBytes } = workerData as WriterOptions;
const database = openForWriting(file);
const insert = database.prepare(
  "INSERT INTO requests (time, agent, key, team, operation, outcome, reason, latency, cost, trace, line) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
);
const deleteOld = database.prepare("DELETE FROM requests WHERE time < ?");
const deleteFirst = database.prepare("DELETE FROM requests WHERE id IN (SELECT id FROM requests ORDER BY id LIMIT ?)");
const size = database.prepare(
  "SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count) AS used, (SELECT page_size FROM pragma_page_size) AS page",
);
let pruned = 0;

function write(rows: readonly Row[]): void {
  database.exec("BEGIN");
  try {
    for (const row of rows) {
      insert.run(
        row.time,
        row.agent ?? null,
        row.key ?? null,
        row.team ?? null,
        row.operation ?? null,
        row.outcome,
        row.reason ?? null,
        row.latency,
        row.cost ?? null,
        row.trace,
        row.line,
      );
    }
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function prune(now: number): void {
  deleteOld.run(now - maxAge);
  for (;;) {
    const { used, page } = size.get() as { used: number; page: number };
    if (used * page <= maxBytes || deleteFirst.run(STEP).changes === 0) break;
  }
  database.exec("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);");
}

parentPort?.on("message", ({ rows, now, end }: { rows: readonly Row[]; now: number; end: boolean }) => {
  let written = rows.length;
  try {
    write(rows);
    if (end || now - pruned >= PRUNE_EVERY) {
      prune(now);
      pruned = now;
    }
  } catch {
    // A full disk, most of all: these are lost and counted, the next may fit.
    written = 0;
  }
  if (end) database.close();
  parentPort?.postMessage({ written, lost: rows.length - written });
});
parentPort?.postMessage({ written: 0, lost: 0 });
