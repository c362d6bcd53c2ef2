import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createValidator } from "./validate.ts";

const validator = createValidator();
const apiVersion = "parley.dev/v1alpha1";
const agent = (spec: unknown = {}, more: object = {}): unknown => ({
  apiVersion,
  kind: "A2AAgent",
  metadata: { name: "travel" },
  spec: { backends: [{ name: "only", url: "http://travel.example.com" }], ...(spec as object) },
  ...more,
});
const key = (spec: unknown): unknown => ({ apiVersion, kind: "VirtualKey", metadata: { name: "alice" }, spec });

function faultsOf(object: unknown): string[] {
  const result = validator.validate(object);
  return result.ok ? [] : result.faults.map(({ path, message }) => `${path}: ${message}`);
}

describe("defaults", () => {
  test("are filled in where the schema has them, and only there", () => {
    const result = validator.validate(
      agent({ card: {}, allowedKeys: { namespaces: {} }, loadBalancing: { policy: null } }),
    );
    expect(result).toEqual({
      ok: true,
      object: {
        apiVersion,
        kind: "A2AAgent",
        metadata: { name: "travel" },
        spec: {
          backends: [{ name: "only", url: "http://travel.example.com" }],
          gatewayName: "default",
          card: { visibility: "Public" },
          allowedKeys: { namespaces: { from: "Same" } },
          loadBalancing: { policy: "LeastRequest" },
        },
      },
    });
  });

  test("the object given stays as it is, and validating what came out changes nothing", () => {
    const given = agent({ card: {} });
    const before = structuredClone(given);
    const first = validator.validate(given);
    expect(given).toEqual(before);
    expect(first.ok && validator.validate(first.object)).toEqual(first);
  });

  test("a status is dropped", () => {
    const result = validator.validate(agent({}, { status: { url: "https://x", conditions: "wrong" } }));
    expect(result.ok && Object.keys(result.object)).toEqual(["apiVersion", "kind", "metadata", "spec"]);
  });
});

describe("faults", () => {
  test("are told all at once, with their paths", () => {
    const faults = faultsOf({
      apiVersion,
      kind: "A2AAgent",
      metadata: { name: "Travel", lables: {} },
      spec: {
        backends: [
          { name: "a", service: { name: "x", port: 70_000 }, url: "http://x.svc.cluster.local:80/a?b" },
          { name: "a", url: 5, weight: -1 },
        ],
        loadBalancing: { policy: "leastRequest" },
        timeouts: { connect: "0s" },
        credentials: [{ header: "Host" }],
        nonsense: true,
      },
    });
    expect(faults).toEqual(
      expect.arrayContaining([
        'metadata.lables: is not a known field; did you mean "labels"?',
        "spec.nonsense: is not a known field",
        "spec.backends[1].url: must be a string (in quotes), not a whole number",
        "spec.backends[1].weight: must be 0 or more",
        "spec.credentials[0].secretRef: is required",
        'spec.loadBalancing.policy: does not know "leastRequest"; use one of: LeastRequest, RoundRobin, Random; did you mean "LeastRequest"?',
        "spec.backends[1]: has the name of one before it: each may stand once",
        "spec.backends[0]: give exactly one of service (in this namespace) and url (anywhere else)",
        "spec.backends[0].url: this is a name of the cluster: use service with name and port instead (a Service of the agent's namespace)",
        "spec.timeouts.connect: use a duration from 1ms to 1m; a connection cannot be waited for without an end",
        "spec.credentials[0].header: write the header's name in lower case, as in: authorization",
      ]),
    );
  });

  test("a rule is not asked about a value that it cannot be given", () => {
    expect(faultsOf(agent({ publicName: ["A"] }))).toEqual([
      "spec.publicName: must be a string (in quotes), not a list",
    ]);
    const long = faultsOf(agent({ publicName: "A".repeat(64) }));
    expect(long).toEqual(["spec.publicName: is too long: at most 63 characters"]);
  });

  test.each([
    [{}, "apiVersion: must be parley.dev/v1alpha1", "kind: must be A2AAgent or VirtualKey"],
    [
      { apiVersion: "parley.dev/v1", kind: "A2aAgent" },
      "apiVersion: must be parley.dev/v1alpha1",
      'kind: must be A2AAgent or VirtualKey; did you mean "A2AAgent"?',
    ],
    [{ apiVersion, kind: "constructor" }, "kind: must be A2AAgent or VirtualKey"],
    ["A2AAgent", ": must be an object with apiVersion, kind, metadata and spec"],
    [null, ": must be an object with apiVersion, kind, metadata and spec"],
    [[agent()], ": must be an object with apiVersion, kind, metadata and spec"],
  ])("%j is none of the kinds", (object, ...faults) => {
    expect(faultsOf(object)).toEqual(faults);
  });

  test("a name is asked for once, and judged by the kind", () => {
    expect(faultsOf(agent({}, { metadata: {} }))).toEqual(["metadata.name: is required"]);
    expect(faultsOf(agent({}, { metadata: undefined }))).toEqual(["metadata: is required, as in: {name: travel}"]);
    expect(faultsOf(agent({}, { metadata: { name: "a.b" } }))).toEqual([
      "metadata.name: this is the agent's name in paths: use at most 63 lower-case letters, digits and '-', and no dot",
    ]);
  });

  test("a spec is required", () => {
    expect(faultsOf(agent({}, { spec: undefined }))).toEqual(["spec: is required"]);
    expect(faultsOf(key(null))).toEqual(["spec: is required"]);
    expect(faultsOf(key({}))).toEqual([]);
  });

  test("members named as those of every object in JavaScript are unknown fields", () => {
    const spec: unknown = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}');
    expect(faultsOf(key(spec))).toEqual([
      "spec.__proto__: is not a known field",
      "spec.constructor: is not a known field",
      "spec.toString: is not a known field",
    ]);
  });

  test("keys of maps stand in brackets", () => {
    const matchLabels = { "example.com/team": "a b", ok: 5 };
    expect(faultsOf(key({ agents: [{ selector: { matchLabels } }] }))).toEqual([
      "spec.agents[0].selector.matchLabels[ok]: must be a string (in quotes), not a whole number",
      "spec.agents[0].selector.matchLabels[example.com/team]: use a label value: letters, digits, '-', '_' and '.', with a letter or digit at both ends",
    ]);
  });

  test("operations are told by their names", () => {
    expect(faultsOf(key({ operations: ["SendStreamingMessage", "message/send", "Send"] }))).toEqual([
      "spec.operations[0]: write SendMessage: it covers SendStreamingMessage",
      "spec.operations[1]: write the name of A2A 1.0, as SendMessage for message/send and message/stream: it covers the names of 0.3",
      expect.stringContaining("spec.operations[2]: use SendMessage, GetTask, ListTasks"),
    ]);
  });

  test("what may be a secret is not shown", () => {
    const secret = "sk-secret";
    const object = agent({
      backends: [{ name: "a", url: `http://user:${secret}@x`, service: secret }],
      credentials: [{ header: secret.toUpperCase(), scheme: `Bearer ${secret}`, secretRef: secret }],
      pricing: { perRequest: secret },
    });
    expect(faultsOf(object).join("\n").toLowerCase()).not.toContain(secret);
  });
});

