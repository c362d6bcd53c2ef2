import { describe, expect, test } from "vitest";
import { answerHead, createDateLine, framingOf } from "./write-answer.ts";

describe("the head of an answer", () => {
  test("has a reason where the status has one, the fields as given, and the ending; not their Connection", () => {
    expect(answerHead(404, ["A2A-Version", "1.0", "connection", "close", "x", ""], "Connection: close\r\n")).toBe(
      "HTTP/1.1 404 Not Found\r\nA2A-Version: 1.0\r\nx: \r\nConnection: close\r\n\r\n",
    );
    expect(answerHead(599, [], "")).toBe("HTTP/1.1 599 \r\n\r\n");
  });

  test.each([
    ["a line break in a value", ["a", "b\r\nc: d"]],
    ["a bare LF in a value", ["a", "b\nc"]],
    ["a NUL in a value", ["a", "b\0"]],
    ["a letter that is more than an octet", ["a", "\u20ac"]],
    ["a name with a colon", ["a:", "b"]],
    ["a name with a line break", ["a\r\nb", "c"]],
    ["no name", ["", "b"]],
  ])("is not written with %s", (_, fields) => {
    expect(() => answerHead(200, fields, "")).toThrow(TypeError);
  });
});

test.each([
  [["Content-Length", "1"], true, false],
  [["content-length", "1", "Connection", "Close"], true, true],
  [["connection", "keep-alive"], false, false],
  [["content-langth", "1", "connectiom", "close"], false, false],
])("%j: a length %s, the end of the connection %s", (fields, hasLength, closes) => {
  expect(framingOf(fields)).toEqual({ hasLength, closes });
});

test("the date is made once a second", () => {
  let now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  const line = createDateLine(() => now);
  const first = line();
  expect(first).toBe("Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n");
  now += 300;
  expect(line()).toBe(first);
  now += 100;
  expect(line()).toBe("Date: Fri, 02 Jan 2026 03:04:06 GMT\r\n");
  now -= 3_600_000;
  expect(line()).toBe("Date: Fri, 02 Jan 2026 02:04:06 GMT\r\n");
});
