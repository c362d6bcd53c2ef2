// Cards of both shapes, and what is no card.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mergeCards, parseCard, plainText } from "./parse-card.ts";
import type { ParsedCard } from "./parse-card.ts";

const FROM = "http://10.0.0.1:8080/.well-known/agent-card.json";
const bytes = (card: unknown): Uint8Array => Buffer.from(JSON.stringify(card));
const parse = (card: unknown) => parseCard(bytes(card), FROM);
const interfacesOf = (card: unknown) => {
  const parsed = parse(card);
  return parsed.ok
    ? parsed.card.interfaces.map(({ binding, version, path }) => `${binding} ${version} ${path}`)
    : parsed;
};

describe("1.0", () => {
  test("interfaces in the card's order, hosts left out", () => {
    const card = {
      name: "Travel",
      version: "1.2.3",
      supportedInterfaces: [
        { url: "https://public.example.com/rest/", protocolBinding: "HTTP+JSON", protocolVersion: "1.0" },
        { url: "http://elsewhere:9/rpc", protocolBinding: "JSONRPC", protocolVersion: "1.0.1" },
        { url: "http://elsewhere:9/rpc03", protocolBinding: "JSONRPC", protocolVersion: "0.3" },
        { url: "grpc.example.com:443", protocolBinding: "GRPC", protocolVersion: "1.0" },
      ],
      signatures: [{ protected: "x", signature: "y" }],
    };
    expect(interfacesOf(card)).toEqual(["HTTP+JSON 1.0 /rest", "JSONRPC 1.0 /rpc", "JSONRPC 0.3 /rpc03"]);
    expect(parse(card)).toMatchObject({ ok: true, card: { name: "Travel", version: "1.2.3", signed: true } });
  });

  test("a version that is not said is 1.0; names in snake case are read too", () => {
    const one = { url: "http://a/", protocol_binding: "JSONRPC" };
    expect(interfacesOf({ supportedInterfaces: [one] })).toEqual(["JSONRPC 1.0 /"]);
  });

  test("of each binding and version the first counts", () => {
    const at = (path: string) => ({ url: `http://a${path}`, protocolBinding: "JSONRPC", protocolVersion: "1.0" });
    expect(interfacesOf({ supportedInterfaces: [at("/first"), at("/second")] })).toEqual(["JSONRPC 1.0 /first"]);
  });
});

describe("0.3", () => {
  test.each([
    ["0.3.0", undefined, ["JSONRPC 0.3 /a2a"]],
    ["0.2.5", "JSONRPC", ["JSONRPC 0.3 /a2a"]],
    ["0.3.0", "HTTP+JSON", ["HTTP+JSON 0.3 /a2a"]],
    [undefined, "", ["JSONRPC 0.3 /a2a"]],
  ])("protocolVersion %s, preferredTransport %s", (protocolVersion, preferredTransport, interfaces) => {
    expect(interfacesOf({ url: "http://a/a2a", protocolVersion, preferredTransport })).toEqual(interfaces);
  });

  test("additional interfaces come after the preferred one", () => {
    const card = {
      url: "http://a/grpc",
      preferredTransport: "GRPC",
      additionalInterfaces: [
        { url: "http://a/rest", transport: "HTTP+JSON" },
        { url: "http://a/rpc", transport: "JSONRPC" },
      ],
    };
    expect(interfacesOf(card)).toEqual(["HTTP+JSON 0.3 /rest", "JSONRPC 0.3 /rpc"]);
  });
});

