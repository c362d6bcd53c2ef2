// Connections to agents. In: origin, connect timeout, server name. Out: a pool that all agents share; unused ones are closed.
import type { Clock } from "../../process/clock.ts";
import { createAddressJudge } from "./address.ts";
import { Connection } from "./connection.ts";
import { createDial } from "./dial.ts";

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

/** Connections to one place, made in one way; each carries one request at a time. */
export interface Pool {
  /** Host header of requests. */
  readonly host: string;
  /** A connection for one request: to be given back after its answer, or dropped when it failed or was aborted. */
  take(): Connection;
  give(connection: Connection): void;
  /** Ends it, and what runs on it. */
  drop(connection: Connection): void;
}

export interface Connections {
  /** The pool that all share who connect to the same place in the same way. */
  get(key: ConnectionKey): Pool;
  /** Closes connections that were idle for too long, and pools that nobody asked for. */
  sweep(): void;
  /** Forgets the pools of judged addresses: the policy changed. Requests on them run to their end. */
  rejudge(): void;
  close(): void;
  readonly size: number;
}

interface SharedPool extends Pool {
  readonly key: ConnectionKey;
  /** Asked for since the last sweep. */
  used: boolean;
  /** Sweep that last found it in use; by the clock that never steps. */
  usedAt: number;
  readonly busy: boolean;
  /** Closes connections that were idle for too long. */
  trim(now: number): void;
  /** Closes those that are free now, and all others as they are given back. */
  close(): void;
  destroy(): void;
}

/**
 * @param deps.allowed says whether an address of a `url` backend may be reached; asked at connect time
 */
export function createConnections(deps: { clock: Clock; allowed: (address: string) => boolean }): Connections {
  const { clock, allowed } = deps;
  /** By origin: a string that all requests to a place share, so that none has to be made and hashed for each of them. */
  const pools = new Map<string, SharedPool[]>();
  const judge = createAddressJudge(allowed);

  function forget(which: (pool: SharedPool) => boolean): void {
    for (const [origin, sharing] of pools) {
      const kept = sharing.filter((pool) => !which(pool));
      if (kept.length === sharing.length) continue;
      for (const pool of sharing) if (!kept.includes(pool)) pool.close();
      if (kept.length === 0) pools.delete(origin);
      else pools.set(origin, kept);
    }
  }

  return {
    get({ origin, connectTimeout, host, judged }) {
      const sharing = pools.get(origin);
      if (sharing !== undefined) {
        for (const pool of sharing) {
          const { key } = pool;
          if (key.connectTimeout !== connectTimeout || key.host !== host || key.judged !== judged) continue;
          pool.used = true;
          return pool;
        }
      }
      const pool = createPool({ origin, connectTimeout, host, judged }, clock, judged ? judge : undefined);
      if (sharing === undefined) pools.set(origin, [pool]);
      else sharing.push(pool);
      return pool;
    },
    sweep() {
      const now = clock.elapsed();
      forget((pool) => {
        pool.trim(now);
        if (!pool.busy && !pool.used) return now - pool.usedAt > IDLE_POOL_MS;
        pool.used = false;
        pool.usedAt = now;
        return false;
      });
    },
    rejudge() {
      forget(({ key }) => key.judged);
    },
    close() {
      for (const sharing of pools.values()) for (const pool of sharing) pool.destroy();
      pools.clear();
    },
    get size() {
      let size = 0;
      for (const sharing of pools.values()) size += sharing.length;
      return size;
    },
  };
}

function createPool(
  key: ConnectionKey,
  clock: Clock,
  judge: ReturnType<typeof createAddressJudge> | undefined,
): SharedPool {
  const { origin, host, connectTimeout } = key;
  const dial = createDial({ origin, serverName: host, timeout: connectTimeout, judge, clock });
  const all = new Set<Connection>();
  /** The last one given back is taken first: the most likely to be open. So the first ones were idle for longest. */
  let free: Connection[] = [];
  let closed = false;

  function end(connection: Connection): void {
    all.delete(connection);
    connection.destroy();
  }

  function onIdleClose(connection: Connection): void {
    all.delete(connection);
    free = free.filter((each) => each !== connection);
  }

  return {
    host: host ?? new URL(origin).host,
    key,
    used: true,
    usedAt: clock.elapsed(),
    get busy() {
      return free.length < all.size;
    },
    take() {
      const last = free.pop();
      if (last !== undefined) {
        if (last.freeUntil > clock.elapsed()) return last;
        // The others were idle for longer still.
        end(last);
        for (const connection of free.splice(0)) end(connection);
      }
      const connection = new Connection(dial, onIdleClose);
      all.add(connection);
      return connection;
    },
    give(connection) {
      if (closed || connection.closed) return end(connection);
      connection.freeUntil = clock.elapsed() + Math.min(KEEP_ALIVE_MS, connection.reuse);
      free.push(connection);
    },
    drop: end,
    trim(now) {
      const kept = free.filter(({ freeUntil }) => freeUntil > now);
      if (kept.length === free.length) return;
      for (const connection of free) if (connection.freeUntil <= now) end(connection);
      free = kept;
    },
    close() {
      closed = true;
      for (const connection of free.splice(0)) end(connection);
    },
    destroy() {
      closed = true;
      for (const connection of all) connection.destroy();
      all.clear();
      free = [];
    },
  };
}
