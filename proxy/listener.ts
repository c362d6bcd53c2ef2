// The HTTP listener. In: connections of clients. Out: whole request heads to the handler; what is no proper request is refused here,
// counted and cut off, before any stage sees it.
import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerOptions, ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { Server } from "node:net";
import type { Duplex } from "node:stream";
import type { ServingCertificate } from "../process/certificate-files.ts";
import type { ClientRequest, ClientResponse } from "./exchange/client.ts";
import type { Sessions } from "./http2/sessions.ts";
import { createSecureListener, refuseStream } from "./listener-tls.ts";
import type { RequestMetrics } from "./observe/metrics.ts";
import type { FailureReason } from "./request/failure.ts";

// An `import` would read every export of node:http, and that of WebSocket loads a second undici: 14 MB.
const { createServer } = process.getBuiltinModule("node:http");

/** Whole head of a request, in bytes. */
const MAX_HEADER = 16 * 1024;
/** How often heads that take too long are looked for, in milliseconds. */
const CHECK_INTERVAL = 1000;

const lines: Readonly<Record<number, string>> = {
  400: "Bad Request",
  405: "Method Not Allowed",
  408: "Request Timeout",
  417: "Expectation Failed",
  431: "Request Header Fields Too Large",
};

export interface ListenerOptions {
  readonly handle: (req: ClientRequest, res: ClientResponse, awaitsContinue: boolean) => void;
  readonly metrics: Pick<RequestMetrics, "refused">;
  /** What to serve TLS with, and each pair that comes after; undefined: plain HTTP. */
  readonly certificate?: ServingCertificate | undefined;
  /** Whether an answer is under way on the socket: then nothing may be written into it. */
  readonly isAnswering: (socket: object) => boolean;
  /** Whether clients are asked to leave. */
  readonly draining: () => boolean;
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number;
  /** Milliseconds for the head of a request, and between requests on one connection. */
  readonly headersTimeout: number;
  readonly keepAliveTimeout: number;
}

export interface Listener {
  readonly server: Server;
  /** Of HTTP/2; undefined without TLS. */
  readonly sessions: Sessions | undefined;
  closeAllConnections(): void;
}

/** Makes the server; it does not listen yet. Timeouts of bodies are the handler's, whose answers know the binding. */
export function createListener(options: ListenerOptions): Listener {
  const { handle, metrics, certificate, isAnswering, headersTimeout, keepAliveTimeout } = options;

  function refuse(socket: Duplex, status: number, reason: FailureReason): void {
    metrics.refused(reason);
    if (!socket.writable || isAnswering(socket)) {
      socket.destroy();
      return;
    }
    const head = `HTTP/1.1 ${status} ${lines[status] ?? ""}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
    socket.end(head, () => socket.destroy());
  }

  const http1: ServerOptions = {
    // A missing Host is refused by the handler, which counts it.
    requireHostHeader: false,
    maxHeaderSize: MAX_HEADER,
    headersTimeout,
    requestTimeout: 0,
    keepAliveTimeout,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL, headersTimeout),
    noDelay: true,
    insecureHTTPParser: false,
    // HTTP/2 offered in passing (as Java's client does) is declined by not taking it up; all other upgrades are refused.
    shouldUpgradeCallback: (req) => req.headers.upgrade !== "h2c",
  };
  const listener =
    certificate === undefined
      ? createPlainListener(handle, http1)
      : createSecureListener(options, certificate, http1, MAX_HEADER);
  const server: EventEmitter = listener.server;
  server.on("checkExpectation", (req: IncomingMessage, res: ServerResponse) => {
    if (req.httpVersionMajor === 2) return refuseStream(metrics, asStream(res), 417, "InvalidRequest");
    metrics.refused("InvalidRequest");
    res.writeHead(417, ["Connection", "close", "Content-Length", "0"]);
    res.end();
  });
  server.on("upgrade", (_req: IncomingMessage, socket: Duplex) => refuse(socket, 400, "InvalidRequest"));
  server.on("connect", (req: IncomingMessage, socket: Duplex | ServerResponse) => {
    if (req.httpVersionMajor === 2) refuseStream(metrics, asStream(socket), 405, "MethodNotAllowed");
    else refuse(socket as Duplex, 405, "MethodNotAllowed");
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    switch (error.code) {
      case "HPE_HEADER_OVERFLOW":
        return refuse(socket, 431, "RequestTooLarge");
      case "ERR_HTTP_REQUEST_TIMEOUT":
        return refuse(socket, 408, "RequestTimeout");
      case undefined:
        return void socket.destroy();
      default:
        if (error.code.startsWith("HPE_")) refuse(socket, 400, "InvalidRequest");
        // A connection that broke is nobody's refusal.
        else socket.destroy();
    }
  });
  return listener;
}

/** What a server for both protocols gives to the listeners of one event is one or the other. */
const asStream = (res: unknown): Http2ServerResponse => res as Http2ServerResponse;

function createPlainListener(handle: ListenerOptions["handle"], options: ServerOptions): Listener {
  const server = createServer(options);
  server.on("request", (req, res) => handle(req, res, false));
  server.on("checkContinue", (req, res) => handle(req, res, true));
  return { server, sessions: undefined, closeAllConnections: () => server.closeAllConnections() };
}
