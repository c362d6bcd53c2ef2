// The agent's answer on its way to the client. In: head and chunks from upstream. Out: the same bytes to the client, read in passing.
import type { IncomingHttpHeaders } from "node:http";
import { createAnswerReader } from "../a2a/answer.ts";
import { isEventStream, responseHeaders } from "../request/headers.ts";
import type { AnswerListener, Forwarding } from "../upstream/forward.ts";
import type { Exchange } from "./exchange.ts";
import { fail } from "./fail.ts";
import { type Call, captureAnswer, learn, markFirstByte } from "./learn.ts";
import { relayStream } from "./stream.ts";

/** Answers up to this size leave in one write together with their head; bytes. */
const ONE_WRITE = 32 * 1024;

/**
 * Passes an answer on. Its Content-Type decides: `text/event-stream` is relayed event by event as it comes, all else as one
 * document. The body is not changed by a byte.
 */
export function relay(exchange: Exchange, call: Call): AnswerListener {
  let passed: Pick<AnswerListener, "data" | "ended" | "failed"> | undefined;
  return {
    chosen(target) {
      exchange.target = target;
    },
    started(status, headers, upstream) {
      exchange.status = status;
      if (status >= 300 && status < 400) return fail(exchange, "UpstreamRedirect");
      captureAnswer(exchange, call.agent);
      passed = isEventStream(headers["content-type"])
        ? relayStream(exchange, call, upstream, status, headers)
        : relayDocument(exchange, call, upstream, status, headers);
    },
    data: (chunk) => passed?.data(chunk),
    ended: () => passed?.ended(),
    failed(reason) {
      if (passed === undefined) fail(exchange, reason);
      else passed.failed(reason);
    },
  };
}

function lengthOf(headers: IncomingHttpHeaders): number | undefined {
  const value = headers["content-length"];
  return value === undefined ? undefined : Number(value);
}

function relayDocument(
  exchange: Exchange,
  call: Call,
  upstream: Forwarding,
  status: number,
  upstreamHeaders: IncomingHttpHeaders,
): Pick<AnswerListener, "data" | "ended" | "failed"> {
  const { plane, res } = exchange;
  const reader = createAnswerReader(call.binding, call.operation);
  const length = lengthOf(upstreamHeaders);
  /** The first chunk, while it may be all there is: then head and body are one write, and an early end is still a clean error. */
  let first: Buffer | undefined;

  function head(contentLength: number | undefined): void {
    const headers = responseHeaders(upstreamHeaders);
    if (contentLength !== undefined) headers.push("content-length", String(contentLength));
    if (plane.draining) headers.push("connection", "close");
    res.writeHead(status, headers);
  }

  function write(chunk: Buffer): void {
    if (res.write(chunk)) return;
    upstream.pause();
    res.once("drain", () => upstream.resume());
  }

  function flushFirst(): void {
    if (first === undefined || exchange.over) return;
    const chunk = first;
    first = undefined;
    head(length);
    write(chunk);
  }

  return {
    data(chunk) {
      markFirstByte(exchange);
      exchange.responseBytes += chunk.length;
      exchange.responseContent?.push(chunk);
      reader.push(chunk);
      if (res.headersSent) return write(chunk);
      if (first !== undefined) {
        flushFirst();
        return write(chunk);
      }
      first = chunk;
      if (length === undefined) queueMicrotask(flushFirst);
      else if (chunk.length < length) flushFirst();
    },
    ended() {
      exchange.over = true;
      exchange.stop = undefined;
      const seen = reader.end();
      if (seen !== undefined) learn(exchange, call, seen);
      if (res.headersSent) return void res.end();
      if (first === undefined) {
        head(status === 204 ? undefined : 0);
        return void res.end();
      }
      head(first.length);
      if (first.length <= ONE_WRITE) res.end(first.toString("latin1"), "latin1");
      else res.end(first);
    },
    failed(reason) {
      fail(exchange, reason);
    },
  };
}
