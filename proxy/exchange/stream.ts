// A stream of server-sent events on its way to the client. In: chunks from upstream. Out: the same bytes at once, and a clear end.
import { errorEvent } from "../a2a/error-body.ts";
import { createEventReader, type EventReader } from "../a2a/events.ts";
import type { AnswerHead } from "../http1/answer-head.ts";
import type { FailureReason } from "../request/failure.ts";
import { responseHeaders } from "../request/headers.ts";
import type { AnswerListener, Forwarding } from "../upstream/forward.ts";
import type { Exchange } from "./exchange.ts";
import { fail } from "./fail.ts";
import { type Call, learn, markFirstByte } from "./learn.ts";

/** How long a client that does not read may keep a stream that was cut; milliseconds. */
const CUT_GRACE_MS = 500;

/** States in which an agent may close the stream though the task goes on. */
const INTERRUPTED: ReadonlySet<string> = new Set(["input-required", "auth-required"]);

/** Relays a stream: unbuffered, byte for byte. Sends the head at once. */
export class StreamRelay implements Pick<AnswerListener, "data" | "ended" | "failed"> {
  readonly #exchange: Exchange;
  readonly #upstream: Forwarding;
  readonly #reader: EventReader;
  /** Its id: what is counted as opened is counted as closed. */
  readonly #agent: string;
  /** Milliseconds; 0: none. */
  readonly #idle: number;
  /** Without a length or chunks the end of the connection ends the body: then a broken stream looks like a whole one. */
  readonly #endsWithConnection: boolean;

  constructor(exchange: Exchange, call: Call, upstream: Forwarding, head: AnswerHead) {
    const { plane, res } = exchange;
    const { agent, binding, operation } = call;
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#agent = agent.id;
    this.#reader = createEventReader(binding, operation, (seen) => learn(exchange, call, seen));
    this.#idle = agent.row.timeouts.streamIdle;
    this.#endsWithConnection = !head.chunked && head.length === undefined;
    exchange.streaming = true;
    exchange.lateReason = "StreamIdle";
    exchange.stream = this;
    this.#touch();
    plane.metrics.streamOpened(agent.id);
    res.writeHead(head.status, streamHeaders(head, plane.draining));
    res.flushHeaders();
  }

  data(chunk: Buffer): void {
    const exchange = this.#exchange;
    const { res } = exchange;
    markFirstByte(exchange);
    this.#touch();
    exchange.responseBytes += chunk.length;
    exchange.responseContent?.push(chunk);
    this.#reader.push(chunk);
    exchange.events = this.#reader.events();
    if (exchange.events > 0) exchange.firstEvent ??= exchange.plane.monotonic() - exchange.startedAt;
    if (res.write(chunk)) return;
    this.#upstream.pause();
    // Now it is the client that is slow.
    exchange.deadline = Infinity;
    res.onDrain(() => {
      this.#touch();
      this.#upstream.resume();
    });
  }

  ended(): void {
    const { state } = this.#exchange;
    const done = this.#reader.terminal() || (state !== undefined && INTERRUPTED.has(state));
    if (this.#endsWithConnection && !done) fail(this.#exchange, "UpstreamReset");
    else this.#end();
  }

  failed(reason: FailureReason): void {
    // After the last event a broken connection takes nothing away.
    if (this.#reader.terminal() && this.#reader.betweenEvents()) this.#end();
    else fail(this.#exchange, reason);
  }

  #touch(): void {
    if (this.#idle > 0) this.#exchange.deadline = this.#exchange.plane.monotonic() + this.#idle;
  }

  /** The client's side of it is over. */
  closed(): void {
    this.#exchange.plane.metrics.streamClosed(this.#agent);
  }

  /** Tells the client in the middle of the stream why it ends, and breaks it off. */
  cut(reason: FailureReason): void {
    const { plane, req, res, binding = "JSONRPC", rpcId, version } = this.#exchange;
    // In the middle of an event nothing can be said that the client would read; a broken end it will notice.
    if (this.#reader.betweenEvents()) res.write(Buffer.from(errorEvent(binding, reason, { id: rpcId, version })));
    req.socket.destroySoon();
    plane.lingering.add(req.socket, plane.monotonic() + CUT_GRACE_MS);
  }

  #end(): void {
    const exchange = this.#exchange;
    exchange.running = undefined;
    exchange.deadline = Infinity;
    exchange.res.end();
    exchange.over = true;
  }
}

function streamHeaders(answer: AnswerHead, draining: boolean): string[] {
  const headers = responseHeaders(answer, "cache-control");
  headers.push("cache-control", "no-cache", "x-accel-buffering", "no");
  if (draining) headers.push("connection", "close");
  return headers;
}