describe("whatever comes", () => {
  const json = fc.jsonValue({ maxDepth: 4 });

  test("it never throws, and says either yes or what is wrong", () => {
    fc.assert(
      fc.property(fc.constantFrom("A2AAgent", "VirtualKey"), json, json, json, (kind, metadata, spec, status) => {
        const result = validator.validate({ apiVersion, kind, metadata, spec, status });
        expect(result.ok || result.faults.length > 0).toBe(true);
      }),
    );
  });

  test("any value in any field is judged", () => {
    const fields = ["backends", "publicName", "allowedKeys", "card", "timeouts", "limits", "credentials", "logging"];
    fc.assert(
      fc.property(fc.constantFrom(...fields), json, (field, value) => {
        const result = validator.validate(agent({ [field]: value }));
        expect(result.ok || result.faults.every(({ path }) => path.startsWith(`spec.${field}`))).toBe(true);
      }),
    );
  });
});

describe("an accepted url", () => {
  const part = (characters: string): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom(...characters.split("")), maxLength: 12 });
  const host = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.ipV6().map((address) => `[${address}]`),
    part("01af:").map((address) => `[${address}]`),
    part("abz01-._A").map((name) => `${name}a`),
  );
  const port = fc.oneof(
    fc.constant(""),
    fc.integer({ min: 0, max: 70_000 }).map((number) => `:${number}`),
    part(":08"),
  );
  const path = fc.oneof(
    fc.constant(""),
    fc.webPath(),
    part("/ab.%2eE~;").map((text) => `/${text}`),
    part("/a\\ ?#ä\n"),
  );
  const scheme = fc.constantFrom("http://", "https://", "https://", "HTTP://", "ftp://", "http:", "https://u:p@");
  const url = fc.tuple(scheme, host, port, path).map((parts) => parts.join(""));

  test("is one that WHATWG URL reads the same: host, port, path, and nothing else", () => {
    let accepted = 0;
    fc.assert(
      fc.property(url, (text) => {
        if (faultsOf(agent({ backends: [{ name: "a", url: text }] })).length > 0) return;
        accepted += 1;
        const read = new URL(text);
        expect([read.username, read.password, read.search, read.hash]).toEqual(["", "", "", ""]);
        const [, authority = "", path = ""] = /^https?:\/\/([^/]*)(.*)$/.exec(text) ?? [];
        expect(read.pathname).toBe(path === "" ? "/" : path);
        const [, written = "", port = ""] = /^(.*?)(?::([0-9]*))?$/.exec(authority) ?? [];
        expect(read.port).toBe(new URL(`${read.protocol}//x:${port}`).port);
        // IPv6 addresses are shortened on reading.
        const host = written.startsWith("[") ? new URL(`http://${written}`).hostname : written.toLowerCase();
        expect(read.hostname).toBe(host);
      }),
      { numRuns: 2_000, seed: 1 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});
