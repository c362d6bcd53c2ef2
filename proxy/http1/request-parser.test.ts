import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseByNode, parseRequests, type Seen, type SeenRequest } from "./requests.test-support.ts";

const parse = (text: string): Seen => parseRequests([Buffer.from(text, "latin1")]);
const POST = "POST /a HTTP/1.1\r\nHost: x\r\n";
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;

describe("a request", () => {
  test.each([
    ["without a body", "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n", ""],
    ["of no field", "GET /a HTTP/1.0\r\n\r\n", ""],
    ["with a length", `${POST}Content-Length: 5\r\n\r\nhello`, "hello"],
    ["with a length of many digits", `${POST}Content-Length: 000000000000005\r\n\r\nhello`, "hello"],
    ["in chunks", `${CHUNKED}3\r\nhel\r\n02\r\nlo\r\n0\r\n\r\n`, "hello"],
    ["in chunks, named in capitals", `${CHUNKED.replace("chunked", "Chunked")}5\r\nhello\r\n0\r\n\r\n`, "hello"],
    [
      "in chunks with extensions and trailers, which are dropped",
      `${CHUNKED}5;a=b;c="d\\"";e\r\nhello\r\n0;x\r\nA: b\r\nC:\r\n\r\n`,
      "hello",
    ],
    ["behind one empty line", `\r\n${POST}Content-Length: 1\r\n\r\nx`, "x"],
  ])("%s", (_, text, body) => {
    const octets = Buffer.from(text, "latin1");
    for (const pieces of [[octets], [...octets].map((octet) => Buffer.from([octet]))]) {
      const { requests, fault } = parseRequests(pieces);
      expect(fault).toBeUndefined();
      expect(requests).toMatchObject([{ body, complete: true }]);
    }
  });

  test("has its fields as they came, and by name", () => {
    const { requests } = parse(
      "GET /~!$&'()*+,;=:@%zz HTTP/1.1\r\n\r\n" +
        "POST / HTTP/1.1\r\nX:  a \t\r\nx: b\r\nHost: one\r\nHOST: two\r\n__proto__: c\r\nA2A-Version:\r\n\r\n",
    );
    expect(requests.map(({ method, target }) => [method, target])).toEqual([
      ["GET", "/~!$&'()*+,;=:@%zz"],
      ["POST", "/"],
    ]);
    expect(requests[1]?.fields.join("|")).toBe("x|a|x|b|host|one|host|two|__proto__|c|a2a-version|");
    expect(requests[1]?.named).toMatchObject([
      "one",
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      "",
      "a, b",
    ]);
  });

  test.each([
    ["HTTP/1.1", "", false],
    ["HTTP/1.1", "Connection: keep-alive, Close\r\n", true],
    ["HTTP/1.0", "", true],
    ["HTTP/1.0", "Connection: keep-alive\r\n", false],
    ["HTTP/1.0", "Connection: keep-alive\r\nConnection: close\r\n", true],
  ])("of %s with %j: the last one is %s", (version, field, last) => {
    expect(parse(`GET / ${version}\r\n${field}\r\n`).requests).toMatchObject([{ last }]);
  });

  test("stops at its end, whatever comes behind", () => {
    const { requests, fault } = parse(`${POST}Content-Length: 2\r\n\r\nabGET /b HTTP/1.1\r\n\r\n?`);
    expect(requests).toMatchObject([{ body: "ab" }, { target: "/b", complete: true }]);
    expect(fault).toBe("malformed");
  });
});

