// A validating JSON scanner (RFC 8259) for bytes that arrive in chunks. In: chunks cut anywhere, and a shape.
// Out: whether all of it is one JSON text in UTF-8, and what stood at the positions of the shape. Nothing else is kept.
import { FACT, foldName, foldedHash, KEEP_ELEMENT, KEEP_NONE, KEEP_RAW, isText } from "./json-shape.ts";
import type { Entry, Node, Shape } from "./json-shape.ts";
import { createUtf8Check, type Utf8Check } from "./utf8-check.ts";

/** Objects and arrays within one another. */
export const MAX_DEPTH = 100;
/** Names and values at positions of interest; longer ones are not kept. */
export const MAX_TOKEN_BYTES = 1024;
/** Elements kept of a list. */
export const MAX_LIST = 256;

export interface JsonScan {
  /** Bytes `start` to `end` of the chunk; the chunk may be reused afterwards. */
  push(chunk: Uint8Array, start?: number, end?: number): void;
  /** `Encoding`: not UTF-8, or with a byte order mark. `Grammar`: not one JSON text, or too deep. */
  end(): "Encoding" | "Grammar" | undefined;
  /** Bits of `FACT`. */
  facts(slot: number): number;
  /** The string decoded, or the token as sent; the last one if there were several. */
  text(slot: number): string | undefined;
  list(slot: number): readonly string[];
  /** Makes it ready for another text. */
  reset(): void;
}

const VALUE = 0;
const FIRST_ELEMENT = 1;
const FIRST_NAME = 2;
const NAME = 3;
const COLON = 4;
const AFTER = 5;
const STRING = 6;
const ESCAPE = 7;
/** Four states: how many hex digits of \u are still to come. */
const HEX_1 = 8;
const HEX_4 = 11;
const LITERAL = 12;
const MINUS = 13;
const ZERO = 14;
const INTEGER = 15;
const POINT = 16;
const FRACTION = 17;
const EXPONENT = 18;
const EXPONENT_SIGN = 19;
const EXPONENT_DIGITS = 20;
const FAILED = 21;

/** Bytes that a string holds as they are. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 0x20 || byte === 0x22 || byte === 0x5c ? 0 : 1));
const SPACE = Uint8Array.from({ length: 256 }, (_, byte) => (" \t\n\r".includes(String.fromCharCode(byte)) ? 1 : 0));
const DIGIT = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x30 && byte <= 0x39 ? 1 : 0));
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => (/^[0-9a-fA-F]$/.test(String.fromCharCode(byte)) ? 1 : 0));
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) =>
  '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0,
);
const TRUE = Buffer.from("true");
const FALSE = Buffer.from("false");
const NULL = Buffer.from("null");
const NO_BYTES = Buffer.alloc(0);

/** `utf8: false` leaves the encoding unchecked, for texts whose decoding replaces what is not UTF-8 (SSE). */
export function createJsonScan(shape: Shape, options?: { utf8?: boolean }): JsonScan {
  return new Scan(shape, options?.utf8 === false ? undefined : createUtf8Check());
}

/** One is made for every request and every answer: a class, and nothing in it that is not needed by most of them. */
class Scan implements JsonScan {
  readonly #shape: Shape;
  readonly #utf8: Utf8Check | undefined;
  #encoding = true;
  #state = VALUE;
  #empty = true;
  #depth = 0;
  /** Per depth: what matters inside an object, `null` for nothing, undefined for an array; what its elements are. */
  readonly #nodes: (Node | null | undefined)[] = [undefined, null, null, null, null, null, null, null];
  readonly #elements: (Entry | undefined)[] = [undefined, undefined, undefined, undefined, undefined, undefined];
  /** The position of the value that comes next. */
  #pending: Entry | undefined;
  #literal: Uint8Array = TRUE;
  #literalAt = 0;
  /** The string being read is a member's name. */
  #isName = false;
  /** A token is being kept: where it starts in this chunk; -1 if none. */
  #tokenStart = -1;
  #token: Entry | undefined = undefined;
  #tokenEscaped = false;
  /** Its bytes from earlier chunks. */
  #held: Buffer | undefined = undefined;
  readonly #facts: number[];
  readonly #texts: (string | undefined)[];
  #lists: Map<number, string[]> | undefined = undefined;