test("a card of both shapes has the interfaces of both", () => {
  const card = {
    url: "http://a/old",
    protocolVersion: "0.3.0",
    supportedInterfaces: [{ url: "http://a/new", protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
  };
  expect(interfacesOf(card)).toEqual(["JSONRPC 1.0 /new", "JSONRPC 0.3 /old"]);
});

describe("URLs in cards", () => {
  test.each([
    ["/a2a", "/a2a"],
    ["a2a", "/.well-known/a2a"],
    ["http://a", "/"],
    ["http://a//", "/"],
    ["http://a/x/../y?query#hash", "/y"],
    ["https://a/ä b", "/%C3%A4%20b"],
  ])("%s gives %s", (url, path) => {
    expect(interfacesOf({ url })).toEqual([`JSONRPC 0.3 ${path}`]);
  });

  test.each(["ftp://a/", "http://", "javascript:alert(1)", `http://a/${"x".repeat(3000)}`, 7, null])(
    "%s gives none",
    (url) => {
      expect(parse({ url })).toMatchObject({ ok: false });
    },
  );
});

describe("what is no card", () => {
  test.each<[string, Uint8Array, string]>([
    ["nothing", Buffer.from(""), "JSON object"],
    ["HTML", Buffer.from("<html></html>"), "JSON object"],
    ["a list", bytes([]), "JSON object"],
    ["null", bytes(null), "JSON object"],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "JSON object"],
    ["deep beyond reason", Buffer.from("[".repeat(500_000)), "JSON object"],
    ["no interfaces", bytes({ name: "x" }), "names no interface"],
    ["only gRPC", bytes({ url: "http://a", preferredTransport: "GRPC" }), "names no interface"],
    ["interfaces of another kind", bytes({ supportedInterfaces: "none" }), "names no interface"],
    ["broken interfaces", bytes({ supportedInterfaces: [null, 1, [], { protocolBinding: {} }] }), "names no interface"],
  ])("%s", (_, card, why) => {
    expect(parseCard(card, FROM)).toEqual({ ok: false, why: expect.stringContaining(why) });
  });

  test("whatever an agent sends is judged, never thrown, and stays within the bounds of a status", () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const card = fc.record(
      {
        name: fc.oneof(value, fc.string({ unit: "binary", maxLength: 600, size: "max" })),
        version: value,
        url: fc.oneof(value, fc.webUrl()),
        preferredTransport: fc.oneof(value, fc.constantFrom("JSONRPC", "HTTP+JSON")),
        additionalInterfaces: value,
        supportedInterfaces: fc.array(
          fc.oneof(
            value,
            fc.record({ url: fc.webUrl(), protocolBinding: fc.constant("JSONRPC"), protocolVersion: fc.string() }),
          ),
          { maxLength: 40 },
        ),
        signatures: value,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(card, (one) => {
        const parsed = parse(one);
        const { interfaces, name = "" } = parsed.ok ? parsed.card : { interfaces: [] };
        expect(interfaces.length).toBeLessThanOrEqual(16);
        expect(interfaces.every(({ path }) => path.startsWith("/") && path.length <= 2048)).toBe(true);
        expect(interfaces.every(({ version }) => /^\d{1,4}\.\d{1,4}$/.test(version))).toBe(true);
        expect(name.length).toBeLessThanOrEqual(256);
        expect(name.isWellFormed() && !/\p{Cc}/u.test(name)).toBe(true);
      }),
    );
  });
});

test.each([
  ["plain", "plain"],
  ["  \u0007bell\r\nand\u2028line ", "bell and line"],
  ["right\u202Eto left", "right to left"],
  ["\uD800", "\uFFFD"],
  ["x".repeat(1000), "x".repeat(256)],
  ["\n", undefined],
  ["", undefined],
  [7, undefined],
])("%j as plain text", (value, text) => {
  expect(plainText(value)).toBe(text);
});

test("cards put together: interfaces of both, names of the first that has one", () => {
  const first: ParsedCard = {
    interfaces: [{ binding: "JSONRPC", version: "1.0", path: "/" }],
    name: "A",
    signed: false,
  };
  const second: ParsedCard = {
    interfaces: [
      { binding: "JSONRPC", version: "1.0", path: "/other" },
      { binding: "JSONRPC", version: "0.3", path: "/" },
    ],
    name: "B",
    version: "2",
    signed: true,
  };
  expect(mergeCards(first, second)).toEqual({
    interfaces: [first.interfaces[0], second.interfaces[1]],
    name: "A",
    version: "2",
    signed: true,
  });
});

describe("what an agent may send to hold the reader up", () => {
  test("a URL of a million slashes, and one that is short enough but all slashes", () => {
    const of = (slashes: number): unknown => interfacesOf({ url: `http://x/${"/".repeat(slashes)}x` });
    expect(of(1_000_000)).toEqual({ ok: false, why: expect.stringContaining("no interface") });
    expect(of(8_000)).toEqual({ ok: false, why: expect.stringContaining("no interface") });
    expect(of(100)).toEqual([`JSONRPC 0.3 ${"/".repeat(101)}x`]);
  });

  test("more interfaces than are looked at", () => {
    const url = "http://x/rpc";
    const grpc = { url, protocolBinding: "GRPC", protocolVersion: "1.0" };
    const rpc = { url, protocolBinding: "JSONRPC", protocolVersion: "1.0" };
    expect(interfacesOf({ supportedInterfaces: [...Array.from({ length: 255 }, () => grpc), rpc] })).toEqual([
      "JSONRPC 1.0 /rpc",
    ]);
    expect(interfacesOf({ supportedInterfaces: [...Array.from({ length: 256 }, () => grpc), rpc] })).toMatchObject({
      ok: false,
    });
  });
});
