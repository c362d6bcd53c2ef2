// Protocol Buffers, as much as OTLP needs. In: fields in turn. Out: the bytes of one message.
// By hand, since a finished request must not cost its share of an object model: everything is written where it stays, lengths are put in
// afterwards, and what comes again is copied as bytes.

const START = 64 * 1024;
/** Memory that is kept for the next message. */
const MAX_SPARE = 2 * 1024 * 1024;
/** Lengths of messages that are not known beforehand take four bytes, whatever they are: varints may be padded. */
const LENGTH_BYTES = 4;
/** So do integers whose attribute was encoded but for its value: up to 2^35. */
const INTEGER_BYTES = 5;
const MAX_INTEGER = 2 ** 35 - 1;
const MAX_REMEMBERED = 4096;

export type Attribute = readonly [name: string, value: string | number | boolean | undefined];

/** A KeyValue but for its value. */
export interface AttributeKey {
  readonly field: number;
  readonly name: string;
  /** Up to an integer, to a double; the name alone. */
  readonly integer: Buffer;
  readonly double: Buffer;
  readonly text: Buffer;
}

/** @param field where the KeyValue stands in its message */
export function attributeKey(field: number, name: string): AttributeKey {
  const key = [0x0a, Buffer.byteLength(name), ...Buffer.from(name)];
  if (field > 15 || key.length + 2 + 1 + 8 > 127) throw new RangeError(`${name} is no short attribute`);
  const tag = (field << 3) | 2;
  return {
    field,
    name,
    integer: Buffer.from([tag, key.length + 3 + INTEGER_BYTES, ...key, 0x12, 1 + INTEGER_BYTES, 0x18]),
    double: Buffer.from([tag, key.length + 3 + 8, ...key, 0x12, 1 + 8, 0x21]),
    text: Buffer.from(key),
  };
}

export class ProtobufWriter {
  #bytes = Buffer.allocUnsafe(START);
  #at = 0;
  #spare: Buffer<ArrayBuffer> | undefined;
  /** Encoded attributes with text values: by field, then by name, then by value. */
  readonly #known: Map<string, Map<string, Buffer>>[] = [];

  get length(): number {
    return this.#at;
  }

  /** What was written since the last time; the writer is empty then, and does not touch it before it gets it back. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#bytes = this.#spare ?? Buffer.allocUnsafe(Math.max(START, 2 ** Math.ceil(Math.log2(taken.length + 1))));
    this.#spare = undefined;
    this.#at = 0;
    return taken;
  }

  /** What was taken is needed no more: its memory serves again, where a new one each time would soon make the collector run. */
  giveBack(taken: Buffer): void {
    if (taken.buffer.byteLength <= MAX_SPARE) this.#spare = Buffer.from(taken.buffer as ArrayBuffer);
  }

