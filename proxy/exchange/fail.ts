// How an exchange ends when the gateway itself answers. In: a reason. Out: an error body, an error event, or a cut connection.
import { errorBody } from "../a2a/error-body.ts";
import { failure, type FailureReason } from "../request/failure.ts";
import type { Exchange } from "./exchange.ts";

/** Refusals after which the rest of the request is not waited for: it cannot be told where the next one begins, or when. */
const CLOSING: ReadonlySet<FailureReason> = new Set<FailureReason>(["RequestTimeout", "Draining"]);

export interface FailOptions {
  /** More about this case, for the client; nothing secret. */
  readonly detail?: string;
  /** The connection ends with the answer. */
  readonly close?: boolean;
  /** Methods that are served here, with MethodNotAllowed; by default POST. */
  readonly allow?: string;
}

/**
 * Ends an exchange with a reason, whatever it is doing; does nothing once it is over. Before the head of the answer the client gets
 * a body in its binding; in a stream, an error event and then a broken connection, since a clean end would look like success; in
 * the middle of any other answer only the broken connection.
 */
export function fail(exchange: Exchange, reason: FailureReason, options: FailOptions = {}): void {
  if (exchange.over) return;
  exchange.over = true;
  exchange.reason = reason;
  exchange.deadline = Infinity;
  const { running, res, stream } = exchange;
  exchange.running = undefined;
  running?.abort();
  if (!res.headersSent) answer(exchange, reason, options);
  else if (stream === undefined) res.destroy();
  else stream.cut(reason);
}

/** Ends an exchange that a fault of ours broke: an answer with 500, and a line in the log. */
export function failBroken(exchange: Exchange, error: unknown): void {
  exchange.plane.log.error({ err: error }, "request failed");
  fail(exchange, "Internal");
}

function answer(exchange: Exchange, reason: FailureReason, { detail, close, allow = "POST" }: FailOptions): void {
  const { plane, req, res, rpcId, version, binding = "JSONRPC" } = exchange;
  const { status, code } = failure(reason);
  if (binding === "JSONRPC") exchange.rpcCode = code;
  const body = Buffer.from(
    errorBody(binding, reason, { id: rpcId, version, ...(detail === undefined ? {} : { detail }) }),
  );
  const headers = ["Content-Type", "application/json", "Content-Length", String(body.length)];
  if (status === 401) headers.push("WWW-Authenticate", 'Bearer realm="parley"');
  if (reason === "MethodNotAllowed") headers.push("Allow", allow);
  if (reason === "NotReady" || reason === "TooManyBuffers" || reason === "Draining") headers.push("Retry-After", "1");
  // A client that still waits for 100 may send its body or not: the next request could not be told from it.
  const closing = close === true || plane.draining || exchange.awaitsContinue || CLOSING.has(reason);
  if (closing) headers.push("Connection", "close");
  exchange.status = status;
  exchange.responseBytes = body.length;
  exchange.firstByte = plane.monotonic() - exchange.startedAt;
  res.writeHead(status, headers);
  if (req.method === "HEAD") res.end();
  else res.end(body);
}
