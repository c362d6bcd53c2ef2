// What an error of the HTTP client means. In: the error, and whether the request had left. Out: a reason of the failure table.
import { errors } from "undici";
import type { FailureReason } from "../request/failure.ts";

/**
 * Names an error of undici, of the connector or of a socket. `sent` tells a connection that never came up from one that broke.
 */
export function failureOf(error: unknown, sent: boolean): FailureReason {
  // It has no code. A connection closed in the middle of a message is a SocketError.
  if (error instanceof errors.HTTPParserError) return "InvalidAgentResponse";
  const code = codeOf(error);
  switch (code) {
    case "PARLEY_ADDRESS_REFUSED":
      return "UpstreamRefused";
    case "UND_ERR_CONNECT_TIMEOUT":
      return "ConnectTimeout";
    case "ETIMEDOUT":
      return sent ? "UpstreamReset" : "ConnectTimeout";
    case "UND_ERR_HEADERS_TIMEOUT":
      return "FirstByteTimeout";
    case "UND_ERR_BODY_TIMEOUT":
      return "StreamIdle";
    case "UND_ERR_HEADERS_OVERFLOW":
      return "InvalidAgentResponse";
    case "UND_ERR_INVALID_ARG":
    case "UND_ERR_NOT_SUPPORTED":
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
