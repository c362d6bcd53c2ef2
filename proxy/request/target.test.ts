import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTarget } from "./target.ts";

const at = (rest: string, query = "") => ({ ok: true, publicName: "travel", rest, query });
const invalid = { ok: false, reason: "InvalidPath" };
const notFound = { ok: false, reason: "PathNotFound" };

describe("the short path", () => {
  test.each([
    ["/a2a/travel", at("")],
    ["/a2a/travel/", at("/")],
    ["/a2a/travel?", at("")],
    ["/a2a/travel/?a=1&b=%2F..", at("/", "a=1&b=%2F..")],
    ["/a2a/travel?x?y/../z", at("", "x?y/../z")],
    ["/a2a/travel/.well-known/agent-card.json", at("/.well-known/agent-card.json")],
    ["/a2a/travel/message:send", at("/message:send")],
    ["/a2a/travel/tasks/T%3Acancel", at("/tasks/T%3Acancel")],
    ["/a2a/travel/tasks/a%2Fb", at("/tasks/a%2Fb")],
    ["/a2a/travel//", at("//")],
  ])("%s", (target, expected) => {
    expect(parseTarget(target)).toEqual(expected);
  });
});

describe("the long path", () => {
  test.each([
    ["/ns/agents/a2a/travel", { ok: true, namespace: "agents", name: "travel", rest: "", query: "" }],
    [
      "/ns/agents/a2a/travel/tasks?pageSize=2",
      { ok: true, namespace: "agents", name: "travel", rest: "/tasks", query: "pageSize=2" },
    ],
    ["/ns/a2a/a2a/a2a/a2a", { ok: true, namespace: "a2a", name: "a2a", rest: "/a2a", query: "" }],
    ["/ns/agents/a2a", notFound],
    ["/ns/agents/a2a/", notFound],
    ["/ns//a2a/travel", notFound],
    ["/ns/agents/b2b/travel", notFound],
    ["/ns/agents", notFound],
    ["/ns/", notFound],
    ["/ns/agents%2Fa2a%2Ftravel", invalid],
    ["/ns/agents/a2a/tr%61vel", invalid],
  ])("%s", (target, expected) => {
    expect(parseTarget(target)).toEqual(expected);
  });
});

describe("the path that LiteLLM's users know", () => {
  test.each([
    ["/v1/a2a/travel/message/send", at("/message/send")],
    ["/v1/a2a/travel/message/send/?x", at("/message/send/", "x")],
    ["/v1/a2a/travel", notFound],
    ["/v1/a2a/travel/message/stream", notFound],
    ["/v1/a2a/travel/tasks", notFound],
    ["/v1/a2a//message/send", notFound],
  ])("%s", (target, expected) => {
    expect(parseTarget(target)).toEqual(expected);
  });
});

describe("nothing is here", () => {
  test.each([
    "/",
    "/a2a",
    "/a2a/",
    "/a2a//x",
    "/a2a/?x",
    "/A2A/travel",
    "/metrics",
    "/.well-known/agent-card.json",
    "/a2aa/travel",
  ])("%s", (target) => {
    expect(parseTarget(target)).toEqual(notFound);
  });
});

describe("what could be read in more than one way is refused", () => {
  test.each([
    "",
    "*",
    "a2a/travel",
    "http://gateway/a2a/travel",
    "gateway:443",
    "/a2a/../admin",
    "/a2a/./travel",
    "/a2a/travel/..",
    "/a2a/travel/../other",
    "/a2a/travel/%2e%2E/other",
    "/a2a/travel/.%2e",
    "/a2a/%2e%2e",
    "/x/..;/a2a%2ftravel",
    "/a2a%2ftravel",
    "/a2a/travel%2ftasks",
    "/a2a/travel%00",
    "/a2a/tr%61vel",
    "/a2a/travel#x",
    "/a2a/travel?x#y",
    "/a2a\\travel",
    "/a2a/tra vel",
    "/a2a/travel\u0000",
    "/a2a/travel\r\nHost: x",
    "/a2a/träger",
    "/a2a/travel\u007f",
  ])("%j", (target) => {
    expect(parseTarget(target)).toEqual(invalid);
  });
});

describe("of all targets", () => {
  const segment = fc.stringMatching(/^[a-z0-9.-]{1,20}$/).filter((text) => !/^\.{1,2}$/.test(text));
  const rest = fc.array(segment, { maxLength: 4 }).map((segments) => segments.map((each) => `/${each}`).join(""));
  const query = fc.stringMatching(/^[a-z0-9=&%?/.]{0,20}$/);

  test("what was put together comes apart again", () => {
    fc.assert(
      fc.property(segment, segment, rest, query, (namespace, name, rest, query) => {
        const tail = query === "" ? "" : `?${query}`;
        expect(parseTarget(`/a2a/${name}${rest}${tail}`)).toEqual({ ok: true, publicName: name, rest, query });
        expect(parseTarget(`/ns/${namespace}/a2a/${name}${rest}${tail}`)).toEqual({
          ok: true,
          namespace,
          name,
          rest,
          query,
        });
      }),
    );
  });

  test("what is let in reads the same to a parser that resolves paths", () => {
    const pieces = fc.constantFrom(
      "/",
      "a2a",
      "ns",
      "..",
      ".",
      "%2e",
      "%2F",
      "%5c",
      "\\",
      "travel",
      "?",
      "#",
      "//",
      "@",
      ":",
      " ",
      "x",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const target = `/a2a/${parts.join("")}`;
        const parsed = parseTarget(target);
        if (!parsed.ok) return;
        const url = new URL(`http://gateway${target}`);
        expect(url.pathname).toBe(`/a2a/${parsed.publicName}${parsed.rest}`);
        expect(url.search.slice(1)).toBe(parsed.query);
        expect(url.hash).toBe("");
      }),
      { numRuns: 2000 },
    );
  });

  test("none throws, and every one that is let in is visible ASCII", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.webPath(), fc.webUrl()), (target) => {
        expect(!parseTarget(target).ok || /^\/[!-~]*$/.test(target)).toBe(true);
      }),
    );
  });
});
