// The listener of the clients. In: connections, plain or over TLS. Out: whole request heads to the handler; what is no proper request is
// refused, counted and cut off, before any stage sees it.
import { createServer, type Server, type Socket } from "node:net";
import type { ServingCertificate } from "../process/certificate-files.ts";
import { type ClientConnections, createClientConnections } from "./downstream/connections.ts";
import type { ClientRequest, ClientResponse } from "./exchange/client.ts";
import type { Sessions } from "./http2/sessions.ts";
import { createSecureServer } from "./listener-tls.ts";
import type { RequestMetrics } from "./observe/metrics.ts";

export interface ListenerOptions {
  readonly handle: (req: ClientRequest, res: ClientResponse, awaitsContinue: boolean) => void;
  readonly metrics: Pick<RequestMetrics, "refused">;
  /** What to serve TLS with, and each pair that comes after; undefined: plain HTTP. */
  readonly certificate?: ServingCertificate | undefined;
  /** Whether clients are asked to leave. */
  readonly draining: () => boolean;
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Milliseconds for the head of a request or a TLS handshake, and between requests on one connection. */
  readonly headersTimeout: number;
  readonly keepAliveTimeout: number;
  /** Milliseconds for which clients are asked to leave before a drain begins. */
  readonly drainDelay: number;
}

export interface Listener {
  readonly server: Server;
  /** Of HTTP/1.1. */
  readonly connections: ClientConnections;
  /** Of HTTP/2; undefined without TLS. */
  readonly sessions: Sessions | undefined;
  closeAllConnections(): void;
}

/** Makes the server; it does not listen yet. Timeouts of bodies are the handler's, whose answers know the binding. */
export function createListener(options: ListenerOptions): Listener {
  const { certificate } = options;
  const connections = createClientConnections(options);
  const { server, sessions } =
    certificate === undefined
      ? {
          server: createServer({ noDelay: true, pauseOnConnect: true }, (socket) => connections.serve(socket)),
          sessions: undefined,
        }
      : createSecureServer(options, certificate, (socket) => connections.serve(socket));
  const sockets = new Set<Socket>();
  // Over TLS these are the sockets beneath, from before the handshake.
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return {
    server,
    connections,
    sessions,
    closeAllConnections() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
