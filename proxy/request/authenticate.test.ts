import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authenticate, createDigests } from "./authenticate.ts";
import { putAgent, putKey, tableOf } from "./table.test-support.ts";

const TOKEN = "sk-0123456789abcdef0123456789abcdef";
const NOW = Date.parse("2026-06-01T00:00:00Z");
const table = tableOf(putAgent(), putKey(TOKEN));
const ask = (header: string | undefined, { now = NOW, loopback = false, of = table } = {}) =>
  authenticate(header, of, now, loopback)?.id;

describe("the header", () => {
  test.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER ${TOKEN}`])("%j holds a key", (header) => {
    expect(ask(header)).toBe("agents/alice");
  });

  test.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    TOKEN,
    `Bearer  ${TOKEN}`,
    `Bearer ${TOKEN} `,
    ` Bearer ${TOKEN}`,
    `Bearer\t${TOKEN}`,
    `Bearer ${TOKEN}, Bearer ${TOKEN}`,
    `Bearer ${TOKEN}\n`,
    `Basic ${TOKEN}`,
    `Bearer: ${TOKEN}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer ${TOKEN.slice(0, -1)}`,
  ])("%j holds none", (header) => {
    expect(ask(header)).toBeUndefined();
  });

  test("takes tokens of visible ASCII up to 8 KiB", () => {
    const longest = "~!".repeat(4096);
    const long = tableOf(putKey(longest), putKey(`${longest}x`, {}, "bob"));
    expect(ask(`Bearer ${longest}`, { of: long })).toBe("agents/alice");
    expect(ask(`Bearer ${longest}x`, { of: long })).toBeUndefined();
  });

  test("takes no token but one that stands in the table", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(ask(`Bearer ${text}`)).toBeUndefined();
        expect(ask(text)).toBeUndefined();
      }),
    );
  });
});

describe("remembered digests", () => {
  test("change no answer, whatever was asked before and whatever the table holds now", () => {
    const tokens = fc.constantFrom(TOKEN, `${TOKEN}x`, "other", "x".repeat(300), "bad token");
    const tables = [
      table,
      tableOf(putKey(`${TOKEN}x`)),
      tableOf(putKey("other", { disabled: true }), putKey("x".repeat(300))),
    ];
    fc.assert(
      fc.property(fc.array(fc.tuple(tokens, fc.nat(2)), { maxLength: 40 }), (asked) => {
        const digests = createDigests(4);
        for (const [token, index] of asked) {
          const of = tables[index] ?? table;
          const header = `Bearer ${token}`;
          expect(authenticate(header, of, NOW, false, digests)?.id).toBe(ask(header, { of }));
        }
      }),
    );
  });

  test("are of keys alone, bounded in number, those in use first", () => {
    const digests = createDigests(4);
    authenticate("Bearer unknown", table, NOW, false, digests);
    expect(digests.get("Bearer unknown")).toBeUndefined();
    authenticate(`Bearer ${TOKEN}`, table, NOW, false, digests);
    for (let other = 0; other < 100; other++) {
      digests.keep(`Bearer ${other}`, String(other));
      expect(digests.get(`Bearer ${TOKEN}`)).toMatch(/^[0-9a-f]{64}$/);
    }
    expect(
      Array.from({ length: 100 }, (_, other) => digests.get(`Bearer ${other}`)).filter(Boolean).length,
    ).toBeLessThan(4);
    digests.keep(`Bearer ${"x".repeat(300)}`, "long");
    expect(digests.get(`Bearer ${"x".repeat(300)}`)).toBeUndefined();
  });
});

describe("the key", () => {
  test("is none when it is disabled", () => {
    expect(ask(`Bearer ${TOKEN}`, { of: tableOf(putKey(TOKEN, { disabled: true })) })).toBeUndefined();
  });

  test.each([
    [NOW - 1, "agents/alice"],
    [NOW, undefined],
    [NOW + 1, undefined],
  ])("that expires at 2026-06-01 is at %d %s", (now, id) => {
    const expiring = tableOf(putKey(TOKEN, { expiresAt: "2026-06-01T00:00:00Z" }));
    expect(ask(`Bearer ${TOKEN}`, { of: expiring, now })).toBe(id);
  });

  test("kept to loopback is none elsewhere", () => {
    const local = tableOf(putKey(TOKEN, { loopbackOnly: true }));
    expect(ask(`Bearer ${TOKEN}`, { of: local, loopback: true })).toBe("agents/alice");
    expect(ask(`Bearer ${TOKEN}`, { of: local, loopback: false })).toBeUndefined();
  });

  test("is none in an empty table", () => {
    expect(ask(`Bearer ${TOKEN}`, { of: tableOf() })).toBeUndefined();
  });
});
