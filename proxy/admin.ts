// The proxy's admin listener. In: table, readiness, registry. Out: health, metrics, and the redacted table as it is served.
import { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { Registry } from "prom-client";
import { type Admin, createAdmin } from "../process/admin.ts";
import type { ListenAddress } from "../process/listen-address.ts";
import type { Log } from "../process/log.ts";
import { OPEN_METRICS, asksForOpenMetrics, exposition } from "./observe/exposition.ts";
import type { Table } from "./table/compiled.ts";
import type { SubscribeState } from "./table/subscribe-state.ts";

/** Characters of a dump that are made in one turn of the event loop, so that requests do not wait for it. */
const CHUNK = 64 * 1024;

type StreamFacts = () => Pick<SubscribeState, "source" | "writtenAt" | "connected">;

/** `GET /table` beside what every process has: one JSON line of facts, then one line a row. */
export function createProxyAdmin(deps: {
  listen: ListenAddress;
  registry: Registry;
  log: Log;
  table: Pick<Table, "complete" | "version" | "rows" | "refusedRows" | "dump">;
  /** Absent where the table is filled in the same process. */
  stream?: StreamFacts;
  /** Milliseconds since the epoch. */
  now?: () => number;
  draining: () => boolean;
}): Admin {
  const { listen, registry, log, table, stream, now = () => 0, draining } = deps;
  return createAdmin({
    listen,
    registry,
    exposition(from, accept) {
      const open = asksForOpenMetrics(accept);
      return { type: open ? OPEN_METRICS : from.contentType, pieces: exposition(from, open) };
    },
    log,
    unready: () => unready(table.complete, draining()),
    notes: () => (stream === undefined ? [] : notes(stream(), now())),
    routes(app) {
      app.get("/table", (_request, reply) =>
        reply.header("content-type", "application/x-ndjson").send(Readable.from(dumpChunks(table))),
      );
    },
  });
}

function unready(complete: boolean, draining: boolean): string[] {
  return [
    ...(draining ? ["The proxy is shutting down."] : []),
    ...(complete ? [] : ["No complete table has come from an operator yet."]),
  ];
}

/** What is to be known of a proxy that is ready all the same. */
function notes({ source, writtenAt, connected }: ReturnType<StreamFacts>, now: number): string[] {
  if (source === "last-good" && writtenAt !== undefined) {
    const seconds = Math.max(0, Math.round((now - writtenAt) / 1000));
    return [
      `Serving from the last good table, last written ${seconds} seconds ago: no operator has sent one since the start.`,
    ];
  }
  return source === "stream" && !connected ? ["No operator is heard: serving from the table as it was last sent."] : [];
}

async function* dumpChunks(table: Pick<Table, "version" | "rows" | "refusedRows" | "complete" | "dump">) {
  const { version, rows, refusedRows, complete } = table;
  let chunk = `${JSON.stringify({ version, rows, refusedRows, complete })}\n`;
  for (const row of table.dump()) {
    chunk += `${JSON.stringify(row)}\n`;
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = "";
    await turn();
  }
  if (chunk !== "") yield chunk;
}
