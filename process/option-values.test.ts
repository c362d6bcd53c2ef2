import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ValueType } from "./option-values.ts";
import {
  boolean,
  bytes,
  cidr,
  duration,
  httpUrl,
  integer,
  listOf,
  listenAddress,
  oneOf,
  path,
  text,
} from "./option-values.ts";

function read<T>(type: ValueType<T>, given: string): T | string {
  const parsed = type.parse(given);
  return parsed.ok ? parsed.value : `write ${parsed.instead}`;
}

describe("duration", () => {
  test.each([
    ["0", 0],
    ["0s", 0],
    ["500ms", 500],
    ["30s", 30_000],
    ["1m", 60_000],
    ["1m30s", 90_000],
    ["2h", 7_200_000],
    ["1h1m1s1ms", 3_661_001],
  ])("%s is %d ms", (given, milliseconds) => {
    expect(read(duration, given)).toBe(milliseconds);
  });
  test.each(["", "30", "1.5s", "-1s", "1d", "s", "1s ", "100000s", "1s1s1s1s1s", "1M"])("refuses %j", (given) => {
    expect(read(duration, given)).toBe("write a duration, as 30s, 500ms or 1m30s");
  });
});

describe("bytes", () => {
  test.each([
    ["0", 0],
    ["1024", 1024],
    ["10Mi", 10_485_760],
    ["1.5Gi", 1_610_612_736],
    ["0.5k", 500],
    ["2T", 2e12],
  ])("%s is %d", (given, value) => {
    expect(read(bytes, given)).toBe(value);
  });
  test.each(["", "10MB", "10mi", "-1", "1e3", ".5Ki", "1.0001", "0.3", "999999999999999Ti", "Mi"])(
    "refuses %j",
    (given) => {
      expect(read(bytes, given)).toMatch(/^write a whole number of bytes/);
    },
  );
});

describe("integer", () => {
  test("takes its bounds and nothing beyond", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), (value) => {
        expect(read(integer(-5, 500), String(value))).toBe(
          value >= -5 && value <= 500 ? value : "write a whole number from -5 to 500",
        );
      }),
    );
  });
  test.each(["", "1.0", "1e2", "0x1", " 1", "١"])("refuses %j", (given) => {
    expect(read(integer(0, 10), given)).toBe("write a whole number from 0 to 10");
  });
});

describe("boolean", () => {
  test.each([
    ["true", true],
    ["1", true],
    ["false", false],
    ["0", false],
    ["", "write true or false"],
    ["True", "write true or false"],
    ["yes", "write true or false"],
  ])("%j is %s", (given, value) => {
    expect(read(boolean, given)).toBe(value);
  });
});

test("oneOf takes its words as they are written", () => {
  const level = oneOf(["debug", "info"]);
  expect(level.placeholder).toBe("debug|info");
  expect(read(level, "info")).toBe("info");
  expect(read(level, "Info")).toBe("write one of debug, info");
});

describe("httpUrl", () => {
  test.each([
    ["http://127.0.0.1:8444", "http://127.0.0.1:8444"],
    ["https://gateway.example.com/", "https://gateway.example.com"],
    ["https://gateway.example.com/a2a/", "https://gateway.example.com/a2a"],
    ["HTTPS://Gateway.example.com", "https://gateway.example.com"],
    ["http://[::1]:80", "http://[::1]"],
  ])("%s is %s", (given, value) => {
    expect(read(httpUrl, given)).toBe(value);
  });
  test.each([
    "",
    "gateway.example.com",
    "ftp://gateway.example.com",
    "http:gateway",
    "http://",
    "http://user@host",
    "http://user:secret@host",
    "http://host?x",
    "http://host?",
    "http://host#x",
    "http://host\\x",
    "http://ho st",
    "http://host:99999",
  ])("refuses %j", (given) => {
    expect(read(httpUrl, given)).toMatch(/^write an http or https URL/);
  });
});

describe("cidr", () => {
  test.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["10.0.0.1", "10.0.0.1/32"],
    ["fd00::/8", "fd00::/8"],
    ["::1", "::1/128"],
  ])("%s is %s", (given, value) => {
    expect(read(cidr, given)).toBe(value);
  });
  test.each([
    "",
    "10.0.0.0/33",
    "10.0.0/8",
    "10.0.0.0/8/8",
    "10.0.0.0/",
    "fd00::/129",
    "fe80::1%eth0",
    "a/8",
    "10.0.0.0/-1",
  ])("refuses %j", (given) => {
    expect(read(cidr, given)).toMatch(/^write an address range/);
  });
});

describe("listOf", () => {
  test("separates at commas and leaves white space and empty items out", () => {
    expect(read(listOf(integer(0, 9)), " 1, 2,,3 ")).toEqual([1, 2, 3]);
    expect(read(listOf(integer(0, 9)), "")).toEqual([]);
  });
  test("says what one item must be", () => {
    expect(read(listOf(integer(0, 9)), "1,x")).toBe(
      "write a whole number from 0 to 9; several are separated by commas",
    );
  });
});

test("text and path say in words what they take", () => {
  const name = text("NAME", /^[a-z]+$/, "lower-case letters");
  expect(read(name, "abc")).toBe("abc");
  expect(read(name, "ABC")).toBe("write lower-case letters");
  expect(read(path, "/var/lib/parley")).toBe("/var/lib/parley");
  expect(read(path, "a\0b")).toBe("write a path");
});

test("no text makes a parser throw", () => {
  const all = [duration, bytes, integer(0, 9), boolean, httpUrl, cidr, listenAddress, path, listOf(cidr)];
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.webUrl(), fc.ipV6()), (given) => {
      for (const type of all) expect(typeof type.parse(given).ok).toBe("boolean");
    }),
  );
});
