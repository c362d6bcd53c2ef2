// The gateway's own errors on the wire. In: a reason. Out: the body that a client of the binding and version understands.
import { failure } from "../request/failure.ts";
import type { FailureReason } from "../request/failure.ts";
import type { Binding } from "../table/contract.ts";

/** `ErrorInfo.domain` of errors that the gateway makes, to tell them from the agent's. */
const ERROR_DOMAIN = "parley.dev";

export interface ErrorOptions {
  /** Raw JSON token of the request's id; absent: null. */
  readonly id?: string | undefined;
  /** A2A version of the request; absent: 0.3, whose errors carry no typed details. */
  readonly version?: string | undefined;
  /** Said after the reason's message; tells nothing secret. */
  readonly detail?: string | undefined;
}

/** A JSON-RPC error response (A2A 1.0 section 9.5), or a google.rpc error object (section 11.6). */
export function errorBody(binding: Binding, reason: FailureReason, options: ErrorOptions): string {
  const { status, code, rpcStatus, message } = failure(reason);
  const text = JSON.stringify(options.detail === undefined ? message : `${message} ${options.detail}`);
  if (binding === "HTTP+JSON") {
    return `{"error":{"code":${status},"status":"${rpcStatus}","message":${text},"details":[${errorInfo(reason)}]}}`;
  }
  const data = options.version === "1.0" ? `,"data":[${errorInfo(reason)}]` : "";
  return `{"jsonrpc":"2.0","id":${options.id ?? "null"},"error":{"code":${code},"message":${text}${data}}}`;
}

/** The same as the last event of a stream; old clients read its data without looking at the event's name. */
export function errorEvent(binding: Binding, reason: FailureReason, options: ErrorOptions): string {
  return `event: error\ndata: ${errorBody(binding, reason, options)}\n\n`;
}

function errorInfo(reason: FailureReason): string {
  const name = reason.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
  return `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"${name}","domain":"${ERROR_DOMAIN}"}`;
}
