// A body in chunks (RFC 9112 section 7.1). In: octets as they arrive, cut anywhere. Out: the octets of the body, and where it ends.

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

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const LINE_START = 6;
const TRAILER = 7;
const TRAILER_LF = 8;
const LAST_LF = 9;
const DONE = 10;

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
        if (octet === CR) this.#state = SIZE_LF;
        return octet === CR || (isText(octet) && ++this.#extra <= MAX_EXTENSION);
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
        this.#state = octet === CR ? LAST_LF : TRAILER;
        return octet === CR || (isText(octet) && ++this.#extra <= MAX_TRAILERS);
      case TRAILER:
        if (octet === CR) this.#state = TRAILER_LF;
        return octet === CR || (isText(octet) && ++this.#extra <= MAX_TRAILERS);
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
    if (octet === CR) this.#state = SIZE_LF;
    else if (octet === SEMICOLON) this.#state = EXTENSION;
    else return false;
    return true;
  }
}

/** What a line may have besides its end. */
const isText = (octet: number): boolean => octet === 9 || (octet >= 32 && octet !== 127);

function hexValue(octet: number): number {
  if (octet >= 48 && octet <= 57) return octet - 48;
  const lower = octet | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
