// The listener over TLS. In: connections of clients. Out: HTTP/1.1 and, where the client offers it by ALPN, HTTP/2, on one port.
// node:http2 is loaded only here, by whoever serves TLS.
import type { IncomingMessage, ServerOptions, ServerResponse } from "node:http";
import type {
  Http2SecureServer,
  Http2ServerRequest,
  Http2ServerResponse,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { ServingCertificate } from "../process/certificate-files.ts";
import { createSessions, type Sessions } from "./http2/sessions.ts";
import type { FailureReason } from "./request/failure.ts";
import { StreamRequest, StreamResponse } from "./http2/stream.ts";
import type { ListenerOptions } from "./listener.ts";

const MIN_VERSION = "TLSv1.2";
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

export interface SecureListener {
  readonly server: Http2SecureServer;
  readonly sessions: Sessions;
  closeAllConnections(): void;
}

/**
 * @param http1 options of the server for HTTP/1.1
 * @param maxHeader bytes of all header fields of a request, counted as RFC 9113 section 6.5.2 does
 */
export function createSecureListener(
  options: ListenerOptions,
  certificate: ServingCertificate,
  http1: ServerOptions,
  maxHeader: number,
): SecureListener {
  const { handle, metrics, now, draining, headersTimeout, keepAliveTimeout } = options;
  const { createSecureServer, Http2ServerRequest: Request } = process.getBuiltinModule("node:http2");
  const sessions = createSessions({ now, headersTimeout, keepAliveTimeout });
  const server = createSecureServer({
    ...http1,
    allowHTTP1: true,
    minVersion: MIN_VERSION,
    ...certificate.current,
    settings: {
      maxConcurrentStreams: MAX_STREAMS,
      maxHeaderListSize: maxHeader,
      initialWindowSize: STREAM_WINDOW,
    },
    maxSessionMemory: MAX_SESSION_MEMORY,
    maxHeaderListPairs: MAX_FIELDS,
    maxSessionInvalidFrames: MAX_INVALID_FRAMES,
    // What an agent says twice it says twice over HTTP/1.1, too.
    strictSingleValueFields: false,
  });
  // Connections that stand keep what they were made with.
  certificate.onChange((pair) => server.setSecureContext({ minVersion: MIN_VERSION, ...pair }));

  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("session", (session) => {
    session.setLocalWindowSize(SESSION_WINDOW);
    sessions.opened(session);
  });
  server.on("sessionError", (error: NodeJS.ErrnoException) => {
    // A connection that broke is nobody's refusal.
    if (error.code?.startsWith("ERR_HTTP2_") === true) metrics.refused("InvalidRequest");
  });
  server.on("stream", (stream) => sessions.streamOpened(stream as ServerHttp2Stream));

  const serve = (
    req: Http2ServerRequest | IncomingMessage,
    res: Http2ServerResponse | ServerResponse,
    awaitsContinue: boolean,
  ): void => {
    if (!(req instanceof Request)) return handle(req, res as ServerResponse, awaitsContinue);
    const { session } = req.stream;
    // It left already.
    if (session === undefined || session.destroyed || req.stream.destroyed) return;
    // Until a client confirms the settings, node:http2 takes four times as much.
    if (listSize(req.rawHeaders) > maxHeader)
      return refuseStream(metrics, res as Http2ServerResponse, 431, "RequestTooLarge");
    const request = new StreamRequest(req, session.socket.remoteAddress);
    const response = new StreamResponse(res as Http2ServerResponse, request.socket, () => {
      if (draining()) sessions.leave(session as ServerHttp2Session);
    });
    handle(request, response, awaitsContinue);
  };
  server.on("request", (req, res) => serve(req, res, false));
  server.on("checkContinue", (req, res) => serve(req, res, true));

  return {
    server,
    sessions,
    closeAllConnections() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Answers what never becomes an exchange. */
export function refuseStream(
  metrics: ListenerOptions["metrics"],
  res: Http2ServerResponse,
  status: number,
  reason: FailureReason,
): void {
  metrics.refused(reason);
  const response = new StreamResponse(res, null, () => {});
  response.writeHead(status, ["content-length", "0"]);
  response.end();
}

/** Bytes of a header list, as RFC 9113 section 6.5.2 counts them. */
function listSize(rawHeaders: readonly string[]): number {
  let size = 0;
  for (const text of rawHeaders) size += text.length + 16;
  return size;
}
