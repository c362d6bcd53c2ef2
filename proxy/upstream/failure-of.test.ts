import { errors } from "undici";
import { expect, test } from "vitest";
import { AddressRefused } from "./address.ts";
import { failureOf } from "./failure-of.ts";

const withCode = (code: string): Error => Object.assign(new Error(code), { code });

test.each([
  [new AddressRefused(), false, "UpstreamRefused"],
  [withCode("ECONNREFUSED"), false, "ConnectFailed"],
  [withCode("ENOTFOUND"), false, "ConnectFailed"],
  [withCode("DEPTH_ZERO_SELF_SIGNED_CERT"), false, "ConnectFailed"],
  [new errors.ConnectTimeoutError(), false, "ConnectTimeout"],
  [withCode("ETIMEDOUT"), false, "ConnectTimeout"],
  [withCode("ETIMEDOUT"), true, "UpstreamReset"],
  [withCode("ECONNRESET"), true, "UpstreamReset"],
  [new errors.SocketError(), true, "UpstreamReset"],
  [new errors.ResponseContentLengthMismatchError(), true, "UpstreamReset"],
  [new errors.HeadersTimeoutError(), true, "FirstByteTimeout"],
  [new errors.BodyTimeoutError(), true, "StreamIdle"],
  [new errors.HeadersOverflowError(), true, "InvalidAgentResponse"],
  [new errors.HTTPParserError("no HTTP"), true, "InvalidAgentResponse"],
  [new errors.InvalidArgumentError(), false, "Internal"],
  [new TypeError("a bug"), true, "Internal"],
  ["no error at all", true, "Internal"],
] as const)("%s (sent: %s) is %s", (error, sent, reason) => {
  expect(failureOf(error, sent)).toBe(reason);
});
