import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAddressPolicy } from "./address-policy.ts";

const closed = createAddressPolicy([]);

describe("without an allowance", () => {
  test.each([
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "0:0:0:0:0:ffff:a9fe:a9fe",
    "::ffff:169.254.169.254",
    "::ffff:0:8.8.8.8",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "FE80::1",
  ])("refuses %s", (address) => {
    expect(closed(address)).toBe(false);
  });

  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:830::200e",
    "::ffff:8.8.8.8",
    "::ffff:808:808",
    "64:ff9b::8.8.8.8",
  ])("lets %s through", (address) => {
    expect(closed(address)).toBe(true);
  });

  test.each([
    "",
    "localhost",
    "example.com",
    "[::1]",
    "127.1",
    "0x7f000001",
    "2130706433",
    "8.8.8.8%1",
    "8.8.8.8:80",
    " 8.8.8.8",
  ])("refuses %j, which is not an address", (text) => {
    expect(closed(text)).toBe(false);
  });
});

describe("with an allowance", () => {
  test("opens what it names and nothing beside it", () => {
    const policy = createAddressPolicy(["10.1.0.0/16", "::1", "fd00:1::/32"]);
    expect(policy("10.1.2.3")).toBe(true);
    expect(policy("::ffff:10.1.2.3")).toBe(true);
    expect(policy("10.2.0.1")).toBe(false);
    expect(policy("::1")).toBe(true);
    expect(policy("127.0.0.1")).toBe(false);
    expect(policy("fd00:1::5")).toBe(true);
    expect(policy("fd00:2::5")).toBe(false);
  });

  test("reads a mapped range as the IPv4 range that it is", () => {
    const policy = createAddressPolicy(["::ffff:127.0.0.0/104"]);
    expect(policy("127.0.0.1")).toBe(true);
    expect(policy("::ffff:127.9.9.9")).toBe(true);
    expect(policy("10.0.0.1")).toBe(false);
  });

  test("wins over what is denied in addition", () => {
    const policy = createAddressPolicy(["8.8.8.0/24"], ["8.8.0.0/16"]);
    expect(policy("8.8.8.8")).toBe(true);
    expect(policy("8.8.4.4")).toBe(false);
    expect(policy("9.9.9.9")).toBe(true);
  });

  test("a CIDR that cannot be read admits nothing, and is refused where it should close", () => {
    for (const text of [
      "",
      "10.0.0.0/33",
      "10.0.0/8",
      "10.0.0.0/8/8",
      "::/129",
      "fe80::%1/10",
      "x",
      "10.0.0.0/",
      "10.0.0.0/-1",
    ]) {
      expect(createAddressPolicy([text])("10.0.0.1")).toBe(false);
      expect(() => createAddressPolicy([], [text])).toThrow(RangeError);
    }
    const readable = ["10.0.0.0/8", "10.0.0.1", "::/0", "0.0.0.0/0", "fd00::/8"];
    expect(() => createAddressPolicy([], readable)).not.toThrow();
  });
});

test("every spelling of an IPv4 address inside IPv6 is judged as that address", () => {
  fc.assert(
    fc.property(
      fc.ipV4(),
      fc.constantFrom("::ffff:", "0:0:0:0:0:ffff:", "64:ff9b::", "0064:FF9B:0::"),
      (address, prefix) => {
        const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
        const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        expect(closed(prefix + address)).toBe(closed(address));
        expect(closed(prefix + hex)).toBe(closed(address));
      },
    ),
  );
});

test("judges any text without throwing", () => {
  const judge = (): void =>
    fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV6()), (text) => typeof closed(text) === "boolean"));
  expect(judge).not.toThrow();
});
