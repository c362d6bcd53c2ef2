// Protocol Buffers, as much as OTLP needs. In: fields in turn. Out: the bytes of one message.
// By hand, since a finished request must not cost its share of an object model: names and values that come again are copied as bytes.

const START = 64 * 1024;
/** Lengths of messages that are not known beforehand take four bytes, whatever they are: varints may be padded. */
const LENGTH_BYTES = 4;
const MAX_REMEMBERED = 4096;

export type Attribute = readonly [name: string, value: string | number | boolean | undefined];

export class ProtobufWriter {
  #bytes = Buffer.allocUnsafe(START);
  #at = 0;
  /** Encoded attributes with text values: by field, then by name, then by value. */
  readonly #known: Map<string, Map<string, Buffer>>[] = [];

  get length(): number {
    return this.#at;
  }

  /** What was written since the last time; the writer is empty then. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return taken;
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
    let length = this.#at - at - LENGTH_BYTES;
    for (let index = 0; index < LENGTH_BYTES - 1; index++) {
      this.#bytes[at + index] = (length & 0x7f) | 0x80;
      length >>>= 7;
    }
    this.#bytes[at + LENGTH_BYTES - 1] = length;
  }

  text(field: number, value: string): void {
    // Each UTF-16 unit takes three bytes at most.
    this.#room(value.length * 3 + 16);
    this.#varint((field << 3) | 2);
    if (value.length * 3 < 128) {
      const length = this.#bytes.write(value, this.#at + 1, "utf8");
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

  /** Raw bytes of a whole field. */
  raw(bytes: Buffer): void {
    this.#room(bytes.length);
    bytes.copy(this.#bytes, this.#at);
    this.#at += bytes.length;
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
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
  }

  /** Nanoseconds since the epoch, from milliseconds. */
  time(field: number, milliseconds: number): void {
    const whole = Math.floor(milliseconds);
    this.fixed64(field, BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1e6)));
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
    values.set(value, Buffer.from(this.#bytes.subarray(from, this.#at)));
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
