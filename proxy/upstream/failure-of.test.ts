import { expect, test } from "vitest";
import { AddressRefused } from "./address.ts";
import { BadAnswer } from "./connection.ts";
import { ConnectTimeout } from "./dial.ts";
import { failureOf } from "./failure-of.ts";

const withCode = (code: string): Error => Object.assign(new Error(code), { code });

test.each([
  [new AddressRefused(), false, "UpstreamRefused"],
  [withCode("ECONNREFUSED"), false, "ConnectFailed"],
  [withCode("ENOTFOUND"), false, "ConnectFailed"],
  [withCode("DEPTH_ZERO_SELF_SIGNED_CERT"), false, "ConnectFailed"],
  [new ConnectTimeout(), false, "ConnectTimeout"],
  [withCode("ETIMEDOUT"), false, "ConnectTimeout"],
  [withCode("ETIMEDOUT"), true, "UpstreamReset"],
  [withCode("ECONNRESET"), true, "UpstreamReset"],
  [withCode("EPIPE"), true, "UpstreamReset"],
  [new BadAnswer("closed"), true, "UpstreamReset"],
  [new BadAnswer("closed"), false, "ConnectFailed"],
  [new BadAnswer("malformed"), true, "InvalidAgentResponse"],
  [new BadAnswer("unexpected"), true, "InvalidAgentResponse"],
  [new TypeError("a bug"), true, "Internal"],
  ["no error at all", true, "Internal"],
] as const)("%s (sent: %s) is %s", (error, sent, reason) => {
  expect(failureOf(error, sent)).toBe(reason);
});
