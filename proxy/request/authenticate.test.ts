import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authenticate, createDigests } from "./authenticate.ts";
import { putAgent, putKey, tableOf } from "./table.test-support.ts";

const TOKEN = "sk-0123456789abcdef0123456789abcdef";
const NOW = Date.parse("2026-06-01T00:00:00Z");
const table = tableOf(putAgent(), putKey(TOKEN));
/** The key's id, or why there is none. */
const ask = (header: string | undefined, { now = NOW, loopback = false, of = table } = {}): string => {
  const decision = authenticate(header, of, now, loopback);
  return decision.ok ? decision.key.id : decision.fault;
};

describe("the header", () => {
  test.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER ${TOKEN}`])("%j holds a key", (header) => {
    expect(ask(header)).toBe("agents/alice");
  });

  test.each([
    [undefined, "Missing"],
    ["", "Malformed"],
    ["Bearer", "Malformed"],
    ["Bearer ", "Malformed"],
    [TOKEN, "Malformed"],
    [`Bearer  ${TOKEN}`, "Malformed"],
    [`Bearer ${TOKEN} `, "Malformed"],
    [` Bearer ${TOKEN}`, "Malformed"],
    [`Bearer\t${TOKEN}`, "Malformed"],
    [`Bearer ${TOKEN}, Bearer ${TOKEN}`, "Malformed"],
    [`Bearer ${TOKEN}\n`, "Malformed"],
    [`Basic ${TOKEN}`, "Malformed"],
    [`Bearer: ${TOKEN}`, "Malformed"],
    [`Bearer ${TOKEN.toUpperCase()}`, "Unknown"],
    [`Bearer ${TOKEN.slice(0, -1)}`, "Unknown"],
  ])("%j holds none: %s", (header, fault) => {
    expect(ask(header)).toBe(fault);
  });

  test("takes tokens of visible ASCII up to 8 KiB", () => {
    const longest = "~!".repeat(4096);
    const long = tableOf(putKey(longest), putKey(`${longest}x`, {}, "bob"));
    expect(ask(`Bearer ${longest}`, { of: long })).toBe("agents/alice");
    expect(ask(`Bearer ${longest}x`, { of: long })).toBe("Malformed");
  });

  test("takes no token but one that stands in the table", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(authenticate(`Bearer ${text}`, table, NOW, false)).toEqual({ ok: false, fault: expect.any(String) });
        expect(authenticate(text, table, NOW, false)).toEqual({ ok: false, fault: "Malformed" });
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
          expect(authenticate(header, of, NOW, false, digests)).toEqual(authenticate(header, of, NOW, false));
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
    expect(ask(`Bearer ${TOKEN}`, { of: tableOf(putKey(TOKEN, { disabled: true })) })).toBe("Disabled");
  });

  test.each([
    [NOW - 1, "agents/alice"],
    [NOW, "Expired"],
    [NOW + 1, "Expired"],
  ])("that expires at 2026-06-01 is at %d %s", (now, id) => {
    const expiring = tableOf(putKey(TOKEN, { expiresAt: "2026-06-01T00:00:00Z" }));
    expect(ask(`Bearer ${TOKEN}`, { of: expiring, now })).toBe(id);
  });

  test("kept to loopback is none elsewhere", () => {
    const local = tableOf(putKey(TOKEN, { loopbackOnly: true }));
    expect(ask(`Bearer ${TOKEN}`, { of: local, loopback: true })).toBe("agents/alice");
    expect(ask(`Bearer ${TOKEN}`, { of: local, loopback: false })).toBe("LoopbackOnly");
  });

  test("is named though it is not in force", () => {
    const decision = authenticate(`Bearer ${TOKEN}`, tableOf(putKey(TOKEN, { disabled: true })), NOW, false);
    expect(decision.key?.id).toBe("agents/alice");
  });

  test("is none in an empty table", () => {
    expect(ask(`Bearer ${TOKEN}`, { of: tableOf() })).toBe("Unknown");
  });
});
