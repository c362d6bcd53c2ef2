// A body in chunks (RFC 9112 section 7.1). In: octets as they arrive, cut anywhere. Out: the octets of the body, and where it ends.
import { isTextOctet, isTokenOctet } from "./fields.ts";

/** Octets of one chunk extension, and of all trailers together; both are read over. */
const MAX_EXTENSION = 4 * 1024;
const MAX_TRAILERS = 8 * 1024;
/** Hexadecimal digits of a size: what a number holds exactly. */
const MAX_DIGITS = 13;

/** It is no such body. */
const MALFORMED = -1;
/** The sink wants no more. */
export const UNWANTED = -2;

const CR = 13;
const LF = 10;
const SEMICOLON = 59;
const COLON = 58;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

const SIZE = 0;
const SIZE_LF = 1;
const EXTENSION = 2;
const EXTENSION_VALUE = 3;
const QUOTED = 4;
const ESCAPED = 5;
const QUOTED_END = 6;
const DATA = 7;
const DATA_CR = 8;
const DATA_LF = 9;
const LINE_START = 10;
const TRAILER_NAME = 11;
const TRAILER = 12;
const TRAILER_LF = 13;
const LAST_LF = 14;
const DONE = 15;

export interface BodySink {
  /** Octets of a body; only good during the call. False: no more is wanted, now or later. */
  data(bytes: Buffer, from: number, to: number): boolean;
}

/** Reads one body after the other. Strict: CRLF ends a line and nothing else does; a size is digits, then an extension or nothing. */
export class ChunkedBody {
  #state = SIZE;
  #size = 0;
  #digits = 0;
  /** Octets of extension or trailers so far. */
  #extra = 0;
  /** The name or the value of an extension has an octet. */
  #named = false;

  /** Before the first octet of a body. */
  begin(): void {
    this.#state = SIZE;
    this.#size = 0;
    this.#digits = 0;
    this.#extra = 0;
  }

  /** The last chunk and the line after the trailers were read. */
  get done(): boolean {
    return this.#state === DONE;
  }

  /**
   * The octets of all chunks are given as one piece: an agent that sends many small ones must cost no more than another. They are
   * moved together in the block itself, which is the caller's to read into again.
   *
   * @returns where it stopped: `end`, or behind the body when that is done; MALFORMED or UNWANTED
   */
  push(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    let at = start;
    let from = start;
    let to = start;
    while (at < end && this.#state !== DONE) {
      if (this.#state === DATA) {
        const next = Math.min(end, at + this.#size);
        this.#size -= next - at;
        if (this.#size === 0) this.#state = DATA_CR;
        if (from === to) from = to = at;
        else bytes.copyWithin(to, at, next);
        to += next - at;
        at = next;
      } else if (!this.#octet(bytes[at++] ?? 0)) {
        at = MALFORMED;
        break;
      }
    }
    return from === to || sink.data(bytes, from, to) ? at : UNWANTED;
  }

  #octet(octet: number): boolean {
    switch (this.#state) {
      case SIZE:
        return this.#sizeOctet(octet);
      case EXTENSION:
      case EXTENSION_VALUE:
      case QUOTED:
      case ESCAPED:
      case QUOTED_END:
        return ++this.#extra <= MAX_EXTENSION && this.#extensionOctet(octet);
      case SIZE_LF:
        this.#state = this.#size === 0 ? LINE_START : DATA;
        this.#extra = 0;
        return octet === LF;
      case DATA_CR:
        this.#state = DATA_LF;
        return octet === CR;
      case DATA_LF:
        this.#state = SIZE;
        this.#digits = 0;
        return octet === LF;
      case LINE_START:
        this.#state = octet === CR ? LAST_LF : TRAILER_NAME;
        return octet === CR || (isTokenOctet(octet) && ++this.#extra <= MAX_TRAILERS);
      case TRAILER_NAME:
        if (octet === COLON) this.#state = TRAILER;
        return (octet === COLON || isTokenOctet(octet)) && ++this.#extra <= MAX_TRAILERS;
      case TRAILER:
        if (octet === CR) this.#state = TRAILER_LF;
        return octet === CR || (isTextOctet(octet) && ++this.#extra <= MAX_TRAILERS);
      case TRAILER_LF:
        this.#state = LINE_START;
        return octet === LF;
      case LAST_LF:
        this.#state = DONE;
        return octet === LF;
      default:
        return false;
    }
  }

  #sizeOctet(octet: number): boolean {
    const digit = hexValue(octet);
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit;
      return ++this.#digits <= MAX_DIGITS;
    }
    if (this.#digits === 0) return false;
    return this.#endsExtension(octet);
  }

  /** Name, or name and value, which is a token or quoted (RFC 9112 section 7.1.1); without blanks. */
  #extensionOctet(octet: number): boolean {
    switch (this.#state) {
      case EXTENSION:
      case EXTENSION_VALUE:
        if (!isTokenOctet(octet)) return this.#afterToken(octet);
        this.#named = true;
        return true;
      case QUOTED:
        if (octet === QUOTE) this.#state = QUOTED_END;
        else if (octet === BACKSLASH) this.#state = ESCAPED;
        return isTextOctet(octet);
      case ESCAPED:
        this.#state = QUOTED;
        return isTextOctet(octet);
      default:
        return this.#endsExtension(octet);
    }
  }

  #afterToken(octet: number): boolean {
    const isName = this.#state === EXTENSION;
    if (isName ? octet !== EQUALS || !this.#named : octet !== QUOTE || this.#named) {
      return this.#named && this.#endsExtension(octet);
    }
    this.#state = isName ? EXTENSION_VALUE : QUOTED;
    this.#named = false;
    return true;
  }

  #endsExtension(octet: number): boolean {
    this.#state = octet === CR ? SIZE_LF : EXTENSION;
    this.#named = false;
    return octet === CR || octet === SEMICOLON;
  }
}

function hexValue(octet: number): number {
  if (octet >= 48 && octet <= 57) return octet - 48;
  const lower = octet | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