  constructor(shape: Shape, utf8: Utf8Check | undefined) {
    this.#shape = shape;
    this.#utf8 = utf8;
    this.#pending = shape.root;
    this.#facts = shape.noFacts.slice();
    this.#texts = shape.noTexts.slice();
  }

  push(chunk: Uint8Array, start = 0, end = chunk.length): void {
    if (!this.#encoding || start >= end) return;
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#utf8 !== undefined) {
      if (this.#empty && bytes[start] === 0xef) this.#encoding = false;
      else this.#encoding = this.#utf8.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    }
    this.#empty = false;
    if (this.#encoding && this.#state !== FAILED) this.#scan(bytes, start, end);
  }

  end(): "Encoding" | "Grammar" | undefined {
    if (!this.#encoding || this.#utf8?.end() === false) return "Encoding";
    if (this.#depth !== 0) return "Grammar";
    const state = this.#state;
    if (state === AFTER) return undefined;
    if (state !== ZERO && state !== INTEGER && state !== FRACTION && state !== EXPONENT_DIGITS) return "Grammar";
    if (this.#tokenStart !== -1) this.#tokenEnds(NO_BYTES, 0, 0, false);
    this.#state = AFTER;
    return undefined;
  }

  facts(slot: number): number {
    return this.#facts[slot] ?? 0;
  }

  text(slot: number): string | undefined {
    return this.#texts[slot];
  }

  list(slot: number): readonly string[] {
    return this.#lists?.get(slot) ?? [];
  }

  reset(): void {
    this.#utf8?.reset();
    this.#encoding = true;
    this.#empty = true;
    this.#state = VALUE;
    this.#depth = 0;
    this.#pending = this.#shape.root;
    this.#tokenStart = -1;
    this.#held = undefined;
    this.#facts.fill(0);
    this.#texts.fill(undefined);
    this.#lists = undefined;
  }

  #note(entry: Entry, fact: number): void {
    this.#facts[entry.slot] = (this.#facts[entry.slot] as number) | fact;
  }

  /** A member's name has ended: is it a position? */
  #nameEnds(bytes: Buffer, start: number, end: number, node: Node): void {
    if (end - start > MAX_TOKEN_BYTES) return;
    let entry: Entry | undefined;
    let exact = false;
    const hash = foldedHash(bytes, start, end);
    if (hash === -1) {
      const name = decode(bytes, start, end, this.#tokenEscaped);
      entry = node.folded.get(foldName(name));
      exact = entry !== undefined && entry.names.includes(name);
    } else {
      for (let at = hash & node.mask; ; at = (at + 1) & node.mask) {
        const candidate: Entry | undefined = node.table[at];
        if (candidate === undefined) return;
        for (const name of candidate.names) if (isText(bytes, start, end, name)) exact = true;
        entry = candidate;
        if (exact) break;
        const folded = foldName(bytes.toString("latin1", start, end));
        if (candidate.names.some((name) => foldName(name) === folded)) break;
        entry = undefined;
      }
    }
    if (entry === undefined) return;
    if (this.#facts[entry.slot] !== 0) this.#note(entry, FACT.doubled);
    if (exact) this.#pending = entry;
    else this.#note(entry, FACT.variant);
  }

  /** A kept token has ended: a name, a string or a number. `start` and `end` are of this chunk. */
  #tokenEnds(chunk: Buffer, start: number, end: number, isString: boolean): void {
    let bytes = chunk;
    if (this.#held !== undefined) {
      bytes = Buffer.concat([this.#held, chunk.subarray(start, end)]);
      start = 0;
      end = bytes.length;
      this.#held = undefined;
    }
    this.#tokenStart = -1;
    const entry = this.#token;
    if (entry === undefined) {
      this.#nameEnds(bytes, start, end, this.#nodes[this.#depth] as Node);
      return;
    }
    if (end - start > MAX_TOKEN_BYTES) {
      this.#note(entry, FACT.tooLong);
      return;
    }
    if (entry.keep === KEEP_RAW) {
      const raw = bytes.toString("utf8", start, end);
      this.#texts[entry.slot] = isString ? `"${raw}"` : raw;
      return;
    }
    for (const value of entry.values) {
      if (!isText(bytes, start, end, value)) continue;
      this.#texts[entry.slot] = value;
      return;
    }
    const text = decode(bytes, start, end, this.#tokenEscaped);
    if (!text.isWellFormed()) this.#note(entry, FACT.illFormed);
    else if (entry.keep !== KEEP_ELEMENT) this.#texts[entry.slot] = text;
    else this.#keepElement(entry, text);
  }

  #keepElement(entry: Entry, text: string): void {
    this.#lists ??= new Map();
    const list = this.#lists.get(entry.slot);
    if (list === undefined) this.#lists.set(entry.slot, [text]);
    else if (list.length < MAX_LIST) list.push(text);
    else this.#note(entry, FACT.tooLong);
  }

  #keepFrom(start: number, entry: Entry | undefined): void {
    this.#token = entry;
    this.#tokenStart = start;
    this.#tokenEscaped = false;
  }

  /** The chunk ends inside a kept token; of one that is too long, only that it is. */
  #hold(chunk: Buffer, end: number): void {
    const more = chunk.subarray(this.#tokenStart, end);
    const held = this.#held;
    if (held === undefined) this.#held = Buffer.from(more.subarray(0, MAX_TOKEN_BYTES + 1));
    else if (held.length <= MAX_TOKEN_BYTES) this.#held = Buffer.concat([held, more.subarray(0, MAX_TOKEN_BYTES + 1)]);
    this.#tokenStart = 0;
  }

  #scan(bytes: Buffer, start: number, end: number): void {
    const nodes = this.#nodes;
    const elements = this.#elements;
    let i = start;
    let now = this.#state;
    let depth = this.#depth;
    if (this.#tokenStart !== -1) this.#tokenStart = start;
    while (i < end) {
      const byte = bytes[i] as number;
      switch (now) {
        case STRING: {
          while (i < end && PLAIN[bytes[i] as number] === 1) i++;
          if (i === end) break;
          const stop = bytes[i] as number;
          if (stop === 0x22) {
            if (this.#tokenStart !== -1) this.#tokenEnds(bytes, this.#tokenStart, i, true);
            now = this.#isName ? COLON : AFTER;
          } else if (stop === 0x5c) {
            this.#tokenEscaped = true;
            now = ESCAPE;
          } else now = FAILED;
          i++;
          break;
        }
        case FIRST_NAME:
        case NAME:
          i++;
          if (byte === 0x22) {
            this.#isName = true;
            this.#pending = undefined;
            if (nodes[depth] !== null) this.#keepFrom(i, undefined);
            now = STRING;
          } else if (byte === 0x7d && now === FIRST_NAME) {
            this.#depth = --depth;
            now = AFTER;
          } else if (SPACE[byte] === 0) now = FAILED;
          break;
        case COLON:
          i++;
          if (byte === 0x3a) now = VALUE;
          else if (SPACE[byte] === 0) now = FAILED;
          break;
        case AFTER:
          i++;
          if (byte === 0x2c && depth > 0) {
            if (nodes[depth] !== undefined) now = NAME;
            else {
              this.#pending = elements[depth];
              now = VALUE;
            }
          } else if (depth > 0 && byte === (nodes[depth] === undefined ? 0x5d : 0x7d)) this.#depth = --depth;
          else if (SPACE[byte] === 0) now = FAILED;
          break;
        case FIRST_ELEMENT:
        case VALUE: {
          if (SPACE[byte] === 1) {
            i++;
            break;
          }
          if (byte === 0x5d && now === FIRST_ELEMENT) {
            this.#depth = --depth;
            now = AFTER;
            i++;
            break;
          }
          const entry = this.#pending;
          i++;
          if (byte === 0x22) {
            this.#isName = false;
            if (entry !== undefined) {
              this.#note(entry, FACT.string);
              if (entry.keep !== KEEP_NONE) this.#keepFrom(i, entry);
            }
            now = STRING;
          } else if (byte === 0x7b || byte === 0x5b) {
            const isObject = byte === 0x7b;
            if (entry !== undefined) this.#note(entry, isObject ? FACT.object : FACT.array);
            if (depth === MAX_DEPTH) {
              now = FAILED;
              break;
            }
            this.#depth = ++depth;
            const inside = isObject ? undefined : entry?.element;
            nodes[depth] = isObject ? (entry?.node ?? null) : undefined;
            elements[depth] = inside;
            this.#pending = inside;
            now = isObject ? FIRST_NAME : FIRST_ELEMENT;
          } else if (byte === 0x2d || DIGIT[byte] === 1) {
            if (entry !== undefined) {
              this.#note(entry, FACT.number);
              if (entry.keep === KEEP_RAW) this.#keepFrom(i - 1, entry);
            }
            now = byte === 0x2d ? MINUS : byte === 0x30 ? ZERO : INTEGER;
          } else if (byte === 0x74 || byte === 0x66 || byte === 0x6e) {
            if (entry !== undefined) {
              this.#note(entry, byte === 0x74 ? FACT.true : byte === 0x66 ? FACT.false : FACT.null);
            }
            this.#literal = byte === 0x74 ? TRUE : byte === 0x66 ? FALSE : NULL;
            this.#literalAt = 1;
            now = LITERAL;
          } else now = FAILED;
          break;
        }
        case ESCAPE:
          i++;
          now = byte === 0x75 ? HEX_4 : ESCAPED[byte] === 1 ? STRING : FAILED;
          break;
        case LITERAL:
          i++;
          if (byte !== this.#literal[this.#literalAt]) now = FAILED;
          else if (++this.#literalAt === this.#literal.length) now = AFTER;
          break;
        case FAILED:
          this.#state = FAILED;
          return;
        default:
          if (now <= HEX_4) {
            now = HEX[byte] === 0 ? FAILED : now === HEX_1 ? STRING : now - 1;
            i++;
            break;
          }
          // Numbers: one byte further, or the byte after the number is read again as what follows a value.
          now = nextInNumber(now, byte);
          if (now !== AFTER) i++;
          else if (this.#tokenStart !== -1) this.#tokenEnds(bytes, this.#tokenStart, i, false);
      }
    }
    this.#state = now;
    if (this.#tokenStart !== -1) this.#hold(bytes, end);
  }
}

/** The state after one more byte of a number (RFC 8259 section 6); AFTER when the number ended before it. */
function nextInNumber(state: number, byte: number): number {
  const digit = DIGIT[byte] === 1;
  switch (state) {
    case MINUS:
      return byte === 0x30 ? ZERO : digit ? INTEGER : FAILED;
    case ZERO:
    case INTEGER:
      if (digit) return state === INTEGER ? INTEGER : FAILED;
      return byte === 0x2e ? POINT : byte === 0x65 || byte === 0x45 ? EXPONENT : AFTER;
    case POINT:
      return digit ? FRACTION : FAILED;
    case FRACTION:
      return digit ? FRACTION : byte === 0x65 || byte === 0x45 ? EXPONENT : AFTER;
    case EXPONENT:
      return digit ? EXPONENT_DIGITS : byte === 0x2b || byte === 0x2d ? EXPONENT_SIGN : FAILED;
    case EXPONENT_SIGN:
      return digit ? EXPONENT_DIGITS : FAILED;
    default:
      return digit ? EXPONENT_DIGITS : AFTER;
  }
}

/** The text of a string's bytes; its escapes were read as valid before. */
function decode(bytes: Buffer, start: number, end: number, escaped: boolean): string {
  const raw = bytes.toString("utf8", start, end);
  return escaped ? (JSON.parse(`"${raw}"`) as string) : raw;
}
