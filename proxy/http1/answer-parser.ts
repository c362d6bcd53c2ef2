// Answers of an agent as bytes. In: octets of a connection, cut anywhere. Out: head, body and end of one answer at a time, or a fault.
// Strict (RFC 9112): what two readers may take for two different messages is no answer.
import { AnswerHead } from "./answer-head.ts";
import { type BodySink, ChunkedBody, UNWANTED } from "./chunked.ts";
import { hasBareBreak, listNames, parseFields } from "./fields.ts";

/** Octets of a whole head. */
const MAX_HEAD = 32 * 1024;
/** Where the end of a head is looked for first. */
const COMMON_HEAD = 1024;

const IDLE = 0;
const HEAD = 1;
const SIZED = 2;
const CHUNKED = 3;
const UNTIL_CLOSE = 4;
const STOPPED = 5;

/** `malformed`: no HTTP; `unexpected`: octets that nobody asked for; `closed`: the connection ended before the answer did. */
export type AnswerFault = "malformed" | "unexpected" | "closed";

export interface AnswerSink extends BodySink {
  /** The final head; informational ones are read over. False: no more is wanted. */
  head(head: AnswerHead): boolean;
  /** @param reuse how long the connection may be used again; milliseconds, 0: never, Infinity: the agent named no limit */
  end(reuse: number): void;
}

const statusLine = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;

export class AnswerParser {
  readonly #sink: AnswerSink;
  readonly #chunked = new ChunkedBody();
  #state = IDLE;
  /** The answer is to a HEAD request: no body, whatever its head says. */
  #bodiless = false;
  /** Start of a head that is not whole yet, as latin1. */
  #partial = "";
  /** Octets of the body still to come. */
  #left = 0;
  #reuse = 0;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  /** A request leaves; its answer is what comes next. */
  begin(bodiless: boolean): void {
    this.#state = HEAD;
    this.#bodiless = bodiless;
    this.#partial = "";
  }

  /** The sink hears nothing more. */
  stop(): void {
    this.#state = STOPPED;
    this.#partial = "";
  }

  /** Takes octets: the block is the parser's during the call, and only then. */
  push(bytes: Buffer, length: number): AnswerFault | undefined {
    let at = 0;
    while (at < length) {
      switch (this.#state) {
        case HEAD:
          at = this.#readHead(bytes, at, length);
          break;
        case SIZED: {
          const to = Math.min(length, at + this.#left);
          this.#left -= to - at;
          if (!this.#sink.data(bytes, at, to)) this.stop();
          at = to;
          if (this.#left === 0 && this.#state === SIZED) return this.#end(at < length);
          break;
        }
        case CHUNKED:
          at = this.#chunked.push(bytes, at, length, this.#sink);
          if (at === UNWANTED) {
            this.stop();
            return undefined;
          }
          if (at >= 0 && this.#chunked.done) return this.#end(at < length);
          break;
        case UNTIL_CLOSE:
          if (!this.#sink.data(bytes, at, length)) this.stop();
          return undefined;
        case STOPPED:
          return undefined;
        default:
          return "unexpected";
      }
      if (at < 0) {
        this.stop();
        return "malformed";
      }
    }
    return undefined;
  }

  /** The agent will send nothing more. */
  finish(): AnswerFault | undefined {
    if (this.#state === UNTIL_CLOSE) return this.#end(false);
    return this.#state === IDLE || this.#state === STOPPED ? undefined : "closed";
  }

  /** @returns where the body begins, `length` if more of the head must come, -1 for what is none */
  #readHead(bytes: Buffer, start: number, length: number): number {
    const before = this.#partial.length;
    let seen = Math.min(length, start + COMMON_HEAD);
    let text = this.#partial + bytes.toString("latin1", start, seen);
    let end = text.indexOf("\r\n\r\n", Math.max(0, before - 3));
    if (end === -1 && seen < length) {
      seen = Math.min(length, start + MAX_HEAD - before);
      text = this.#partial + bytes.toString("latin1", start, seen);
      end = text.indexOf("\r\n\r\n", Math.max(0, before - 3));
    }
    if (end === -1) {
      if (text.length >= MAX_HEAD || !mayBecomeHead(text, before)) return -1;
      this.#partial = text;
      return length;
    }
    if (end + 4 > MAX_HEAD) return -1;
    this.#partial = "";
    const at = start + end + 4 - before;
    return this.#takeHead(text.slice(0, end + 2)) ? this.#afterHead(at, length) : -1;
  }

  /** An answer that ends with its head has its end here: no octet must come for it. */
  #afterHead(at: number, length: number): number {
    if (this.#state !== SIZED || this.#left > 0) return at;
    this.#end(at < length);
    return length;
  }

  #takeHead(head: string): boolean {
    const lineEnd = head.indexOf("\r\n");
    const line = statusLine.exec(head.slice(0, lineEnd));
    const fields = line === null ? undefined : parseFields(head, lineEnd + 2);
    if (line === null || fields === undefined) return false;
    const status = Number(line[2]);
    // Between us and the agent; nobody asked for another protocol.
    if (status < 200) return status !== 101;
    const answer = new AnswerHead(status, fields);
    if (!this.#frame(answer, line[1] === "1")) return false;
    if (!this.#sink.head(answer)) this.stop();
    return true;
  }

  /** Where the body ends (RFC 9112 section 6.3), and what becomes of the connection then. */
  #frame(answer: AnswerHead, isLatest: boolean): boolean {
    // Two of a kind, or both, are read one way here and another way elsewhere.
    if (answer.lengths + answer.codings > 1) return false;
    const { status, length } = answer;
    if (answer.lengths === 1 && length === undefined) return false;
    if (answer.codings === 1 && !(isLatest && answer.chunked)) return false;
    this.#reuse = reuseOf(answer, isLatest);
    this.#left = 0;
    // Whoever says that a 204 has a body may send it a moment later, where the next answer is to begin.
    if (status === 204 && (answer.chunked || (length ?? 0) > 0)) this.#reuse = 0;
    if (this.#bodiless || status === 204 || status === 304) this.#state = SIZED;
    else if (answer.chunked) {
      this.#state = CHUNKED;
      this.#chunked.begin();
    } else if (length === undefined) this.#state = UNTIL_CLOSE;
    else {
      this.#state = SIZED;
      this.#left = length;
    }
    return true;
  }

  /** @param more octets come behind the answer: where the next one would begin is unclear then */
  #end(more: boolean): undefined {
    const wasOpen = this.#state !== UNTIL_CLOSE;
    this.#state = IDLE;
    this.#sink.end(wasOpen && !more ? this.#reuse : 0);
  }
}

const START = "HTTP/1.";

function mayBecomeHead(part: string, known: number): boolean {
  if (!(part.length < START.length ? START.startsWith(part) : part.startsWith(START))) return false;
  return !hasBareBreak(part, Math.max(0, known - 1));
}

function reuseOf({ connection, keepAlive }: AnswerHead, isLatest: boolean): number {
  if (!isLatest) return 0;
  if (connection !== undefined && connection !== "keep-alive" && listNames(connection, "close")) return 0;
  const seconds = keepAlive === undefined ? undefined : /\btimeout=([0-9]{1,6})\b/i.exec(keepAlive)?.[1];
  // The agent's clock began before ours.
  return seconds === undefined ? Infinity : Math.max(0, Number(seconds) * 1000 - 1000);
}