describe("what is no request", () => {
  const GET = "GET / HTTP/1.1\r\n";
  test.each([
    ["garbage", "\u0016\u0003\u0001"],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["HTTP/0.9", "GET /\r\n\r\n"],
    ["a version of its own", "GET / HTTP/1.2\r\n\r\n"],
    ["another version", "GET / HTTP/2.0\r\n\r\n"],
    ["a version of one digit", "GET / HTTP/1\r\n\r\n"],
    ["a version in lower case", "GET / http/1.1\r\n\r\n"],
    ["two empty lines first", `\r\n\r\n${GET}\r\n`],
    ["a blank first", ` ${GET}\r\n`],
    ["an unknown method", "BREW / HTTP/1.1\r\n\r\n"],
    ["a method in lower case", "get / HTTP/1.1\r\n\r\n"],
    ["two blanks behind the method", "GET  / HTTP/1.1\r\n\r\n"],
    ["a tab behind the method", "GET\t/ HTTP/1.1\r\n\r\n"],
    ["a blank in the target", "GET /a b HTTP/1.1\r\n\r\n"],
    ["two blanks before the version", "GET /  HTTP/1.1\r\n\r\n"],
    ["a blank behind the version", "GET / HTTP/1.1 \r\n\r\n"],
    ["no target", "GET HTTP/1.1\r\n\r\n"],
    ["a target that is no path", "GET a HTTP/1.1\r\n\r\n"],
    ["a target of another octet", "GET /\x80 HTTP/1.1\r\n\r\n"],
    ["a NUL in the target", "GET /\0 HTTP/1.1\r\n\r\n"],
    ["a target of a scheme alone", "GET http:// HTTP/1.1\r\n\r\n"],
    ["CONNECT to a path", "CONNECT /a HTTP/1.1\r\n\r\n"],
    ["lines that end in LF alone", "GET / HTTP/1.1\nHost: x\n\n"],
    ["one line that ends in LF alone", `${GET}A: b\nHost: x\r\n\r\n`],
    ["a request line that ends in CR alone", "GET / HTTP/1.1\rHost: x\r\n\r\n"],
    ["a CR inside of a line", `${GET}A: b\rc\r\n\r\n`],
    ["a NUL in a value", `${GET}A: b\0\r\n\r\n`],
    ["a DEL in a value", `${GET}A: b\x7f\r\n\r\n`],
    ["a folded field", `${GET}A: b\r\n c\r\n\r\n`],
    ["a blank before the colon", `${GET}Host : x\r\n\r\n`],
    ["a tab before the colon", `${GET}Host\t: x\r\n\r\n`],
    ["a field without a name", `${GET}: b\r\n\r\n`],
    ["a field without a colon", `${GET}Ab\r\n\r\n`],
    ["a field that begins with a blank", `${GET} A: b\r\n\r\n`],
    ["a name that is no token", `${GET}A(: b\r\n\r\n`],
    ["two lengths", `${POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ["the same length twice", `${POST}Content-Length: 1\r\ncontent-length: 1\r\n\r\na`],
    ["a list of lengths", `${POST}Content-Length: 5, 5\r\n\r\nhello`],
    ["a signed length", `${POST}Content-Length: +5\r\n\r\nhello`],
    ["a negative length", `${POST}Content-Length: -5\r\n\r\nhello`],
    ["a length in hexadecimal digits", `${POST}Content-Length: 0x5\r\n\r\nhello`],
    ["a length with a blank", `${POST}Content-Length: 1 1\r\n\r\nhello`],
    ["an empty length", `${POST}Content-Length:\r\n\r\na`],
    ["a length beyond all numbers", `${POST}Content-Length: 1${"0".repeat(16)}\r\n\r\na`],
    ["length and chunks", `${POST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`],
    ["chunks and length", `${POST}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG`],
    ["another coding", `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ["another coding behind chunks", `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
    ["identity", `${POST}Transfer-Encoding: identity\r\n\r\n`],
    ["no coding", `${POST}Transfer-Encoding:\r\n\r\n`],
    ["chunks with a tab behind", `${POST}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n`],
    ["quoted chunks", `${POST}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`],
    ["chunks with a vertical tab", `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`],
    ["chunked twice", `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["chunked and identity", `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`],
    ["chunks of HTTP/1.0", `${CHUNKED.replace("1.1", "1.0")}0\r\n\r\n`],
    ["a chunk without a size", `${CHUNKED}\r\nhello\r\n`],
    ["a chunk with a signed size", `${CHUNKED}+5\r\nhello\r\n0\r\n\r\n`],
    ["a chunk with 0x", `${CHUNKED}0x5\r\nhello\r\n0\r\n\r\n`],
    ["a size with a blank", `${CHUNKED}5 \r\nhello\r\n0\r\n\r\n`],
    ["a size beyond all numbers", `${CHUNKED}${"f".repeat(14)}\r\nhello`],
    ["a size that wraps", `${CHUNKED}10000000000000005\r\nhello\r\n0\r\n\r\n`],
    ["a chunk longer than its size", `${CHUNKED}4\r\nhello\r\n0\r\n\r\n`],
    ["a chunk that ends in LF alone", `${CHUNKED}5\r\nhello\n0\r\n\r\n`],
    ["a size that ends in LF alone", `${CHUNKED}5\nhello\r\n0\r\n\r\n`],
    ["a size that ends in CR alone", `${CHUNKED}5\rhello\r\n0\r\n\r\n`],
    ["a bare CR in an extension", `${CHUNKED}5;a\rb\r\nhello\r\n0\r\n\r\n`],
    ["a bare LF in an extension", `${CHUNKED}5;a\nb\r\nhello\r\n0\r\n\r\n`],
    ["a bare LF in a quoted extension", `${CHUNKED}5;a="\n"\r\nhello\r\n0\r\n\r\n`],
    ["an extension without a name", `${CHUNKED}5;\r\nhello\r\n0\r\n\r\n`],
    ["an extension without a value", `${CHUNKED}5;a=\r\nhello\r\n0\r\n\r\n`],
    ["an extension that is no token", `${CHUNKED}5;a(\r\nhello\r\n0\r\n\r\n`],
    ["an extension behind a quote", `${CHUNKED}5;a="b"c\r\nhello\r\n0\r\n\r\n`],
    ["an extension without end", `${CHUNKED}5;${"a".repeat(5000)}`],
    ["trailers without end", `${CHUNKED}0\r\n${"A: b\r\n".repeat(3000)}`],
    ["a trailer without a colon", `${CHUNKED}0\r\nAb\r\n\r\n`],
    ["a folded trailer", `${CHUNKED}0\r\nA: b\r\n c\r\n\r\n`],
    ["a bare LF in a trailer", `${CHUNKED}0\r\nA: b\nC: d\r\n\r\n`],
  ])("%s", (_, text) => {
    const octets = Buffer.from(text, "latin1");
    for (const pieces of [[octets], [...octets].map((octet) => Buffer.from([octet]))]) {
      const { requests, fault } = parseRequests(pieces);
      expect(fault).toBe("malformed");
      expect(requests.filter(({ complete }) => complete)).toEqual([]);
    }
  });

  test.each([
    ["a head without end", `${GET}${"A: b\r\n".repeat(3000)}`],
    ["a head that is too large", `${GET}A: ${"b".repeat(17_000)}\r\n\r\n`],
    ["a head that is too large behind an empty line", `\r\n${GET}A: ${"b".repeat(16_362)}\r\n\r\n`],
  ])("%s", (_, text) => {
    const octets = Buffer.from(text, "latin1");
    expect(parseRequests([octets])).toEqual({ requests: [], fault: "too large" });
    expect(parseRequests([...octets].map((octet) => Buffer.from([octet])))).toEqual({
      requests: [],
      fault: "too large",
    });
  });

  test("but a head may be as large as that", () => {
    const octets = Buffer.from(`\r\n${GET}A: ${"b".repeat(16_361)}\r\n\r\n`);
    expect(parseRequests([octets])).toMatchObject({ requests: [{ complete: true }], fault: undefined });
    expect(parseRequests([octets.subarray(0, 9), octets.subarray(9)])).toEqual(parseRequests([octets]));
  });

  test("is refused before the head is whole, where it can never become one", () => {
    for (const text of ["\0", "GET / HTTP/1.1\nHost: x\n", "hello", "ABCDEFGHIJ", "\r\r", "\r\n\r\nG", "G "]) {
      expect(parse(text).fault).toBe("malformed");
    }
    for (const text of ["", "\r", "\r\n", "\r\nGE", "GET ", "OPTIONS", "GET / HTTP/1.1\r"]) {
      expect(parse(text).fault).toBeUndefined();
    }
  });
});

/** Requests as clients and attackers send them, and nearly so. */
const LINES = [
  ["Content-Length: 5", "Content-Length: 0", "content-length: 05", "Content-Length: 5 ", "Content-Length: 5,5"],
  ["Transfer-Encoding: chunked", "Transfer-Encoding: CHUNKED", "Transfer-Encoding: gzip, chunked", "TE: chunked"],
  ["Transfer-Encoding : chunked", "Transfer-Encoding:\tchunked\t", "Transfer-Encoding: xchunked"],
  ["Connection: close", "Connection: keep-alive", "Connection: upgrade", "Upgrade: h2c", "Expect: 100-continue"],
  ["X: y", "X : y", "X:\x80\xff", " folded", "X:", "x: a\tb", "", "Host: a", "Host: b", "Authorization: c"],
];
const BODIES = [
  ["", "hello", "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "5;x=y\r\nhello\r\n00\r\nA: b\r\n\r\n", "5\r\nhell"],
  ['5;a="b"\r\nhello\r\n0\r\n\r\n', "5\r\nhello\r\n0\r\nGET / HTTP/1.1\r\n\r\n", "5;\r\nhello\r\n0\r\n\r\n"],
  ["0\r\n\r\nGET /x HTTP/1.1\r\n\r\n", "-1\r\n", "5\nhello\r\n0\r\n\r\n", "fffffffffffffffff\r\n"],
];
const FRAMED = [
  ["\r\n", "Content-Length: 5\r\n\r\nhello", "content-length: 0\r\n\r\n", "Content-Length: 5 \r\n\r\nhello"],
  ["0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "3\r\nhel\r\n02\r\nlo\r\n00\r\nA: b\r\nC:\r\n\r\n"].map(
    (chunks) => `Transfer-Encoding: chunked\r\n\r\n${chunks}`,
  ),
  ["5;x=y;z\r\nhello\r\n0;z\r\n\r\n", '5;a="b\\"c";d\r\nhello\r\n0\r\n\r\n', "A\r\n0123456789\r\n0\r\n\r\n"].map(
    (chunks) => `Transfer-Encoding:\tChunked\r\n\r\n${chunks}`,
  ),
];
const line = fc.oneof(fc.constantFrom(...LINES.flat()), fc.string({ unit: "binary", maxLength: 8 }));
const odd = fc
  .record({
    method: fc.constantFrom("GET", "POST", "POST", "DELETE", "HEAD", "CONNECT", "PATCH", "BREW", "get"),
    target: fc.oneof(
      fc.constantFrom("/", "/a2a/x?y=z", "*", "http://x/a", "x:80", "/a#b", '/"<>\\^`{|}', "//a", "http://a@b/"),
      fc.string({ unit: "binary-ascii", maxLength: 6 }).map((text) => `/${text}`),
    ),
    version: fc.constantFrom("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1"),
    lines: fc.array(line, { maxLength: 4 }),
    ends: fc.constantFrom("\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r"),
    body: fc.constantFrom(...BODIES.flat()),
    before: fc.constantFrom("", "", "", "\r\n", "\n", " "),
  })
  .map(
    ({ method, target, version, lines, ends, body, before }) =>
      `${before}${[`${method} ${target} ${version}`, ...lines].join(ends)}${ends}${ends}${body}`,
  );
const good = fc
  .record({
    line: fc.constantFrom("GET / HTTP/1.1", "POST /a2a/x?y HTTP/1.1", "DELETE /a HTTP/1.1", "POST /a HTTP/1.0"),
    lines: fc.array(fc.constantFrom("X: y", "Host: a", "X:", "x: \x80\xff", "Expect: 100-continue", "Upgrade: h2c"), {
      maxLength: 3,
    }),
    framed: fc.constantFrom(...FRAMED.flat()),
  })
  .map(({ line, lines, framed }) => `${[line, ...lines].join("\r\n")}\r\n${framed}`);
const octets = fc
  .tuple(
    fc.array(fc.oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: odd }), { minLength: 1, maxLength: 3 }),
    // One octet that is another, somewhere.
    fc.option(fc.tuple(fc.nat(200), fc.constantFrom(0, 9, 10, 11, 13, 32, 34, 43, 44, 48, 58, 59, 127, 128, 255))),
  )
  .map(([requests, change]) => {
    const bytes = Buffer.from(requests.join(""), "latin1");
    if (change !== null && change[0] < bytes.length) bytes[change[0]] = change[1];
    return bytes;
  });

test("any octets cut anywhere are the same requests, and are never an exception", () => {
  fc.assert(
    fc.property(octets, (bytes) => {
      const whole = parseRequests([bytes]);
      for (let at = 0; at <= bytes.length; at++) {
        expect(parseRequests([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
      }
    }),
    { numRuns: 300 },
  );
});

/** Whole requests; of one whose body had no end the head; and no more of them, unless nothing behind them was to be read. */
function comparable(requests: readonly SeenRequest[], { requests: taken, fault }: Seen): unknown[] {
  const isOver = fault !== undefined || taken.at(-1)?.last === true;
  return requests
    .slice(0, isOver ? taken.length : requests.length)
    .map(({ method, target, version, fields, named, body, complete }, index) => {
      const whole = taken[index]?.complete === true;
      return [method, target, version, fields, named, whole && complete, whole ? body : ""];
    });
}

test("what is taken, node:http takes for the same requests", async () => {
  await fc.assert(
    fc.asyncProperty(octets, async (bytes) => {
      const ours = parseRequests([bytes]);
      const theirs = await parseByNode(bytes);
      expect(comparable(ours.requests, ours)).toEqual(comparable(theirs.requests, ours));
    }),
    { numRuns: 3000 },
  );
});
