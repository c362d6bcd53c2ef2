// Connections of clients that speak HTTP/1.1. In: sockets. Out: each is served; those that are late, idle for too long or unused in a
// drain are closed.
import type { Socket } from "node:net";
import type { Carrier } from "../exchange/client.ts";
import { createDateLine } from "../http1/write-answer.ts";
import { ClientConnection, type ConnectionDeps } from "./connection.ts";

export interface ClientConnectionsDeps extends Omit<ConnectionDeps, "date" | "keepAlive" | "soon"> {
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

export interface ClientConnections {
  serve(socket: Socket): void;
  /** Closes what is late or was idle for too long. Called a few times a second. */
  sweep(): void;
  /**
   * Closes connections on which nothing ran at the last look and nothing runs now: a request that is on its way gets in between.
   *
   * @param isLeaving those that come to an end by themselves
   */
  closeUnused(isLeaving: (connection: Carrier) => boolean): void;
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
    keepAlive: `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(deps.keepAliveTimeout / 1000)}\r\n`,
  };
  const open = new Set<ClientConnection>();
  return {
    serve(socket) {
      const connection = new ClientConnection(socket, shared);
      open.add(connection);
      socket.once("close", () => open.delete(connection));
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
