// The proxy's admin listener. In: table, readiness, registry. Out: health, metrics, and the redacted table as it is served.
import { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { Registry } from "prom-client";
import { type Admin, createAdmin } from "../process/admin.ts";
import type { ListenAddress } from "../process/listen-address.ts";
import type { Log } from "../process/log.ts";
import { exposition } from "./observe/exposition.ts";
import type { Table } from "./table/compiled.ts";

/** Characters of a dump that are made in one turn of the event loop, so that requests do not wait for it. */
const CHUNK = 64 * 1024;

/** `GET /table` beside what every process has: one JSON line of facts, then one line a row. */
export function createProxyAdmin(deps: {
  listen: ListenAddress;
  registry: Registry;
  log: Log;
  table: Pick<Table, "complete" | "version" | "rows" | "refusedRows" | "dump">;
  draining: () => boolean;
}): Admin {
  const { listen, registry, log, table, draining } = deps;
  return createAdmin({
    listen,
    registry,
    exposition,
    log,
    unready: () => unready(table.complete, draining()),
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
