// The agent's answer on its way to the client. In: head and chunks from upstream. Out: the same bytes to the client, read in passing.
import { type AnswerReader, createAnswerReader } from "../a2a/answer.ts";
import type { AnswerHead } from "../http1/answer-head.ts";
import type { FailureReason } from "../request/failure.ts";
import { isEventStream, responseHeaders } from "../request/headers.ts";
import type { Target } from "../upstream/endpoint.ts";
import type { AnswerListener, Forwarding } from "../upstream/forward.ts";
import { releaseBody } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import { fail } from "./fail.ts";
import { awaitFirstByte, type Call, captureAnswer, learn, markFirstByte } from "./learn.ts";
import { StreamRelay } from "./stream.ts";

/** What becomes of an answer once its head was seen. */
type Passing = Pick<AnswerListener, "data" | "ended" | "failed">;

/**
 * Passes an answer on. Its Content-Type decides: `text/event-stream` is relayed event by event as it comes, all else as one
 * document. The body is not changed by a byte.
 *
 * This and what it holds are classes, not object literals, for the reason told at Exchange.
 */
export class Relay implements AnswerListener {
  readonly #exchange: Exchange;
  readonly #call: Call;
  #passing: Passing | undefined;

  constructor(exchange: Exchange, call: Call) {
    this.#exchange = exchange;
    this.#call = call;
  }

  chosen(target: Target): void {
    this.#exchange.target = target;
  }

  sent(): void {
    awaitFirstByte(this.#exchange, this.#call.agent);
  }

  started(head: AnswerHead, upstream: Forwarding): void {
    const { status, contentType } = head;
    const exchange = this.#exchange;
    const call = this.#call;
    exchange.status = status;
    exchange.deadline = Infinity;
    releaseBody(exchange);
    if (status >= 300 && status < 400) return fail(exchange, "UpstreamRedirect");
    // One of two Content-Types, and each reader may take another.
    if (head.contentTypes > 1) return fail(exchange, "InvalidAgentResponse");
    captureAnswer(exchange, call.agent);
    this.#passing = isEventStream(contentType)
      ? new StreamRelay(exchange, call, upstream, head)
      : new DocumentRelay(exchange, call, upstream, head);
  }

  data(chunk: Buffer): void {
    this.#passing?.data(chunk);
  }

  ended(): void {
    this.#passing?.ended();
  }

  failed(reason: FailureReason): void {
    if (this.#passing === undefined) fail(this.#exchange, reason);
    else this.#passing.failed(reason);
  }
}

class DocumentRelay implements Passing {
  readonly #exchange: Exchange;
  readonly #call: Call;
  readonly #upstream: Forwarding;
  readonly #answer: AnswerHead;
  readonly #reader: AnswerReader;
  /** Milliseconds between chunks; 0: any. */
  readonly #idle: number;
  /** The first chunk, while it may be all there is: then head and body are one write, and an early end is still a clean error. */
  #first: Buffer | undefined;

  constructor(exchange: Exchange, call: Call, upstream: Forwarding, head: AnswerHead) {
    this.#exchange = exchange;
    this.#call = call;
    this.#upstream = upstream;
    this.#answer = head;
    this.#reader = createAnswerReader(call.binding, call.operation);
    const { firstByte, streamIdle } = call.agent.row.timeouts;
    this.#idle = streamIdle;
    exchange.lateReason = "FirstByteTimeout";
    if (firstByte > 0) exchange.deadline = exchange.plane.monotonic() + firstByte;
  }

  data(chunk: Buffer): void {
    const exchange = this.#exchange;
    markFirstByte(exchange);
    this.#touch();
    exchange.responseBytes += chunk.length;
    exchange.responseContent?.push(chunk);
    this.#reader.push(chunk);
    if (exchange.res.headersSent) return this.#write(chunk);
    if (this.#first !== undefined) {
      this.#flushFirst();
      return this.#write(chunk);
    }
    this.#first = chunk;
    if (this.#answer.length === undefined) queueMicrotask(() => this.#flushFirst());
    else if (chunk.length < this.#answer.length) this.#flushFirst();
  }

  ended(): void {
    const exchange = this.#exchange;
    exchange.running = undefined;
    const seen = this.#reader.end();
    if (seen !== undefined) learn(exchange, this.#call, seen);
    this.#finish();
    // Only now: what throws before can still be answered.
    exchange.over = true;
  }

  #finish(): void {
    const { res } = this.#exchange;
    if (res.headersSent) return res.end();
    const first = this.#first;
    if (first === undefined) {
      this.#head(this.#answer.status === 204 ? undefined : 0);
      return res.end();
    }
    this.#head(first.length);
    res.end(first);
  }

  failed(reason: FailureReason): void {
    fail(this.#exchange, reason);
  }

  #head(contentLength: number | undefined): void {
    const { plane, res } = this.#exchange;
    const headers = responseHeaders(this.#answer);
    if (contentLength !== undefined) headers.push("content-length", String(contentLength));
    if (plane.draining) headers.push("connection", "close");
    res.writeHead(this.#answer.status, headers);
  }

  #write(chunk: Buffer): void {
    const { res } = this.#exchange;
    if (res.write(chunk)) return;
    this.#upstream.pause();
    // Now it is the client that is slow.
    this.#exchange.deadline = Infinity;
    res.onDrain(() => {
      this.#touch();
      this.#upstream.resume();
    });
  }

  #touch(): void {
    const exchange = this.#exchange;
    exchange.lateReason = "StreamIdle";
    exchange.deadline = this.#idle > 0 ? exchange.plane.monotonic() + this.#idle : Infinity;
  }

  #flushFirst(): void {
    const first = this.#first;
    if (first === undefined || this.#exchange.over) return;
    this.#first = undefined;
    this.#head(this.#answer.length);
    this.#write(first);
  }
}
