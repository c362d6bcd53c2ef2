// Connections to agents. In: origin, connect timeout, server name. Out: a pool that all agents share; unused ones are closed.
import { buildConnector, type Dispatcher, Pool } from "undici";
import type { Clock } from "../../process/clock.ts";
import { judgedConnector } from "./address.ts";

/** An idle connection is not used again after this time: agents commonly close theirs after five seconds. */
const KEEP_ALIVE_MS = 3000;
/** A pool without requests is closed after this time. */
const IDLE_POOL_MS = 30_000;

export interface ConnectionKey {
  readonly origin: string;
  /** Milliseconds; 0: none. */
  readonly connectTimeout: number;
  /** Host header and TLS server name, when they are not the origin's. */
  readonly host: string | undefined;
  readonly judged: boolean;
}

export interface Connection {
  readonly pool: Pick<Dispatcher, "dispatch">;
  /** Requests that use it. */
  open: number;
}

export interface Connections {
  /** The shared pool; the caller counts `open` up and, at the end of its request, down. */
  get(key: ConnectionKey): Connection;
  /** Closes pools that were idle for long. */
  sweep(): void;
  /** Forgets the pools of judged addresses: the policy changed. Requests on them run to their end. */
  rejudge(): void;
  close(): Promise<void>;
  readonly size: number;
}

interface SharedPool extends Connection {
  readonly pool: Pool;
  readonly judged: boolean;
  /** Asked for since the last sweep. */
  used: boolean;
  /** Sweep that last found it in use; by the clock that never steps. */
  usedAt: number;
}

/**
 * @param deps.allowed says whether an address of a `url` backend may be reached; asked at connect time
 */
export function createConnections(deps: { clock: Clock; allowed: (address: string) => boolean }): Connections {
  const { clock, allowed } = deps;
  const pools = new Map<string, SharedPool>();

  function connector({ connectTimeout, judged }: ConnectionKey): buildConnector.connector {
    if (judged) return judgedConnector({ timeout: connectTimeout, allowed });
    const connect = buildConnector({ timeout: connectTimeout, allowH2: false });
    // Without TLS a server name has no meaning, but would make the connector look it up.
    return (options, done) =>
      options.protocol === "https:" ? connect(options, done) : connect(withoutServerName(options), done);
  }

  function forget(id: string, pool: Pool): void {
    pools.delete(id);
    pool.close().catch(() => {});
  }

  return {
    get(key) {
      const id = `${key.origin}|${key.connectTimeout}|${key.host ?? ""}|${key.judged ? "judged" : ""}`;
      const known = pools.get(id);
      if (known !== undefined) {
        known.used = true;
        return known;
      }
      const pool = new Pool(key.origin, {
        connect: connector(key),
        allowH2: false,
        pipelining: 1,
        keepAliveTimeout: KEEP_ALIVE_MS,
        keepAliveMaxTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: 32 * 1024,
      });
      const connection = { pool, open: 0, used: true, usedAt: clock.elapsed(), judged: key.judged };
      pools.set(id, connection);
      return connection;
    },
    sweep() {
      const now = clock.elapsed();
      for (const [id, connection] of pools) {
        if (connection.open > 0 || connection.used) {
          connection.used = false;
          connection.usedAt = now;
        } else if (now - connection.usedAt > IDLE_POOL_MS) forget(id, connection.pool);
      }
    },
    rejudge() {
      for (const [id, { pool, judged }] of pools) if (judged) forget(id, pool);
    },
    async close() {
      const closing = [...pools.values()].map(({ pool }) => pool.destroy());
      pools.clear();
      await Promise.all(closing);
    },
    get size() {
      return pools.size;
    },
  };
}

function withoutServerName(options: buildConnector.Options): buildConnector.Options {
  const { servername: _, ...rest } = options;
  return rest;
}
