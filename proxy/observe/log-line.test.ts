import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAILURE_REASONS, failure } from "../request/failure.ts";
import { MAX_ID_BYTES, MAX_NAME_BYTES, createLogLines, cutAtBytes, jsonString, logLine } from "./log-line.ts";
import { recordOf } from "./record.test-support.ts";
import type { FinishedRequest } from "./record.ts";
import { OUTCOMES } from "./series.ts";

const parse = (line: string): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>;

describe("a request's line", () => {
  test("has its fields in their order, under the field's usual names", () => {
    expect(logLine(recordOf())).toBe(
      `${JSON.stringify({
        time: "2026-01-02T03:04:05.678Z",
        level: "info",
        msg: "request",
        agent: "agents/travel",
        key: "agents/alice",
        fingerprint: "3f9a1c02",
        user: "alice@example.com",
        team: "booking",
        operation: "SendMessage",
        binding: "JSONRPC",
        version: "1.0",
        task_id: "task-1",
        context_id: "context-1",
        state: "completed",
        status: 200,
        outcome: "ok",
        endpoint: "10.1.2.3:9000",
        backend: "main",
        latency_ms: 12.346,
        first_byte_ms: 11.1,
        request_bytes: 470,
        response_bytes: 650,
        cost: "0.002",
        cost_source: "request",
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
      })}\n`,
    );
  });

  test("leaves out what is not known", () => {
    const nobody = recordOf({
      agent: undefined,
      key: undefined,
      fingerprint: undefined,
      user: undefined,
      team: undefined,
      operation: undefined,
      binding: undefined,
      version: undefined,
      taskId: undefined,
      contextId: undefined,
      state: undefined,
      status: 401,
      outcome: "refused",
      reason: "Unauthenticated",
      endpoint: undefined,
      backend: undefined,
      firstByte: undefined,
      cost: undefined,
    });
    expect(parse(logLine(nobody))).toEqual({
      time: "2026-01-02T03:04:05.678Z",
      level: "info",
      msg: "request",
      status: 401,
      outcome: "refused",
      reason: "Unauthenticated",
      latency_ms: 12.346,
      request_bytes: 470,
      response_bytes: 650,
      trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    });
  });

  test("tells the events of a stream, the JSON-RPC code and the method of an extension", () => {
    const line = parse(logLine(recordOf({ streaming: true, events: 7, rpcCode: -32001, method: "ext/get" })));
    expect(line).toMatchObject({ streaming: true, events: 7, rpc_code: -32001, method: "ext/get" });
  });

  test.each(FAILURE_REASONS)("has the level of %s", (reason) => {
    expect(parse(logLine(recordOf({ outcome: "refused", reason })))["level"]).toBe(failure(reason).level);
  });

  test("with content None tells nothing that stood in a payload", () => {
    const record = recordOf({ method: "ext/get", requestContent: "secret", responseContent: "secret" });
    const line = parse(logLine({ ...record, logging: "None" }));
    for (const field of ["method", "task_id", "context_id", "state", "request", "response"])
      expect(line).not.toHaveProperty(field);
    expect(line).toMatchObject({ agent: "agents/travel", operation: "SendMessage", status: 200 });
  });

  test.each([
    ["Metadata", undefined],
    ["Full", "hello"],
  ] as const)("with content %s shows as content %s", (logging, request) => {
    expect(parse(logLine(recordOf({ logging, requestContent: "hello" })))["request"]).toBe(request);
  });

  test("stays valid with numbers that are none", () => {
    expect(parse(logLine(recordOf({ latency: Number.NaN, status: Infinity })))).toMatchObject({
      latency_ms: null,
      status: null,
    });
  });
});

describe("cutAtBytes", () => {
  test.each([
    ["abc", 3, "abc"],
    ["abcd", 3, "abc"],
    ["äöü", 4, "äö"],
    ["äöü", 5, "äö"],
    ["😀😀", 7, "😀"],
    ["a😀", 3, "a"],
    ["", 0, ""],
  ])("%s at %d is %s", (text, limit, cut) => {
    expect(cutAtBytes(text, limit)).toBe(cut);
  });

  test("gives the longest start that fits, never half a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 100 }), fc.nat(200), (text, limit) => {
        const cut = cutAtBytes(text, limit);
        const next = text.codePointAt(cut.length);
        expect(text.startsWith(cut)).toBe(true);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(limit);
        expect(cut.isWellFormed()).toBe(true);
        expect(next === undefined || Buffer.byteLength(cut + String.fromCodePoint(next)) > limit).toBe(true);
      }),
    );
  });
});

test("jsonString escapes what ends a line or steers a terminal, and means the same text", () => {
  expect(jsonString('a\n\r\t\u0000\u001b[31m\u007f\u0085\u009b\u2028\u2029"\\\ud800')).toBe(
    String.raw`"a\n\r\t\u0000\u001b[31m\u007f\u0085\u009b\u2028\u2029\"\\\ud800"`,
  );
});

