import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { publicBase } from "./public-url.ts";
import { gatewayRow } from "./table.test-support.ts";

const TRUSTED = "10.1.2.3";
const behind = gatewayRow({ trustedProxies: ["10.0.0.0/8", "fd00::/8", "192.0.2.7"] });
const from = (headers: Record<string, string>, { peer = TRUSTED, gateway = behind, loopback = false } = {}) =>
  publicBase(headers, peer, gateway, loopback);

describe("the configured URL", () => {
  test("wins over everything", () => {
    const gateway = gatewayRow({ publicUrl: "https://gateway.example.com/x", trustedProxies: ["10.0.0.0/8"] });
    const headers = { "x-forwarded-proto": "http", "x-forwarded-host": "other", host: "third" };
    expect(from(headers, { gateway, loopback: true })).toBe("https://gateway.example.com/x");
  });
});

describe("a trusted proxy", () => {
  test.each([
    [{ "x-forwarded-proto": "https", "x-forwarded-host": "gw.example.com" }, "https://gw.example.com"],
    [{ "x-forwarded-proto": "http", "x-forwarded-host": "GW.example.com:8443" }, "http://gw.example.com:8443"],
    [{ "x-forwarded-proto": "https", host: "gw.example.com" }, "https://gw.example.com"],
    [{ "x-forwarded-proto": "https", "x-forwarded-host": "[2001:db8::1]:443" }, "https://[2001:db8::1]:443"],
    [{ "x-forwarded-proto": "https", host: "gw", "x-forwarded-prefix": "/agents" }, "https://gw/agents"],
    [{ "x-forwarded-proto": "https", host: "gw", "x-forwarded-prefix": "/agents/v1/" }, "https://gw/agents/v1"],
    [{ "x-forwarded-proto": "https", host: "gw", "x-forwarded-prefix": "/" }, "https://gw"],
  ])("that says %j gives %s", (headers, base) => {
    expect(from(headers)).toBe(base);
  });

  test.each(["10.255.0.1", "::ffff:10.1.2.3", "fd12::1", "192.0.2.7"])("may be %s", (peer) => {
    expect(from({ "x-forwarded-proto": "https", host: "gw" }, { peer })).toBe("https://gw");
  });

  test.each(["11.0.0.1", "192.0.2.8", "::1", "fe80::1", "", "unix"])("is not %j: its word is not taken", (peer) => {
    expect(
      from({ "x-forwarded-proto": "https", "x-forwarded-host": "evil.example.com", host: "gw" }, { peer }),
    ).toBeUndefined();
  });

  test.each([
    { "x-forwarded-proto": "ftp" },
    { "x-forwarded-proto": "HTTPS" },
    { "x-forwarded-proto": "https, http" },
    { "x-forwarded-host": "a.example.com, b.example.com" },
    { "x-forwarded-host": "user@gw" },
    { "x-forwarded-host": "gw/path" },
    { "x-forwarded-host": "gw:0" },
    { "x-forwarded-host": "gw:65536" },
    { "x-forwarded-host": "gw:" },
    { "x-forwarded-host": "" },
    { "x-forwarded-host": "[127.0.0.1]" },
    { "x-forwarded-host": "[::1" },
    { "x-forwarded-host": "::1" },
    { "x-forwarded-host": "-gw" },
    { "x-forwarded-host": "gw..example" },
    { "x-forwarded-host": "gw\nx" },
    { "x-forwarded-prefix": "agents" },
    { "x-forwarded-prefix": "//evil.example.com" },
    { "x-forwarded-prefix": "/a/../b" },
    { "x-forwarded-prefix": "/a?b" },
    { "x-forwarded-prefix": "/%2e" },
    { "x-forwarded-prefix": "/a, /b" },
    { "x-forwarded-prefix": `/${"a".repeat(600)}` },
  ])("that says %j gives nothing", (headers) => {
    expect(from({ "x-forwarded-proto": "https", host: "gw", ...headers }, { loopback: true })).toBeUndefined();
  });

  test("follows its gateway row: another row, other proxies", () => {
    const headers = { "x-forwarded-proto": "https", host: "gw" };
    expect(from(headers)).toBe("https://gw");
    expect(from(headers, { gateway: gatewayRow({ trustedProxies: ["11.0.0.0/8"] }) })).toBeUndefined();
    expect(
      from(headers, { gateway: gatewayRow({ trustedProxies: ["nonsense", "10.0.0.0/99", "10.0.0.0/"] }) }),
    ).toBeUndefined();
  });
});

describe("a loopback listener", () => {
  const here = { peer: "127.0.0.1", gateway: gatewayRow(), loopback: true };
  test.each([
    [{ host: "127.0.0.1:4000" }, "http://127.0.0.1:4000"],
    [{ host: "localhost:4000" }, "http://localhost:4000"],
    [{ host: "[::1]:4000" }, "http://[::1]:4000"],
    [{ host: "localhost:4000", "x-forwarded-proto": "https", "x-forwarded-host": "evil" }, "http://localhost:4000"],
    [{}, undefined],
    [{ host: "a b" }, undefined],
    [{ host: "localhost:4000/x" }, undefined],
  ])("asked with %j says %s", (headers, base) => {
    expect(from(headers, here)).toBe(base);
  });

  test("elsewhere the Host header is not believed", () => {
    expect(from({ host: "gw" }, { ...here, loopback: false })).toBeUndefined();
  });
});

test("whatever the headers hold, a base is a URL of a scheme, an authority and a clean path", () => {
  const value = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.domain(),
    fc.webPath(),
    fc.constantFrom("https", "[::1]", "a:1"),
  );
  fc.assert(
    fc.property(value, value, value, (proto, host, prefix) => {
      const base = from({ "x-forwarded-proto": proto, "x-forwarded-host": host, "x-forwarded-prefix": prefix });
      const second = from({ "x-forwarded-proto": "https", "x-forwarded-host": host, "x-forwarded-prefix": prefix });
      for (const each of [base, second]) {
        if (each === undefined) continue;
        const url = new URL(each);
        expect(["http:", "https:"]).toContain(url.protocol);
        expect([url.username, url.password, url.search, url.hash]).toEqual(["", "", "", ""]);
        expect(each).not.toMatch(/\/$|\s/);
      }
    }),
  );
});
