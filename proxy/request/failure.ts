// Every reason for which the gateway itself answers with an error: HTTP status, JSON-RPC code, google.rpc status, log level.
// One table; bodies are made of it in a2a/error-body.ts, metrics take their `reason` label from its names.

export interface Failure {
  readonly status: number;
  /** JSON-RPC code. -32000 to -32099 are server-defined; A2A's own stand at -32001 to -32009. */
  readonly code: number;
  /** `google.rpc.Code` name for the HTTP+JSON binding. */
  readonly rpcStatus: string;
  readonly level: "info" | "warn" | "error";
  /** What the client reads; says what to do and tells nothing secret. */
  readonly message: string;
}

const table = {
  // Who are you
  Unauthenticated: [
    401,
    -32050,
    "UNAUTHENTICATED",
    "info",
    "A valid virtual key is required: send `Authorization: Bearer <key>`.",
  ],
  // Where to
  AgentNotFound: [
    404,
    -32051,
    "NOT_FOUND",
    "info",
    "No such agent. Check the name in the path: /a2a/{agent} or /ns/{namespace}/a2a/{name}.",
  ],
  PathNotFound: [
    404,
    -32051,
    "NOT_FOUND",
    "info",
    "No such path under an agent. Use the URL of the agent card, or an operation of the A2A HTTP+JSON binding.",
  ],
  MethodNotAllowed: [
    405,
    -32600,
    "UNIMPLEMENTED",
    "info",
    "This path is not served with this HTTP method. JSON-RPC goes by POST to the agent's own URL.",
  ],
  // May you
  AgentNotGranted: [403, -32052, "PERMISSION_DENIED", "info", "This key does not grant this agent."],
  OperationNotGranted: [
    403,
    -32052,
    "PERMISSION_DENIED",
    "info",
    "This key does not grant this operation. A method outside the protocol needs the operation Extension: check its spelling.",
  ],
  KeyRevoked: [401, -32050, "UNAUTHENTICATED", "info", "The virtual key was revoked while the request ran."],
  // What do you say
  ParseError: [400, -32700, "INVALID_ARGUMENT", "info", "The body is not valid JSON."],
  MalformedRequest: [400, -32600, "INVALID_ARGUMENT", "info", "The HTTP request is malformed."],
  InvalidRequest: [
    400,
    -32600,
    "INVALID_ARGUMENT",
    "info",
    "The body is not a valid JSON-RPC 2.0 request. Batches are not served.",
  ],
  InvalidParams: [
    400,
    -32602,
    "INVALID_ARGUMENT",
    "info",
    "An id in the request is doubled, misspelled or not a string.",
  ],
  InvalidPath: [
    400,
    -32600,
    "INVALID_ARGUMENT",
    "info",
    "The path or query is ambiguous: it reads differently once decoded, or states an id twice.",
  ],
  UnsupportedMediaType: [
    415,
    -32005,
    "INVALID_ARGUMENT",
    "info",
    "Send the header `Content-Type: application/json` (or application/a2a+json), and JSON in UTF-8 without a byte order mark or content coding.",
  ],
  RequestTooLarge: [
    413,
    -32600,
    "INVALID_ARGUMENT",
    "info",
    "The body is larger than this agent takes (limits.maxRequestBytes).",
  ],
  RequestTimeout: [408, -32600, "DEADLINE_EXCEEDED", "info", "The body did not arrive in time."],
  TooManyBuffers: [503, -32053, "RESOURCE_EXHAUSTED", "warn", "Too many request bodies are being received. Try again."],
  // Can it be had
  NotReady: [503, -32053, "UNAVAILABLE", "warn", "The gateway has no complete routing table yet. Try again."],
  NoEndpoints: [503, -32053, "UNAVAILABLE", "warn", "The agent has no ready endpoint."],
  NoBackends: [503, -32053, "UNAVAILABLE", "warn", "All backends of the agent have weight 0."],
  EndpointGone: [503, -32053, "UNAVAILABLE", "warn", "The copy of the agent that held this task or context is gone."],
  CredentialMissing: [
    503,
    -32053,
    "UNAVAILABLE",
    "error",
    "A credential that the agent needs is missing. Tell the agent's owner.",
  ],
  UpstreamRefused: [502, -32054, "UNAVAILABLE", "error", "The agent's address may not be reached from this gateway."],
  ConnectFailed: [502, -32054, "UNAVAILABLE", "warn", "The agent could not be reached."],
  ConnectTimeout: [
    504,
    -32054,
    "DEADLINE_EXCEEDED",
    "warn",
    "The agent did not accept a connection in time (timeouts.connect).",
  ],
  FirstByteTimeout: [
    504,
    -32054,
    "DEADLINE_EXCEEDED",
    "warn",
    "The agent did not answer in time (timeouts.firstByte).",
  ],
  StreamIdle: [504, -32054, "DEADLINE_EXCEEDED", "warn", "The agent sent nothing for too long (timeouts.streamIdle)."],
  UpstreamReset: [502, -32054, "UNAVAILABLE", "warn", "The agent closed the connection before its answer was whole."],
  InvalidAgentResponse: [502, -32006, "INTERNAL", "warn", "The agent's answer is not valid for the protocol."],
  UpstreamRedirect: [502, -32054, "UNAVAILABLE", "warn", "The agent answered with a redirect, which is not followed."],
  CardUnavailable: [502, -32054, "UNAVAILABLE", "warn", "The agent's card could not be read."],
  NoPublicUrl: [
    503,
    -32053,
    "UNAVAILABLE",
    "error",
    "The gateway does not know its own URL: its administrator has to set --public-url or --trusted-proxies.",
  ],
  Draining: [503, -32053, "UNAVAILABLE", "info", "The gateway is shutting down. Try again."],
  Internal: [500, -32603, "INTERNAL", "error", "The gateway failed."],
} as const satisfies Record<string, readonly [number, number, string, Failure["level"], string]>;

export type FailureReason = keyof typeof table;

/** All reasons, for metrics that show every label value from the start. */
export const FAILURE_REASONS = Object.keys(table) as readonly FailureReason[];

/** What the client is told for a reason. */
export function failure(reason: FailureReason): Failure {
  const [status, code, rpcStatus, level, message] = table[reason];
  return { status, code, rpcStatus, level, message };
}
