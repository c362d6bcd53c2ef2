import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatListenAddress, isLocalAuthority, isLoopback, parseListenAddress } from "./listen-address.ts";

describe("parseListenAddress", () => {
  test.each([
    ["127.0.0.1:8080", { host: "127.0.0.1", port: 8080 }],
    ["0.0.0.0:0", { host: "0.0.0.0", port: 0 }],
    ["localhost:65535", { host: "localhost", port: 65_535 }],
    ["gateway-0.parley.svc:80", { host: "gateway-0.parley.svc", port: 80 }],
    [":9090", { host: "::", port: 9090 }],
    ["[::1]:8080", { host: "::1", port: 8080 }],
    ["[fd00::10.0.0.1]:1", { host: "fd00::10.0.0.1", port: 1 }],
  ])("reads %s", (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
  });

  test.each([
    "",
    "8080",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:65536",
    "127.0.0.1:-1",
    "127.0.0.1:80a",
    "127.0.0.256:80",
    "1.2.3:80",
    "::1:8080",
    "[::1]",
    "[127.0.0.1]:80",
    "[::1%eth0]:80",
    "http://127.0.0.1:80",
    "-a.example:80",
    "a..b:80",
    "a_b:80",
    " 127.0.0.1:80",
    `${"a".repeat(64)}:80`,
    `${"a.".repeat(127)}a:80`,
  ])("refuses %j", (text) => {
    expect(parseListenAddress(text)).toBeUndefined();
  });

  test("reads back what it formats", () => {
    const hosts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    fc.assert(
      fc.property(hosts, fc.integer({ min: 0, max: 65_535 }), (host, port) => {
        expect(parseListenAddress(formatListenAddress({ host, port }))).toEqual({ host, port });
      }),
    );
  });
});

describe("isLoopback", () => {
  test.each(["127.0.0.1", "127.255.3.4", "::1", "::ffff:127.0.0.1", "localhost", "LocalHost"])("%s is", (host) => {
    expect(isLoopback(host)).toBe(true);
  });
  test.each([
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "128.0.0.1",
    "::ffff:10.0.0.1",
    "localhost.example.com",
    "127.0.0.1.nip.io",
    "",
  ])("%j is not", (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe("isLocalAuthority", () => {
  test.each(["localhost", "localhost:4000", "127.0.0.1", "127.0.0.1:80", "10.1.2.3:80", "[::1]", "[::1]:4000"])(
    "%s is",
    (host) => {
      expect(isLocalAuthority(host)).toBe(true);
    },
  );
  test.each([
    undefined,
    "",
    ":80",
    "evil.example",
    "evil.example:4000",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "a b",
  ])("%j is not", (host) => {
    expect(isLocalAuthority(host)).toBe(false);
  });
});
