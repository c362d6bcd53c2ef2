// What an error on the way to an agent means. In: the error, and whether the request had left. Out: a reason of the failure table.
import type { FailureReason } from "../request/failure.ts";

/** Names an error of ours or of a socket. `sent` tells a connection that never came up from one that broke. */
export function failureOf(error: unknown, sent: boolean): FailureReason {
  switch (codeOf(error)) {
    case "PARLEY_ADDRESS_REFUSED":
      return "UpstreamRefused";
    case "PARLEY_CONNECT_TIMEOUT":
      return "ConnectTimeout";
    case "PARLEY_BAD_ANSWER":
      return "InvalidAgentResponse";
    case "ETIMEDOUT":
      return sent ? "UpstreamReset" : "ConnectTimeout";
    // An error without a code is a bug of ours.
    case undefined:
      return "Internal";
    default:
      return sent ? "UpstreamReset" : "ConnectFailed";
  }
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
