import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnswerParser } from "./answer-parser.ts";
import { parseAnswer, type ParsedAnswer } from "./answers.test-support.ts";

const parse = (text: string, options: Parameters<typeof parseAnswer>[1] = {}): ParsedAnswer =>
  parseAnswer([Buffer.from(text, "latin1")], options);

describe("an answer", () => {
  test.each([
    ["with a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", Infinity],
    ["of no octet", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", Infinity],
    [
      "in chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\n02\r\nlo\r\n0\r\n\r\n",
      "hello",
      Infinity,
    ],
    [
      "in chunks with extensions and trailers, which are dropped",
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b;c="d"\r\nhello\r\n0;x\r\nA: b\r\nC: d\r\n\r\n',
      "hello",
      Infinity,
    ],
    ["without a reason", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", "x", Infinity],
    [
      "after others in between",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nA: b\r\n\r\nHTTP/1.1 204 N\r\n\r\n",
      "",
      Infinity,
    ],
    ["that ends its connection", "HTTP/1.1 200 OK\r\nConnection: a, Close\r\nContent-Length: 1\r\n\r\nx", "x", 0],
    ["of HTTP/1.0", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", "x", 0],
    ["with more behind it", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n", "x", 0],
    ["of no octet with more behind it", "HTTP/1.1 204 N\r\nContent-Length: 7\r\n\r\nx", "", 0],
    ["of no octet that says it has some", "HTTP/1.1 204 N\r\nContent-Length: 7\r\n\r\n", "", 0],
    ["of no octet that says it comes in chunks", "HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n", "", 0],
    ["of no octet that says so", "HTTP/1.1 204 N\r\nContent-Length: 0\r\n\r\n", "", Infinity],
    ["whose agent keeps it for long", "HTTP/1.1 204 N\r\nKeep-Alive: timeout=5, max=9\r\n\r\n", "", 4000],
    ["whose agent keeps it for hardly a moment", "HTTP/1.1 204 N\r\nKeep-Alive: timeout=1\r\n\r\n", "", 0],
  ])("%s", (_, text, body, reuse) => {
    expect(parse(text)).toMatchObject({ body, reuse, fault: undefined });
  });

  test("has its headers with names in lower case, as they came", () => {
    const { status, fields } = parse(
      "HTTP/1.1 404 Not\tFound \xe4\r\nX-One:  a b \t\r\nx-two:\r\nX-ONE: c\r\n__proto__: d\r\nContent-Length: 0\r\n\r\n",
    );
    expect(status).toBe(404);
    expect(fields).toEqual(["x-one", "a b", "x-two", "", "x-one", "c", "__proto__", "d", "content-length", "0"]);
  });

  test("to HEAD, and one of 304, has no body", () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    expect(parse(head, { bodiless: true })).toMatchObject({ body: "", reuse: Infinity });
    expect(parse(head.replace("200", "304"))).toMatchObject({ body: "", reuse: Infinity });
  });

  test("without a length ends with its connection, and only then", () => {
    const text = "HTTP/1.1 200 OK\r\n\r\nhello";
    expect(parse(text)).toMatchObject({ body: "hello", reuse: undefined, fault: undefined });
    expect(parse(text, { close: true })).toMatchObject({ body: "hello", reuse: 0, fault: undefined });
  });

  test.each([
    ["nothing", ""],
    ["half a head", "HTTP/1.1 200 OK\r\nA: b\r\n"],
    ["only what is in between", "HTTP/1.1 100 C\r\n\r\n"],
    ["half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"],
    ["no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"],
    ["half of the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"],
  ])("that stops at %s is broken", (_, text) => {
    expect(parse(text, { close: true })).toMatchObject({ fault: "closed", reuse: undefined });
  });
});

describe("what is no answer", () => {
  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  test.each([
    ["garbage", "\u0016\u0003\u0001"],
    ["another protocol", "SSH-2.0"],
    ["a version of its own", "HTTP/1.2 200 OK\r\n\r\n"],
    ["HTTP/2", "HTTP/2 200\r\n\r\n"],
    ["an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
    ["a status out of range", "HTTP/1.1 600 OK\r\n\r\n"],
    ["two blanks before the status", "HTTP/1.1  200 OK\r\n\r\n"],
    ["a control character in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"],
    ["another protocol that nobody asked for", "HTTP/1.1 101 Switching\r\n\r\n"],
    ["lines that end in LF alone", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"],
    ["one line that ends in LF alone", "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 0\r\n\r\n"],
    ["a CR inside of a line", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n"],
    ["a NUL in a value", "HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n"],
    ["a folded header", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"],
    ["a blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"],
    ["a header without a name", "HTTP/1.1 200 OK\r\n: b\r\n\r\n"],
    ["a header without a colon", "HTTP/1.1 200 OK\r\nAb\r\n\r\n"],
    ["a header that begins with a blank", "HTTP/1.1 200 OK\r\n A: b\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["the same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\na"],
    ["a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na"],
    ["a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na"],
    ["an empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\na"],
    ["a length beyond all numbers", `HTTP/1.1 200 OK\r\nContent-Length: 1${"0".repeat(16)}\r\n\r\na`],
    ["length and chunks", `HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["chunks and length", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n`],
    ["another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
    ["identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n"],
    ["chunked twice", `${chunked.slice(0, -2)}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["chunks of HTTP/1.0", `${chunked.replace("1.1", "1.0")}0\r\n\r\n`],
    ["a chunk without a size", `${chunked}\r\nhello\r\n`],
    ["a chunk with a signed size", `${chunked}+5\r\nhello\r\n0\r\n\r\n`],
    ["a chunk with 0x", `${chunked}0x5\r\nhello\r\n0\r\n\r\n`],
    ["a size with a blank", `${chunked}5 \r\nhello\r\n0\r\n\r\n`],
    ["a size beyond all numbers", `${chunked}${"f".repeat(14)}\r\nhello`],
    ["a chunk longer than its size", `${chunked}4\r\nhello\r\n0\r\n\r\n`],
    ["a chunk that ends in LF alone", `${chunked}5\r\nhello\n0\r\n\r\n`],
    ["a size that ends in LF alone", `${chunked}5\nhello\r\n0\r\n\r\n`],
    ["a bare CR in an extension", `${chunked}5;a\rb\r\nhello\r\n0\r\n\r\n`],
    ["a bare LF in an extension", `${chunked}5;a\nb\r\nhello\r\n0\r\n\r\n`],
    ["an extension without end", `${chunked}5;${"a".repeat(5000)}`],
    ["trailers without end", `${chunked}0\r\n${"A: b\r\n".repeat(3000)}`],
    ["a bare LF in a trailer", `${chunked}0\r\nA: b\nC: d\r\n\r\n`],
    ["a head without end", `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(6000)}`],
    ["a head that is too large", `HTTP/1.1 200 OK\r\nA: ${"b".repeat(33_000)}\r\n\r\n`],
  ])("%s", (_, text) => {
    const octets = Buffer.from(text, "latin1");
    expect(parseAnswer([octets])).toMatchObject({ fault: "malformed", reuse: undefined });
    expect(parseAnswer([...octets].map((octet) => Buffer.from([octet])))).toMatchObject({
      fault: "malformed",
      reuse: undefined,
    });
  });

  test("what comes while nobody asked", () => {
    const parser = new AnswerParser({ head: () => true, data: () => true, end: () => {} });
    expect(parser.push(Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), 19)).toBe("unexpected");
    parser.begin(false);
    parser.push(Buffer.from("HTTP/1.1 204 N\r\n\r\n"), 18);
    expect(parser.push(Buffer.from("x"), 1)).toBe("unexpected");
  });
});

test("chunks that are read at once are one piece, however many they are", () => {
  const pieces: string[] = [];
  const parser = new AnswerParser({
    head: () => true,
    data: (bytes, from, to) => pieces.push(bytes.toString("latin1", from, to)) > 0,
    end: () => void pieces.push("end"),
  });
  const push = (text: string) => parser.push(Buffer.from(text, "latin1"), text.length);
  parser.begin(false);
  push("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n10\r\nd");
  push(`${"e".repeat(15)}\r\n${"1\r\nf\r\n".repeat(1000)}`);
  push("0\r\n\r\n");
  expect(pieces).toEqual(["abcd", "e".repeat(15) + "f".repeat(1000), "end"]);
});

test("nothing more is heard once the sink wants no more, by its answer or by stop", () => {
  for (const body of [
    "Content-Length: 9\r\n\r\n123456789",
    "Transfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n5\r\n56789\r\n0\r\n\r\n",
    "\r\n123456789",
  ]) {
    for (const limit of [0, 1]) {
      let heard = 0;
      const text = Buffer.from(`HTTP/1.1 200 OK\r\n${body}`);
      const count = (): boolean => ++heard <= limit;
      const parser = new AnswerParser({ head: count, data: count, end: () => void heard++ });
      parser.begin(false);
      for (const octet of text) expect(parser.push(Buffer.from([octet]), 1)).toBeUndefined();
      expect(parser.finish()).toBeUndefined();
      expect(heard).toBe(limit + 1);
    }
  }
});

/** Heads and bodies as agents send them, and nearly so. */
const line = fc.oneof(
  fc.constantFrom(
    "Content-Length: 5",
    "Content-Length: 0",
    "Transfer-Encoding: chunked",
    "Connection: close",
    "Keep-Alive: timeout=5",
    "X: y",
    "X : y",
    " folded",
    "",
  ),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const answers = fc
  .record({
    status: fc.constantFrom("HTTP/1.1 200 OK", "HTTP/1.1 100 C", "HTTP/1.0 200 OK", "HTTP/1.1 304 N", "HTTP/1.1 99"),
    lines: fc.array(line, { maxLength: 4 }),
    ends: fc.constantFrom("\r\n", "\r\n", "\r\n", "\n"),
    body: fc.constantFrom(
      "hello",
      "5\r\nhello\r\n0\r\n\r\n",
      "5;x\r\nhello\r\n0\r\nA: b\r\n\r\n",
      "0\r\n\r\n",
      "5\r\nhell",
      "",
      "HTTP/1.1 200 OK\r\n\r\n",
    ),
  })
  .map(({ status, lines, ends, body }) =>
    Buffer.from(`${[status, ...lines].join(ends)}${ends}${ends}${body}`, "latin1"),
  );

describe("any octets", () => {
  /** What comes behind an answer takes the connection, be it seen with the answer's end or a moment later. */
  const comparable = ({ fault, reuse, ...rest }: ParsedAnswer) =>
    fault === "unexpected" ? { ...rest, reuse: 0, fault: undefined } : { ...rest, reuse, fault };

  test("cut anywhere are the same answer, and are never an exception", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          answers,
          fc.uint8Array({ maxLength: 64 }).map((octets) => Buffer.from(octets)),
        ),
        fc.boolean(),
        fc.boolean(),
        (octets, bodiless, close) => {
          const options = { bodiless, close };
          const whole = parseAnswer([octets], options);
          for (let at = 0; at <= octets.length; at++) {
            const cut = parseAnswer([octets.subarray(0, at), octets.subarray(at)], options);
            expect(comparable(cut)).toEqual(comparable(whole));
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
