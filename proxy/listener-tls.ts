// The listener over TLS. In: connections of clients. Out: those of HTTP/1.1 to whoever serves them and, where the client offers it by
// ALPN, HTTP/2, on one port. node:tls and node:http2 are loaded only here, by whoever serves TLS.
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import type { ServingCertificate } from "../process/certificate-files.ts";
import { createSessions, type Sessions } from "./http2/sessions.ts";
import { StreamRequest, StreamResponse } from "./http2/stream.ts";
import type { ListenerOptions } from "./listener.ts";
import type { FailureReason } from "./request/failure.ts";

const MIN_VERSION = "TLSv1.2";
/** Bytes of all header fields of a request, counted as RFC 9113 section 6.5.2 does. */
const MAX_HEADER = 16 * 1024;
/** Streams of one session at once: the least that RFC 9113 section 6.5.2 recommends. */
const MAX_STREAMS = 100;
/** Megabytes that one session may hold: heads, windows, what waits to be sent. */
const MAX_SESSION_MEMORY = 10;
/** Header fields of one request. */
const MAX_FIELDS = 128;
/** Frames of a session that may be wrong before it is closed. */
const MAX_INVALID_FRAMES = 100;
/** Bytes of a body that may be on their way before they are read; of a stream, of a session. */
const STREAM_WINDOW = 256 * 1024;
const SESSION_WINDOW = 1024 * 1024;

/** @param serveHttp1 takes a connection on which HTTP/1.1 was agreed on, or nothing */
export function createSecureServer(
  options: ListenerOptions,
  certificate: ServingCertificate,
  serveHttp1: (socket: Socket) => void,
): { readonly server: Server; readonly sessions: Sessions } {
  const { createServer } = process.getBuiltinModule("node:tls");
  const { now, headersTimeout, keepAliveTimeout } = options;
  const sessions = createSessions({ now, headersTimeout, keepAliveTimeout });
  const serveHttp2 = createHttp2(options, sessions);
  const server = createServer(
    {
      noDelay: true,
      minVersion: MIN_VERSION,
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: headersTimeout,
      ...certificate.current,
    },
    (socket: TLSSocket) => {
      if (socket.alpnProtocol === "h2") serveHttp2(socket);
      else serveHttp1(socket);
    },
  );
  // Node tells of a handshake that takes too long, and leaves its connection open.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  // Connections that stand keep what they were made with.
  certificate.onChange((pair) => server.setSecureContext({ minVersion: MIN_VERSION, ...pair }));
  return { server, sessions };
}

/** Gives what serves a connection on which HTTP/2 was agreed on; its server never listens. */
function createHttp2(options: ListenerOptions, sessions: Sessions): (socket: Socket) => void {
  const { handle, metrics, draining } = options;
  const { createServer } = process.getBuiltinModule("node:http2");
  const server = createServer({
    settings: {
      maxConcurrentStreams: MAX_STREAMS,
      maxHeaderListSize: MAX_HEADER,
      initialWindowSize: STREAM_WINDOW,
    },
    maxSessionMemory: MAX_SESSION_MEMORY,
    maxHeaderListPairs: MAX_FIELDS,
    maxSessionInvalidFrames: MAX_INVALID_FRAMES,
    // What an agent says twice it says twice over HTTP/1.1, too.
    strictSingleValueFields: false,
  });
  let arriving: Socket | undefined;
  server.on("session", (session) => {
    session.setLocalWindowSize(SESSION_WINDOW);
    if (arriving !== undefined) sessions.opened(session, arriving);
  });
  server.on("sessionError", (error: NodeJS.ErrnoException) => {
    // A connection that broke is nobody's refusal.
    if (error.code?.startsWith("ERR_HTTP2_") === true) metrics.refused("InvalidRequest");
  });
  server.on("stream", (stream) => sessions.streamOpened(stream as ServerHttp2Stream));

  /** Answers what never becomes an exchange. */
  function refuse(res: Http2ServerResponse, status: number, reason: FailureReason): void {
    metrics.refused(reason);
    const response = new StreamResponse(res, undefined, () => {});
    response.writeHead(status, ["content-length", "0"]);
    response.end();
  }

  function serve(req: Http2ServerRequest, res: Http2ServerResponse, awaitsContinue: boolean): void {
    const { session } = req.stream;
    // It left already.
    if (session === undefined || session.destroyed || req.stream.destroyed) return;
    // Until a client confirms the settings, node:http2 takes four times as much.
    if (listSize(req.rawHeaders) > MAX_HEADER) return refuse(res, 431, "RequestTooLarge");
    const request = new StreamRequest(req, session.socket.remoteAddress);
    const response = new StreamResponse(res, request.socket, () => {
      if (draining()) sessions.leave(session as ServerHttp2Session);
    });
    handle(request, response, awaitsContinue);
  }
  server.on("request", (req, res) => serve(req, res, false));
  server.on("checkContinue", (req, res) => serve(req, res, true));
  server.on("checkExpectation", (_req: Http2ServerRequest, res: Http2ServerResponse) =>
    refuse(res, 417, "InvalidRequest"),
  );
  server.on("connect", (_req: Http2ServerRequest, res: Http2ServerResponse) => refuse(res, 405, "MethodNotAllowed"));
  return (socket) => {
    arriving = socket;
    // Its session begins in this call.
    server.emit("connection", socket);
    arriving = undefined;
  };
}

/** Bytes of a header list, as RFC 9113 section 6.5.2 counts them. */
function listSize(rawHeaders: readonly string[]): number {
  let size = 0;
  for (const text of rawHeaders) size += text.length + 16;
  return size;
}
