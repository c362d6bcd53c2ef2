import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  connectionNamed,
  isEventStream,
  isReadable,
  requestedVersion,
  requestHeaders,
  responseHeaders,
} from "./headers.ts";

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
const to = { version: undefined, traceparent, tracestate: false };

describe("towards the agent", () => {
  test("what is not on the list stays behind, whatever its name", () => {
    const listed = new Set([
      "content-type",
      "accept",
      "accept-language",
      "a2a-extensions",
      "x-a2a-extensions",
      "user-agent",
    ]);
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z0-9-]{1,20}$/), fc.string()), (headers) => {
        const built = requestHeaders({ ...headers, connection: undefined }, to);
        const names = built.filter((_, index) => index % 2 === 0);
        const known = Object.keys(headers).filter((name) => listed.has(name));
        expect(names.toSorted()).toEqual(["accept-encoding", "traceparent", ...known].toSorted());
      }),
    );
  });

  test("the version, the trace and no coding are said; tracestate only with a trace that goes on", () => {
    expect(requestHeaders({ tracestate: "a=1", "accept-encoding": "gzip" }, { ...to, version: "1.0" })).toEqual([
      "accept-encoding",
      "identity",
      "traceparent",
      traceparent,
      "a2a-version",
      "1.0",
    ]);
    expect(requestHeaders({ tracestate: "a=1" }, { ...to, tracestate: true }).slice(4)).toEqual(["tracestate", "a=1"]);
  });

  test("what Connection names goes first, and what the gateway sets is not the client's", () => {
    const headers = { accept: "a", "accept-language": "b", "user-agent": "c", connection: "Accept , close" };
    const built = requestHeaders(headers, { ...to, without: new Set(["user-agent"]) });
    expect(built.slice(4)).toEqual(["accept-language", "b"]);
  });
});

/** What passes of an answer with these headers. */
function answered(headers: Readonly<Record<string, string | readonly string[]>>, without?: string): string[] {
  const fields = Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((each) => [name, each]));
  return responseHeaders({ fields, connection: headers["connection"]?.toString() }, without);
}

describe("towards the client", () => {
  test("A2A's own and what describes the body pass; cookies, redirects and the agent's challenges do not", () => {
    expect(
      answered({
        "content-type": "application/json",
        "content-length": "10",
        "set-cookie": ["a=b"],
        location: "http://x/",
        "www-authenticate": "Basic",
        etag: '"x"',
        server: "x",
        "retry-after": "5",
        "a2a-extensions": "urn:x",
        "a2a-anything": "y",
        "transfer-encoding": "chunked",
        connection: "A2A-Anything",
      }),
    ).toEqual(["content-type", "application/json", "retry-after", "5", "a2a-extensions", "urn:x"]);
  });
});

test("Connection names headers, in any case and with blanks", () => {
  expect(connectionNamed(undefined).size).toBe(0);
  expect(connectionNamed("keep-alive").size).toBe(0);
  expect([...connectionNamed(["keep-alive", "X-One"])]).toEqual(["keep-alive", "x-one"]);
  expect([...connectionNamed("Keep-Alive, X-One ,x-two")]).toEqual(["keep-alive", "x-one", "x-two"]);
});

describe("the version", () => {
  test.each([
    [{ "a2a-version": " 1.0 " }, "", "1.0"],
    [{ "a2a-version": "1.0" }, "A2A-Version=0.3", "1.0"],
    [{}, "a=b&A2A-Version=1.0", "1.0"],
    [{}, "a2a-version=0.3", "0.3"],
    [{}, "", undefined],
    [{}, "version=1.0", undefined],
  ])("of %o and %s is %s", (headers, query, version) => {
    expect(requestedVersion(headers, query)).toEqual({ ok: true, version });
  });

  test.each(["A2A-Version=1.0%0d%0aX:1", "A2A-Version=", "A2A-Version=1.0%00", `A2A-Version=${"1".repeat(17)}`])(
    "%s is none",
    (query) => {
      expect(requestedVersion({}, query)).toEqual({ ok: false });
    },
  );
});

describe("media types", () => {
  test.each([
    "application/json",
    "application/a2a+json",
    "Application/JSON ; charset=UTF-8",
    'application/json;charset="utf-8"',
    "application/json; profile=x",
  ])("%s is read", (type) => {
    expect(isReadable({ "content-type": type })).toBe(true);
  });

  test.each([
    undefined,
    "",
    "text/plain",
    "text/json",
    "application/json5",
    "application/jsonx; a=b",
    "application/json; charset=utf-7",
    "application/json; charset=utf-16",
    "application/json; charset = latin1",
    "application/json, text/plain",
    "application/json; a=b, text/plain",
    "multipart/form-data; boundary=application/json",
  ])("%s is not", (type) => {
    expect(isReadable({ "content-type": type })).toBe(false);
  });

  test("a coding is not", () => {
    expect(isReadable({ "content-type": "application/json", "content-encoding": "gzip" })).toBe(false);
    expect(isReadable({ "content-type": "application/json", "content-encoding": "Identity" })).toBe(true);
  });

  test("events are told from everything else", () => {
    expect(isEventStream("text/event-stream")).toBe(true);
    expect(isEventStream("Text/Event-Stream; charset=utf-8")).toBe(true);
    expect(isEventStream("text/event-streams")).toBe(false);
    expect(isEventStream("application/json")).toBe(false);
    expect(isEventStream(undefined)).toBe(false);
  });
});

test.each([
  "application/json; charset*=us-ascii''utf-7",
  "application/json; charset*0=utf-;charset*1=7",
  'application/json; "charset"=utf-7',
  "application/json; (c)charset=utf-7",
  "application/json; charset",
])("a charset said in a way that only some read is none: %s", (type) => {
  expect(isReadable({ "content-type": type })).toBe(false);
});

test("a client cannot take off what its request was judged by", () => {
  const headers = {
    connection: "content-type, a2a-version, accept",
    "content-type": "application/json",
    accept: "*/*",
  };
  const sent = requestHeaders(headers, { version: "1.0", traceparent: "t", tracestate: false });
  expect(sent).toEqual(expect.arrayContaining(["content-type", "application/json", "a2a-version", "1.0"]));
  expect(sent).not.toContain("accept");
});

test.each([
  ["public, max-age=60", "private"],
  ["s-maxage=60", "private"],
  ["must-revalidate", "private"],
  ["no-store", "no-store"],
  ["private, max-age=60", "private, max-age=60"],
])("an answer to a key is for no shared cache: %s", (said, told) => {
  expect(answered({ "cache-control": said })).toEqual(["cache-control", told]);
  expect(answered({ "cache-control": said, "retry-after": "1" }, "cache-control")).toEqual(["retry-after", "1"]);
});
