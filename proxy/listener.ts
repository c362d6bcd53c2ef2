// The HTTP listener. In: connections of clients. Out: whole request heads to the handler; what is no proper request is refused here,
// counted and cut off, before any stage sees it.
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { ServingCertificate } from "../process/certificate-files.ts";
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
  readonly handle: (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean) => void;
  readonly metrics: Pick<RequestMetrics, "refused">;
  /** What to serve TLS with, and each pair that comes after; undefined: plain HTTP. */
  readonly certificate?: ServingCertificate | undefined;
  /** Whether an answer is under way on the socket: then nothing may be written into it. */
  readonly isAnswering: (socket: Duplex) => boolean;
  /** Milliseconds for the head of a request, and between requests on one connection. */
  readonly headersTimeout: number;
  readonly keepAliveTimeout: number;
}

/** Makes the server; it does not listen yet. Timeouts of bodies are the handler's, whose answers know the binding. */
export function createListener(options: ListenerOptions): Server {
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

  const server = serverFor(certificate, {
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
  });
  server.on("request", (req, res) => handle(req, res, false));
  server.on("checkContinue", (req, res) => handle(req, res, true));
  server.on("checkExpectation", (_req, res) => {
    metrics.refused("InvalidRequest");
    res.writeHead(417, ["Connection", "close", "Content-Length", "0"]);
    res.end();
  });
  server.on("upgrade", (_req, socket) => refuse(socket, 400, "InvalidRequest"));
  server.on("connect", (_req, socket) => refuse(socket, 405, "MethodNotAllowed"));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
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
  return server;
}

function serverFor(certificate: ServingCertificate | undefined, options: ServerOptions): Server {
  if (certificate === undefined) return createServer(options);
  const tls = { minVersion: "TLSv1.2", ALPNProtocols: ["http/1.1"] } as const;
  const server = process.getBuiltinModule("node:https").createServer({ ...options, ...tls, ...certificate.current });
  // Connections that stand keep what they were made with.
  certificate.onChange((pair) => server.setSecureContext({ minVersion: tls.minVersion, ...pair }));
  return server;
}
