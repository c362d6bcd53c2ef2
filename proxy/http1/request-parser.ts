// Requests of a client as bytes. In: octets of a connection, cut anywhere. Out: head, body and end of one request at a time, or a fault.
// Strict (RFC 9112): what two readers may take for two different messages is no request.
import { type BodySink, ChunkedBody, UNWANTED } from "./chunked.ts";
import { hasBareBreak } from "./fields.ts";
import { readHead, type ReceivedHead } from "./received-head.ts";

/** Octets of a whole head. */
const MAX_HEAD = 16 * 1024;
/** Where the end of a head is looked for first. */
const COMMON_HEAD = 1024;

/** It is no request. */
export const MALFORMED = -1;
/** Its head is too large. */
export const TOO_LARGE = -3;

const HEAD = 0;
const SIZED = 1;
const CHUNKED = 2;

export interface RequestSink extends BodySink {
  /** False: no more is wanted. */
  head(head: ReceivedHead): boolean;
  end(): void;
}

export class RequestParser {
  readonly #sink: RequestSink;
  readonly #chunked = new ChunkedBody();
  #state = HEAD;
  /** Start of a head that is not whole yet, as latin1. */
  #partial = "";
  /** The one empty line that may come before a request line was read over (RFC 9112 section 2.2). */
  #hadBlank = false;
  /** Octets of the body still to come. */
  #left = 0;

  constructor(sink: RequestSink) {
    this.#sink = sink;
  }

  /** Something of a head is here, but not all. */
  get inHead(): boolean {
    return this.#partial !== "";
  }

  /**
   * Takes octets from `start` to `length`, or to the end of a request before that. The block is the parser's.
   *
   * @returns where it stopped; or MALFORMED, TOO_LARGE, UNWANTED: then it may not be called again
   */
  push(bytes: Buffer, start: number, length: number): number {
    let at = start;
    if (this.#state === HEAD) {
      at = this.#readHead(bytes, at, length);
      // An end may have come with the head.
      if (at < 0 || this.#state === HEAD) return at;
    }
    if (this.#state === SIZED) {
      const to = Math.min(length, at + this.#left);
      this.#left -= to - at;
      if (to > at && !this.#sink.data(bytes, at, to)) return UNWANTED;
      if (this.#left === 0) this.#end();
      return to;
    }
    at = this.#chunked.push(bytes, at, length, this.#sink);
    if (at >= 0 && this.#chunked.done) this.#end();
    return at;
  }

  /** @returns where the body begins, the end of the block if more of the head must come; or a fault */
  #readHead(bytes: Buffer, start: number, length: number): number {
    const before = this.#partial.length;
    let text = this.#partial + bytes.toString("latin1", start, Math.min(length, start + COMMON_HEAD));
    let end = text.indexOf("\r\n\r\n", Math.max(0, before - 3));
    if (end === -1 && length > start + COMMON_HEAD) {
      text = this.#partial + bytes.toString("latin1", start, Math.min(length, start + MAX_HEAD + 2));
      end = text.indexOf("\r\n\r\n", Math.max(0, before - 3));
    }
    let from = 0;
    if (!this.#hadBlank && text.startsWith("\r\n")) {
      this.#hadBlank = true;
      from = 2;
      if (end === 0) end = text.indexOf("\r\n\r\n", from);
    }
    if (end === -1) {
      const part = text.slice(from);
      if (!mayBecomeHead(part, this.#hadBlank, before - from)) return MALFORMED;
      if (part.length >= MAX_HEAD) return TOO_LARGE;
      this.#partial = part;
      return length;
    }
    if (end + 4 - from > MAX_HEAD) return TOO_LARGE;
    this.#partial = "";
    this.#hadBlank = false;
    const head = readHead(text.slice(from, end + 2));
    if (head === undefined) return MALFORMED;
    if (head.chunked) {
      this.#state = CHUNKED;
      this.#chunked.begin();
    } else {
      this.#state = SIZED;
      this.#left = head.length;
    }
    return this.#sink.head(head) ? start + end + 4 - before : UNWANTED;
  }

  #end(): void {
    this.#state = HEAD;
    this.#sink.end();
  }
}

const startOfLine = /^[A-Z]{0,7}(?:$|(?<=[A-Z]{3}) )/;

/** @param known octets that were judged before */
function mayBecomeHead(part: string, hadBlank: boolean, known: number): boolean {
  if (part === "\r") return !hadBlank;
  return startOfLine.test(part) && !hasBareBreak(part, Math.max(0, known - 1));
}
