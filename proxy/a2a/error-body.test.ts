import { describe, expect, it } from "vitest";
import { failure, FAILURE_REASONS } from "../request/failure.ts";
import { errorBody, errorEvent } from "./error-body.ts";

describe("errorBody", () => {
  it.each(FAILURE_REASONS)("is valid JSON for %s in both bindings", (reason) => {
    const { status, code, rpcStatus, message } = failure(reason);
    expect(JSON.parse(errorBody("JSONRPC", reason, { id: '"a\\n"' }))).toEqual({
      jsonrpc: "2.0",
      id: "a\n",
      error: { code, message },
    });
    expect(JSON.parse(errorBody("HTTP+JSON", reason, { version: "1.0" }))).toMatchObject({
      error: { code: status, status: rpcStatus, message, details: [{ domain: "parley.dev" }] },
    });
  });

  it("echoes the id's token as it was sent, or null", () => {
    expect(errorBody("JSONRPC", "Internal", { id: "12345678901234567890" })).toContain('"id":12345678901234567890,');
    expect(errorBody("JSONRPC", "Internal", { id: undefined })).toContain('"id":null,');
    expect(errorBody("JSONRPC", "Internal", { id: "null" })).toContain('"id":null,');
  });

  it("has typed details for 1.0 and none for 0.3", () => {
    const parsed = JSON.parse(errorBody("JSONRPC", "AgentNotFound", { version: "1.0" })) as {
      error: { data: unknown };
    };
    expect(parsed.error.data).toEqual([
      { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "AGENT_NOT_FOUND", domain: "parley.dev" },
    ]);
    expect(errorBody("JSONRPC", "AgentNotFound", { version: "0.3" })).not.toContain("data");
  });

  it("escapes what is added to the message", () => {
    const detail = 'quote " newline \n backslash \\';
    const body = JSON.parse(errorBody("HTTP+JSON", "Internal", { detail })) as { error: { message: string } };
    expect(body.error.message).toBe(`${failure("Internal").message} ${detail}`);
  });
});

it("errorEvent is one event of one line", () => {
  const frame = errorEvent("JSONRPC", "UpstreamReset", { id: "1", detail: "a\nb" });
  expect(frame).toMatch(/^event: error\ndata: [^\n]+\n\n$/);
  expect(JSON.parse(frame.slice(frame.indexOf("data: ") + 6))).toMatchObject({ id: 1, error: { code: -32054 } });
});
