// Connections to agents. In: origin, connect timeout, server name. Out: a pool that all agents share; unused ones are closed.
import { buildConnector, Client } from "undici";
import type { Clock } from "../../process/clock.ts";
import { judgedConnector } from "./address.ts";

/** An idle connection is not used again after this time: agents commonly close theirs after five seconds. */
const KEEP_ALIVE_MS = 3000;
/** A pool without requests is closed after this time, and so are clients that a pool did not need for as long. */
const IDLE_POOL_MS = 30_000;

export interface ConnectionKey {
  readonly origin: string;
  /** Milliseconds; 0: none. */
  readonly connectTimeout: number;
  /** Host header and TLS server name, when they are not the origin's. */
  readonly host: string | undefined;
  readonly judged: boolean;
}

/**
 * A client for each request that runs, each with one connection at most. Not undici's Pool, which does more for each request to find
 * out who is free.
 */
export interface Pool {
  /** A client for one request: to be given back after its answer, or dropped when it failed or was aborted. */
  take(): Client;
  give(client: Client): void;
  /** Ends it, and what runs on it. */
  drop(client: Client): void;
}

export interface Connections {
  /** The pool that all share who connect to the same place in the same way. */
  get(key: ConnectionKey): Pool;
  /** Closes pools that were idle for long. */
  sweep(): void;
  /** Forgets the pools of judged addresses: the policy changed. Requests on them run to their end. */
  rejudge(): void;
  close(): Promise<void>;
  readonly size: number;
}

interface SharedPool extends Pool {
  readonly judged: boolean;
  /** Asked for since the last sweep. */
  used: boolean;
  /** Sweep that last found it in use; by the clock that never steps. */
  usedAt: number;
  readonly busy: boolean;
  /** Closes clients that were not needed since the last time. */
  trim(): void;
  /** Closes those that are free now, and all others as they are given back. */
  close(): void;
  destroy(): Promise<unknown>;
}

/**
 * @param deps.allowed says whether an address of a `url` backend may be reached; asked at connect time
 */
export function createConnections(deps: { clock: Clock; allowed: (address: string) => boolean }): Connections {
  const { clock, allowed } = deps;
  const pools = new Map<string, SharedPool>();
  let trimmedAt = clock.elapsed();

  function connector({ connectTimeout, judged }: ConnectionKey): buildConnector.connector {
    if (judged) return judgedConnector({ timeout: connectTimeout, allowed });
    const connect = buildConnector({ timeout: connectTimeout, allowH2: false });
    // Without TLS a server name has no meaning, but would make the connector look it up.
    return (options, done) =>
      options.protocol === "https:" ? connect(options, done) : connect(withoutServerName(options), done);
  }

  function forget(id: string, pool: SharedPool): void {
    pools.delete(id);
    pool.close();
  }

  return {
    get(key) {
      const id = `${key.origin}|${key.connectTimeout}|${key.host ?? ""}|${key.judged ? "judged" : ""}`;
      const known = pools.get(id);
      if (known !== undefined) {
        known.used = true;
        return known;
      }
      const connect = connector(key);
      const pool = createPool(key.judged, clock.elapsed(), () => {
        return new Client(key.origin, {
          connect,
          allowH2: false,
          pipelining: 1,
          keepAliveTimeout: KEEP_ALIVE_MS,
          keepAliveMaxTimeout: KEEP_ALIVE_MS,
          maxHeaderSize: 32 * 1024,
        });
      });
      pools.set(id, pool);
      return pool;
    },
    sweep() {
      const now = clock.elapsed();
      const trims = now - trimmedAt > IDLE_POOL_MS;
      if (trims) trimmedAt = now;
      for (const [id, pool] of pools) {
        if (trims) pool.trim();
        if (pool.busy || pool.used) {
          pool.used = false;
          pool.usedAt = now;
        } else if (now - pool.usedAt > IDLE_POOL_MS) forget(id, pool);
      }
    },
    rejudge() {
      for (const [id, pool] of pools) if (pool.judged) forget(id, pool);
    },
    async close() {
      const closing = [...pools.values()].map((pool) => pool.destroy());
      pools.clear();
      await Promise.all(closing);
    },
    get size() {
      return pools.size;
    },
  };
}

function createPool(judged: boolean, now: number, connect: () => Client): SharedPool {
  const all = new Set<Client>();
  /** The last one given back is taken first: its connection is the most likely to be open. */
  const free: Client[] = [];
  /** How many of them were free all the time since they were last trimmed. */
  let spare = 0;
  let closed = false;

  function end(client: Client): void {
    all.delete(client);
    client.close().catch(() => {});
  }

  return {
    judged,
    used: true,
    usedAt: now,
    get busy() {
      return free.length < all.size;
    },
    take() {
      let client = free.pop();
      spare = Math.min(spare, free.length);
      if (client === undefined) {
        client = connect();
        all.add(client);
      }
      return client;
    },
    give(client) {
      if (closed) end(client);
      else free.push(client);
    },
    drop(client) {
      all.delete(client);
      // Often called by the client itself, which is to come to its end first.
      queueMicrotask(() => void client.destroy().catch(() => {}));
    },
    trim() {
      for (const client of free.splice(0, spare)) end(client);
      spare = free.length;
    },
    close() {
      closed = true;
      for (const client of free.splice(0)) end(client);
    },
    destroy: () => Promise.all([...all].map((client) => client.destroy())),
  };
}

function withoutServerName(options: buildConnector.Options): buildConnector.Options {
  const { servername: _, ...rest } = options;
  return rest;
}
