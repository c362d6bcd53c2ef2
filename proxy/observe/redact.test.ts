import { expect, test } from "vitest";
import * as fc from "fast-check";
import { createRedactor } from "./redact.ts";

const redact = createRedactor();
const of = (value: unknown): unknown => JSON.parse(redact(JSON.stringify(value)));

test("what holds no secret stays as it is, byte for byte", () => {
  const text =
    '{"jsonrpc":"2.0","id":1,"params":{"message":{"parts":[{"text":"caf\\u00e9 \\"x\\""},{"data":[1,-2.5e3,true,null,{}]}]}}}';
  expect(redact(text)).toBe(text);
});

test("credentials go by their names, in any spelling and at any depth", () => {
  for (const name of [
    "token",
    "accessToken",
    "access_token",
    "API-Key",
    "x-api-key",
    "clientSecret",
    "Authorization",
    "Set-Cookie",
    "authentication",
    "credentials",
  ]) {
    expect(of({ a: [{ [name]: { deep: "s3cret" } }], b: 1 })).toEqual({ a: [{ [name]: "[redacted]" }], b: 1 });
  }
  expect(redact('{"to\\u006ben":"s3cret","token":"again"}')).toBe('{"to\\u006ben":"[redacted]","token":"[redacted]"}');
  expect(of({ totalTokens: 12, pricing: "x" })).toEqual({ totalTokens: 12, pricing: "x" });
});

test("addresses keep their origin, webhooks lose token and authentication", () => {
  const params = {
    url: "https://u:p@hooks.example.com:8443/T00/B00?sig=s3cret",
    token: "s3cret",
    authentication: { schemes: ["Bearer"], credentials: "s3cret" },
  };
  expect(of({ params })).toEqual({
    params: { url: "https://hooks.example.com:8443", token: "[redacted]", authentication: "[redacted]" },
  });
  expect(of({ uri: "data:text/plain,s3cret", webhookUrl: "nonsense s3cret" })).toEqual({
    uri: "[redacted]",
    webhookUrl: "[redacted]",
  });
});

test("credentials in running text are replaced, also where escapes hide them", () => {
  expect(
    of([
      "use Bearer abc.def-1, please",
      "basic dXNlcjpwYXNz",
      "a eyJhbGciOi.eyJzdWIi.sig b",
      "see https://me:pw@host/x",
      "or db://me:p@w@host/x",
      "a=x-eyJhbGciOi.eyJzdWIi.sig; eyJ is no token. eyJa neither",
    ]),
  ).toEqual([
    "use Bearer [redacted], please",
    "basic [redacted]",
    "a [redacted] b",
    "see https://[redacted]@host/x",
    "or db://[redacted]@host/x",
    "a=x-[redacted]; eyJ is no token. eyJa neither",
  ]);
  expect(redact('["Bear\\u0065r s3cret"]')).toBe('["Bearer [redacted]"]');
});

test.each(["a.", "a+", "eyJ-", "eyJa.-", "a://a.", "Bearer \t", "a:/", "basic ", "@", "eyJ"])(
  "a megabyte of %j takes no longer than other text",
  (piece) => {
    const text = JSON.stringify([piece.repeat(1_048_576 / piece.length)]);
    // With a form that begins anew at each of its places this would be hours.
    expect(redact(text).startsWith('["')).toBe(true);
  },
);

test("texts of errors are not told, their codes are", () => {
  expect(
    of({ error: { code: -32603, message: "s3cret", data: [{ x: "s3cret" }], status: "INTERNAL", other: "s3cret" } }),
  ).toEqual({
    error: { code: -32603, message: "[redacted]", data: "[redacted]", status: "[redacted]", other: "[redacted]" },
  });
  expect(of({ error: "s3cret" })).toEqual({ error: "[redacted]" });
});

test("paths: names, quoted names, indexes, wildcards, descendants", () => {
  const at = (path: string, value: unknown): unknown => JSON.parse(createRedactor([path])(JSON.stringify(value)));
  expect(at("$.a.b", { a: { b: [1], c: 2 }, b: 3 })).toEqual({ a: { b: "[redacted]", c: 2 }, b: 3 });
  expect(at("$['https://x/y'].z", { "https://x/y": { z: 1, w: 2 } })).toEqual({
    "https://x/y": { z: "[redacted]", w: 2 },
  });
  expect(at("$.a[1]", { a: [1, 2, 3] })).toEqual({ a: [1, "[redacted]", 3] });
  expect(at("$.a[*].x", { a: [{ x: 1 }, { x: 2, y: 3 }] })).toEqual({
    a: [{ x: "[redacted]" }, { x: "[redacted]", y: 3 }],
  });
  expect(at("$.*.x", { a: { x: 1 }, b: { x: 2, c: { x: 3 } } })).toEqual({
    a: { x: "[redacted]" },
    b: { x: "[redacted]", c: { x: 3 } },
  });
  expect(at("$..ssn", { ssn: 1, a: [{ ssn: { b: 1 } }], b: { c: { ssn: 2, d: 4 } } })).toEqual({
    ssn: "[redacted]",
    a: [{ ssn: "[redacted]" }],
    b: { c: { ssn: "[redacted]", d: 4 } },
  });
});

test("a text that was cut off anywhere shows nothing that the whole would hide", () => {
  const whole = JSON.stringify({
    a: "ok",
    token: "s3cret",
    u: { url: "https://h/s3cret" },
    t: "Bearer s3cret",
    l: [{ password: 's3c"ret' }],
    p: { q: "s3cret" },
  });
  const cut = createRedactor(["$.p.q"]);
  for (let end = 0; end <= whole.length; end++) expect(cut(whole.slice(0, end))).not.toContain("s3c");
});

test("what is no JSON is not shown", () => {
  expect(redact("<html>s3cret</html>")).toBe("[not JSON]");
  expect(redact("s3cret")).toBe("[not JSON]");
  expect(redact('{"a":s3cret}')).toBe('{"a":…');
  expect(redact(`${"[".repeat(100_000)}"s3cret"`)).not.toContain("s3cret");
});

test("property: JSON stays JSON, and a planted secret is never shown", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (around, inside) => {
      const text = redact(JSON.stringify({ around, apiKey: { inside, planted: "pl4nted" } }));
      const parsed = JSON.parse(text) as Record<string, unknown>;
      expect(parsed["apiKey"]).toBe("[redacted]");
      expect(text).not.toContain("pl4nted");
    }),
  );
});