  /** A copy of what was written since this length. */
  since(length: number): Buffer {
    return Buffer.from(this.#bytes.subarray(length, this.#at));
  }

  /** Forgets what was written since this length. */
  cut(length: number): void {
    this.#at = length;
  }

  /** Begins a nested message; gives what `close` wants. */
  open(field: number): number {
    this.#room(16);
    this.#varint((field << 3) | 2);
    const at = this.#at;
    this.#at += LENGTH_BYTES;
    return at;
  }

  close(at: number): void {
    const bytes = this.#bytes;
    const length = this.#at - at - LENGTH_BYTES;
    bytes[at] = length | 0x80;
    bytes[at + 1] = (length >>> 7) | 0x80;
    bytes[at + 2] = (length >>> 14) | 0x80;
    bytes[at + 3] = length >>> 21;
  }

  text(field: number, value: string): void {
    // Each UTF-16 unit takes three bytes at most.
    this.#room(value.length * 3 + 16);
    this.#varint((field << 3) | 2);
    if (value.length * 3 < 128) {
      const length = this.#bytes.write(value, this.#at + 1);
      this.#bytes[this.#at] = length;
      this.#at += length + 1;
      return;
    }
    this.#varint(Buffer.byteLength(value));
    this.#at += this.#bytes.write(value, this.#at, "utf8");
  }

  /** Bytes that are written as hex digits. */
  hex(field: number, digits: string): void {
    this.#room(digits.length + 16);
    this.#varint((field << 3) | 2);
    this.#varint(digits.length >> 1);
    this.#at += this.#bytes.write(digits, this.#at, "hex");
  }

  /** Raw bytes of whole fields. */
  raw(raw: Buffer): void {
    this.#room(raw.length);
    this.#copy(raw);
  }

  uint(field: number, value: number): void {
    this.#room(20);
    this.#varint(field << 3);
    this.#varint(value);
  }

  double(field: number, value: number): void {
    this.#room(16);
    this.#varint((field << 3) | 1);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  fixed64(field: number, value: bigint): void {
    this.#room(16);
    this.#varint((field << 3) | 1);
    this.#at = this.#bytes.writeBigUInt64LE(value, this.#at);
  }

  fixed32(field: number, value: number): void {
    this.#room(16);
    this.#varint((field << 3) | 5);
    this.#uint32(value);
  }

  /** Nanoseconds since the epoch, from milliseconds. */
  time(field: number, milliseconds: number): void {
    this.#room(16);
    this.#varint((field << 3) | 1);
    // More than a double holds exactly: (whole milliseconds in two parts) × 10^6, put together from the lowest 32 bits on.
    const whole = Math.floor(milliseconds);
    const high = Math.floor(whole / 0x100000) * 1_000_000;
    const low = (whole % 0x100000) * 1_000_000 + Math.round((milliseconds - whole) * 1e6);
    const rest = (high % 0x1000) * 0x100000 + low;
    this.#uint32(rest);
    this.#uint32(Math.floor(high / 0x1000) + Math.floor(rest / 0x100000000));
  }

  packed(field: number, values: readonly number[], kind: "fixed64" | "double"): void {
    this.#room(values.length * 8 + 16);
    this.#varint((field << 3) | 2);
    this.#varint(values.length * 8);
    for (const value of values) {
      this.#at =
        kind === "double"
          ? this.#bytes.writeDoubleLE(value, this.#at)
          : this.#bytes.writeBigUInt64LE(BigInt(value), this.#at);
    }
  }

  /** A KeyValue; one without a value is left out. Whole numbers are integers. */
  attribute(field: number, [name, value]: Attribute): void {
    if (value === undefined) return;
    const pair = this.open(field);
    this.text(1, name);
    const any = this.open(2);
    if (typeof value === "string") this.text(1, value);
    else if (typeof value === "boolean") this.uint(2, value ? 1 : 0);
    else if (Number.isSafeInteger(value)) this.#int64(3, value);
    else this.double(4, value);
    this.close(any);
    this.close(pair);
  }

  /** As `attribute`, for a number whose key was encoded before. */
  number(key: AttributeKey, value: number | undefined): void {
    if (value === undefined) return;
    this.#room(160);
    if (!Number.isInteger(value)) {
      this.#copy(key.double);
      this.#at = this.#bytes.writeDoubleLE(value, this.#at);
    } else if (value >= 0 && value <= MAX_INTEGER) {
      this.#copy(key.integer);
      const bytes = this.#bytes;
      const at = this.#at;
      bytes[at] = value | 0x80;
      bytes[at + 1] = (value >>> 7) | 0x80;
      bytes[at + 2] = (value >>> 14) | 0x80;
      bytes[at + 3] = (value >>> 21) | 0x80;
      bytes[at + 4] = Math.floor(value / 2 ** 28);
      this.#at = at + INTEGER_BYTES;
    } else this.attribute(key.field, [key.name, value]);
  }

  /** As `attribute`, for a text whose key was encoded before; under a second key, too, if one is given. */
  words(key: AttributeKey, value: string | undefined, again?: AttributeKey): void {
    if (value === undefined) return;
    const pair = this.open(key.field);
    this.raw(key.text);
    const from = this.#at;
    const any = this.open(2);
    this.text(1, value);
    this.close(any);
    this.close(pair);
    if (again === undefined) return;
    const to = this.#at;
    this.#room(to - from + 160);
    const second = this.open(again.field);
    this.#copy(again.text);
    this.#bytes.copyWithin(this.#at, from, to);
    this.#at += to - from;
    this.close(second);
  }

  /** As `attribute`, for a text that comes again: from the table, or from a list. */
  known(field: number, name: string, value: string | undefined): void {
    if (value === undefined) return;
    const fields = (this.#known[field] ??= new Map());
    let values = fields.get(name);
    if (values === undefined) fields.set(name, (values = new Map()));
    const found = values.get(value);
    if (found !== undefined) return this.raw(found);
    const from = this.#at;
    this.attribute(field, [name, value]);
    if (values.size >= MAX_REMEMBERED) values.clear();
    values.set(value, this.since(from));
  }

  #int64(field: number, value: number): void {
    if (value >= 0) return this.uint(field, value);
    this.#room(20);
    this.#varint(field << 3);
    // Two's complement in ten bytes.
    for (let rest = BigInt.asUintN(64, BigInt(value)), index = 0; index < 10; index++, rest >>= 7n) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | (index < 9 ? 0x80 : 0);
    }
  }

  #copy(raw: Buffer): void {
    this.#bytes.set(raw, this.#at);
    this.#at += raw.length;
  }

  #uint32(value: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.#at = at + 4;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
