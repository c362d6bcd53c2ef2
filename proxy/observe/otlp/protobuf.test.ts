import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtobufWriter, attributeKey } from "./protobuf.ts";

/** Fields of a message in turn: number, and what stands there. */
function fieldsOf(bytes: Buffer): readonly (readonly [number, bigint | Buffer])[] {
  const fields: [number, bigint | Buffer][] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    if ((tag & 7) === 0) fields.push([tag >> 3, varint()]);
    else {
      const length = (tag & 7) === 1 ? 8 : (tag & 7) === 5 ? 4 : Number(varint());
      fields.push([tag >> 3, bytes.subarray(at, (at += length))]);
    }
  }
  return fields;
}

const only = (bytes: Buffer): bigint | Buffer => fieldsOf(bytes)[0]?.[1] ?? 0n;
/** Name and value of one KeyValue; the value as field number and content. */
function keyValue(bytes: Buffer): readonly [string, number, bigint | Buffer] {
  const [[, name], [, any]] = fieldsOf(only(bytes) as Buffer) as [[number, Buffer], [number, Buffer]];
  const [[kind, value]] = fieldsOf(any) as [[number, bigint | Buffer]];
  return [name.toString(), kind, value];
}
const written = (write: (writer: ProtobufWriter) => void): Buffer => {
  const writer = new ProtobufWriter();
  write(writer);
  return writer.take();
};

describe("the writer", () => {
  test("writes nanoseconds exactly", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 43), fc.nat(999), (milliseconds, micros) => {
        const bytes = only(written((writer) => writer.time(1, milliseconds))) as Buffer;
        expect(bytes.readBigUInt64LE()).toBe(BigInt(milliseconds) * 1_000_000n);
        const small = milliseconds % 1_000_000;
        const fraction = only(written((writer) => writer.time(1, small + micros / 1000))) as Buffer;
        expect(Number(fraction.readBigUInt64LE()) / 1000).toBeCloseTo(small * 1000 + micros, 1);
      }),
    );
  });

  test("writes hex digits as bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (id) => {
        const digits = Buffer.from(id).toString("hex");
        expect((only(written((writer) => writer.hex(9, digits))) as Buffer).toString("hex")).toBe(digits);
      }),
    );
  });

  test("writes texts of any length and script, with what stands around them", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 300 })), (texts) => {
        const bytes = written((writer) => {
          for (const text of texts) writer.text(3, text);
        });
        expect(fieldsOf(bytes).map(([, text]) => text.toString())).toEqual(
          texts.map((text) => Buffer.from(text).toString()),
        );
      }),
    );
  });

  test("writes numbers behind encoded keys as it writes them else", () => {
    const key = attributeKey(6, "http.response.body.size");
    const numbers = fc.oneof(fc.maxSafeInteger(), fc.nat(2 ** 36), fc.double({ noNaN: true, noDefaultInfinity: true }));
    fc.assert(
      fc.property(numbers, (number) => {
        const quick = keyValue(written((writer) => writer.number(key, number)));
        expect(quick).toEqual(keyValue(written((writer) => writer.attribute(6, [key.name, number]))));
      }),
      { examples: [[0], [-1], [2 ** 35 - 1], [2 ** 35], [2 ** 32], [0.5], [2 ** 53]] },
    );
  });

  test("writes texts behind encoded keys as it writes them else, and none for no value", () => {
    const key = attributeKey(9, "a2a.task.id");
    const text = "täsk-1";
    expect(keyValue(written((writer) => writer.words(key, text)))).toEqual([key.name, 1, Buffer.from(text)]);
    const again = attributeKey(6, "gen_ai.conversation.id");
    const both = written((writer) => writer.words(key, text, again));
    expect(both).toHaveLength(
      written((writer) => writer.words(key, text)).length + written((writer) => writer.words(again, text)).length,
    );
    expect(both.subarray(-written((writer) => writer.words(again, text)).length)).toEqual(
      written((writer) => writer.words(again, text)),
    );
    expect(written((writer) => writer.words(key, undefined))).toHaveLength(0);
    expect(written((writer) => writer.number(key, undefined))).toHaveLength(0);
  });

  test("does not write to memory that it gave away, until it gets it back", () => {
    const writer = new ProtobufWriter();
    writer.text(1, "first");
    const taken = writer.take();
    writer.text(1, "other");
    expect(only(taken).toString()).toBe("first");
    writer.giveBack(taken);
    writer.take();
    writer.text(1, "third");
    expect(only(taken).toString()).toBe("third");
  });
});