describe("log injection", () => {
  /** All UTF-16, lone surrogates included, and what attackers write. */
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 400 }),
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 }).map((units) => String.fromCharCode(...units)),
    fc.constantFrom('"}\n{"level":"error"}', "\u2028", '","agent":"x', "\\", '\\"', "\ud800", "\u0085"),
  );
  const optional = fc.option(hostile, { nil: undefined });

  test("is impossible: any record is one line of JSON, whose values are the bounded inputs", () => {
    const texts = fc.record({
      agent: optional,
      key: optional,
      fingerprint: optional,
      user: optional,
      team: optional,
      operation: optional,
      method: optional,
      version: optional,
      taskId: optional,
      contextId: optional,
      state: optional,
      endpoint: optional,
      backend: optional,
      cost: optional,
      traceId: hostile,
      requestContent: optional,
      responseContent: optional,
    });
    const rest = fc.record({
      streaming: fc.boolean(),
      status: fc.integer(),
      outcome: fc.constantFrom(...OUTCOMES),
      reason: fc.option(fc.constantFrom(...FAILURE_REASONS), { nil: undefined }),
      rpcCode: fc.option(fc.integer(), { nil: undefined }),
      latency: fc.double(),
      events: fc.nat(),
    });
    fc.assert(
      fc.property(texts, rest, (texts, rest) => {
        const record: FinishedRequest = recordOf({ ...texts, ...rest });
        const line = logLine(record);
        expect(line.endsWith("}\n")).toBe(true);
        expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029]/u);
        const parsed = parse(line);
        const cut = (text: string | undefined, limit: number) =>
          text === undefined ? undefined : cutAtBytes(text, limit);
        expect(parsed).toEqual(
          expect.objectContaining(
            definedOf({
              agent: cut(record.agent, MAX_NAME_BYTES),
              key: cut(record.key, MAX_NAME_BYTES),
              endpoint: cut(record.endpoint, MAX_NAME_BYTES),
              backend: cut(record.backend, MAX_NAME_BYTES),
              fingerprint: cut(record.fingerprint, MAX_ID_BYTES),
              user: cut(record.user, MAX_ID_BYTES),
              team: cut(record.team, MAX_ID_BYTES),
              operation: cut(record.operation, MAX_ID_BYTES),
              method: cut(record.method, MAX_ID_BYTES),
              version: cut(record.version, MAX_ID_BYTES),
              task_id: cut(record.taskId, MAX_ID_BYTES),
              context_id: cut(record.contextId, MAX_ID_BYTES),
              state: cut(record.state, MAX_ID_BYTES),
              cost: cut(record.cost, MAX_ID_BYTES),
              trace_id: cut(record.traceId, MAX_ID_BYTES),
              request: record.requestContent,
              response: record.responseContent,
              status: record.status,
              outcome: record.outcome,
              reason: record.reason,
              rpc_code: record.rpcCode,
            }),
          ),
        );
      }),
      { numRuns: 500 },
    );
  });

  test("is the same when what lines share is remembered", () => {
    const name = fc.constantFrom(undefined, "a", "b", "ä\n");
    const records = fc.array(
      fc.record({
        time: fc.integer({ min: -10_000, max: 4_102_444_800_000 }),
        latency: fc.oneof(fc.double(), fc.double({ min: 0, max: 1e7 })),
        firstByte: fc.double({ min: 0, max: 100 }),
        agent: name,
        key: name,
        fingerprint: name,
        user: name,
        team: name,
        operation: name,
        method: name,
        version: name,
        streaming: fc.boolean(),
        logging: fc.constantFrom(undefined, "None", "Metadata", "Full"),
        status: fc.constantFrom(0, 200, 401),
        outcome: fc.constantFrom(...OUTCOMES),
        reason: fc.constantFrom(undefined, ...FAILURE_REASONS.slice(0, 3)),
        rpcCode: fc.constantFrom(undefined, -32001),
        endpoint: name,
        backend: name,
      }),
    );
    fc.assert(
      fc.property(records, (parts) => {
        const lineOf = createLogLines();
        for (const part of parts) {
          const record = recordOf(part);
          expect(lineOf(record)).toBe(logLine(record));
          const line = parse(lineOf(record));
          expect(line["time"]).toBe(new Date(record.time).toISOString());
          expect(line["latency_ms"]).toBe(JSON.parse(JSON.stringify(Math.round(record.latency * 1000) / 1000)));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("is bounded: without content a line has at most some thousand bytes", () => {
    const long = "\u0000😀\n".repeat(10_000);
    const texts = {
      method: long,
      version: long,
      taskId: long,
      contextId: long,
      state: long,
      user: long,
      team: long,
      traceId: long,
    };
    expect(Buffer.byteLength(logLine(recordOf(texts)))).toBeLessThan(8 * 6 * MAX_ID_BYTES + 2000);
  });
});

function definedOf(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
