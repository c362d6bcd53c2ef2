// Connections of clients that speak HTTP/1.1. In: sockets. Out: each is served; those that are late, idle for too long or unused in a
// drain are closed.
import type { Socket } from "node:net";
import type { Carrier } from "../exchange/client.ts";
import { createDateLine } from "../http1/write-answer.ts";
import { ClientConnection, type ConnectionDeps } from "./connection.ts";

/** How much sooner than a drain begins the clients that heed what they are told have left it; milliseconds. */
const AHEAD_OF_DRAIN_MS = 2000;
/** Clients are not told of less: some count two seconds off, and would use no connection twice. Milliseconds. */
const LEAST_TOLD_MS = 5000;

export interface ClientConnectionsDeps extends Omit<ConnectionDeps, "date" | "keepAlive" | "soon"> {
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Milliseconds for which clients are asked to leave before a drain begins. */
  readonly drainDelay: number;
}

export interface ClientConnections {
  serve(socket: Socket): void;
  /** How many there are. */
  readonly size: number;
  /** Closes what is late or was idle for too long. Called a few times a second. */
  sweep(): void;
  /**
   * Closes connections on which nothing ran at the last look and nothing runs now: a request that is on its way gets in between.
   *
   * @param isLeaving those that come to an end by themselves
   */
  closeUnused(isLeaving: (connection: Carrier) => boolean): void;
}

/**
 * How long clients are told that a connection is kept while nothing runs on it; milliseconds. Whoever heeds it has then left before a drain
 * closes what is unused, which would meet requests that are on their way.
 */
function toldKeepAlive({ keepAliveTimeout, drainDelay }: ClientConnectionsDeps): number {
  const told = drainDelay - AHEAD_OF_DRAIN_MS;
  return told < LEAST_TOLD_MS ? keepAliveTimeout : Math.min(told, keepAliveTimeout);
}

/** One turn for all that is put off in a turn. */
function createSoon(): (run: () => void) => void {
  let waiting: (() => void)[] = [];
  function runAll(): void {
    const runs = waiting;
    waiting = [];
    for (const run of runs) run();
  }
  return (run) => {
    if (waiting.push(run) === 1) setImmediate(runAll);
  };
}

export function createClientConnections(deps: ClientConnectionsDeps): ClientConnections {
  const shared: ConnectionDeps = {
    handle: deps.handle,
    metrics: deps.metrics,
    now: deps.now,
    headersTimeout: deps.headersTimeout,
    keepAliveTimeout: deps.keepAliveTimeout,
    date: createDateLine(deps.wallClock),
    soon: createSoon(),
    keepAlive: `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(toldKeepAlive(deps) / 1000)}\r\n`,
  };
  const open = new Set<ClientConnection>();
  return {
    serve(socket) {
      const connection = new ClientConnection(socket, shared);
      open.add(connection);
      socket.once("close", () => open.delete(connection));
    },
    get size() {
      return open.size;
    },
    sweep() {
      const now = deps.now();
      for (const connection of open) connection.sweep(now);
    },
    closeUnused(isLeaving) {
      for (const connection of open) {
        const isUnused = !connection.busy && !isLeaving(connection);
        if (isUnused && connection.wasUnused) connection.destroy();
        connection.wasUnused = isUnused;
      }
    },
  };
}
