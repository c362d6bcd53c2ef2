// A connection to an agent and its life. In: one request at a time. Out: its answer, in calls of a handler, and whether it can be used
// again.
import type { Socket } from "node:net";
import type { AnswerHead } from "../http1/answer-head.ts";
import { AnswerParser, type AnswerFault, type AnswerSink } from "../http1/answer-parser.ts";
import type { Dial, SocketListener } from "./dial.ts";

/** Bodies up to this size leave in one write together with their head; bytes. */
const ONE_WRITE = 16 * 1024;

/** What the agent sent is no answer to the request. */
export class BadAnswer extends Error {
  readonly code: "PARLEY_BAD_ANSWER" | "PARLEY_CLOSED_EARLY";
  constructor(fault: AnswerFault) {
    super(
      fault === "closed" ? "the agent closed the connection before the end of its answer" : "no answer of HTTP/1.1",
    );
    this.code = fault === "closed" ? "PARLEY_CLOSED_EARLY" : "PARLEY_BAD_ANSWER";
  }
}

/** Hears of one request: `sent`, `head`, `data` as often as there is any, `end`; or `error` once, at any time. */
export interface AnswerHandler {
  /** The connection is up; the request leaves now. */
  onSent(): void;
  onHead(head: AnswerHead): void;
  onData(chunk: Buffer): void;
  /** The connection may be given back now. */
  onEnd(): void;
  onError(error: Error): void;
}

/** Comes up with its first request. */
export class Connection implements AnswerSink, SocketListener {
  readonly #dial: Dial;
  /** Hears that it closed while nobody used it. */
  readonly #onIdleClose: (connection: Connection) => void;
  readonly #parser = new AnswerParser(this);
  #socket: Socket | undefined;
  #handler: AnswerHandler | undefined;
  #isUp = false;
  #isHead = false;
  /** What is to be sent once it is up. */
  #head = "";
  #body: Buffer | null = null;
  #paused = false;
  /** It takes no further request. */
  closed = false;
  /** How long it may be kept for the next request; milliseconds. */
  reuse = Infinity;
  /** Until when it may be taken; by the clock that never steps. The pool's own business. */
  freeUntil = 0;

  constructor(dial: Dial, onIdleClose: (connection: Connection) => void) {
    this.#dial = dial;
    this.#onIdleClose = onIdleClose;
  }

  /** Sends a request. Only when no other runs, and not once it is closed. */
  send(head: string, body: Buffer | null, isHead: boolean, handler: AnswerHandler): void {
    this.#handler = handler;
    this.#isHead = isHead;
    if (this.#isUp) return this.#write(head, body);
    this.#head = head;
    this.#body = body;
    this.#socket = this.#dial(this);
  }

  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  /** Ends it; the handler hears nothing more. */
  destroy(): void {
    this.closed = true;
    this.#handler = undefined;
    this.#body = null;
    this.#parser.stop();
    this.#socket?.destroy();
  }

  #write(head: string, body: Buffer | null): void {
    this.#parser.begin(this.#isHead);
    this.#handler?.onSent();
    const socket = this.#socket;
    if (socket === undefined || this.closed) return;
    if (body === null) socket.write(head, "latin1");
    else if (body.length <= ONE_WRITE) socket.write(head + body.toString("latin1"), "latin1");
    else {
      socket.cork();
      socket.write(head, "latin1");
      socket.write(body);
      socket.uncork();
    }
  }

  up(): void {
    if (this.closed) return;
    this.#isUp = true;
    const [head, body] = [this.#head, this.#body];
    this.#head = "";
    this.#body = null;
    this.#write(head, body);
  }

  octets(bytes: Buffer, length: number): void {
    if (this.closed) return;
    const fault = this.#parser.push(bytes, length);
    if (fault !== undefined) this.#fail(new BadAnswer(fault));
  }

  ended(): void {
    if (this.closed) return;
    const fault = this.#parser.finish();
    if (fault !== undefined || this.#handler !== undefined) this.#fail(new BadAnswer(fault ?? "closed"));
    else if (!this.closed) this.#close();
  }

  failed(error: Error): void {
    if (!this.closed) this.#fail(error);
  }

  head(head: AnswerHead): boolean {
    this.#handler?.onHead(head);
    return this.#handler !== undefined;
  }

  data(bytes: Buffer, from: number, to: number): boolean {
    // Others read into the same block next.
    const chunk = Buffer.allocUnsafe(to - from);
    bytes.copy(chunk, 0, from, to);
    this.#handler?.onData(chunk);
    return this.#handler !== undefined;
  }

  end(reuse: number): void {
    const handler = this.#handler;
    this.#handler = undefined;
    this.reuse = reuse;
    // An answer that came before the request had left: the rest of the request is not sent.
    if (reuse === 0 || (this.#socket?.writableLength ?? 0) > 0) {
      this.closed = true;
      this.#socket?.destroy();
    }
    // Else an end of it would not be noticed.
    this.resume();
    handler?.onEnd();
  }

  #fail(error: Error): void {
    const handler = this.#handler;
    if (handler === undefined) return this.#close();
    this.destroy();
    handler.onError(error);
  }

  /** It ended, or said something, while nobody used it. */
  #close(): void {
    this.destroy();
    this.#onIdleClose(this);
  }
}
