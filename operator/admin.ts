// What the operator shows of itself on its admin listener. In: publisher and readiness. Out: routes for the table and the proxies.
import type { FastifyInstance } from "fastify";
import type { Publisher } from "./publish/publisher.ts";

const REDACTED = "[redacted]";

/** `GET /table`: version and every row, without what is secret. `GET /proxies`: who has a stream, and what it serves. */
export function adminRoutes(deps: {
  publisher: Publisher;
  replica: string;
  holder: () => string | undefined;
  now: () => number;
}): (app: FastifyInstance) => void {
  const { publisher } = deps;
  return (app) => {
    app.get("/table", () => {
      const { sequence, version, rows } = publisher.state;
      const table = [...publisher.lines()].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
      return {
        replica: deps.replica,
        sequence,
        version,
        rows,
        table: table.map(([id, line]) => ({ id, row: redacted(line) })),
      };
    });
    app.get("/proxies", () => ({
      replica: deps.replica,
      holder: deps.holder() ?? null,
      sequence: publisher.state.sequence,
      version: publisher.state.version,
      proxies: publisher
        .proxies()
        .map(({ proxy, address, connectedAt, standby, lost, acked, refused, refusedRows }) => ({
          proxy,
          address,
          stream: lost === true ? "lost" : standby ? "standby" : "applied",
          age: (deps.now() - connectedAt) / 1000,
          sequence: acked?.sequence ?? null,
          lag: acked === undefined ? null : publisher.state.sequence - acked.sequence,
          version: acked?.version ?? null,
          refusedRows,
          refused: Object.fromEntries(refused),
        })),
    }));
  };
}

/** A row for people: no credential, and of a key's hash only what logs show too. */
export function redacted(line: string): unknown {
  const { id, row } = JSON.parse(line) as { id: string; row: Record<string, unknown> };
  if (id.startsWith("credential/")) return { value: REDACTED };
  const { sha256 } = row;
  return id.startsWith("key/") && typeof sha256 === "string" ? { ...row, sha256: `${sha256.slice(0, 8)}…` } : row;
}
