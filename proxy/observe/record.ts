// One finished exchange of a client with the gateway: the single source of log line, metrics, trace and cost.
// Filled by the exchange as it goes, handed over once, after the last byte. Nothing downstream changes it.
import type { AgentRow, Binding } from "../table/contract.ts";
import type { TraceSpans } from "./trace.ts";
import type { KeyFault } from "../request/authenticate.ts";
import type { FailureReason } from "../request/failure.ts";

/** How the exchange ended, from a fixed list: fit for a metric label. */
export type Outcome =
  /** The agent answered and nothing in the answer says otherwise; a task that failed is a successful call. */
  | "ok"
  /** The agent answered with a JSON-RPC error, or with an HTTP error in the HTTP+JSON binding. */
  | "agent_error"
  /** The gateway refused: see `reason`. */
  | "refused"
  /** The gateway could not get an answer from the agent: see `reason`. */
  | "upstream_error"
  /** The client left before the end. */
  | "client_closed";

export interface FinishedRequest {
  /** Start, milliseconds since the epoch. */
  readonly time: number;
  /** Objects as `{namespace}/{name}`: only ever names that stand in the table. A key is told though it may not be used now. */
  readonly agent: string | undefined;
  readonly key: string | undefined;
  /** First 8 hex digits of the token's SHA-256. */
  readonly fingerprint: string | undefined;
  readonly user: string | undefined;
  readonly team: string | undefined;
  /** 1.0 operation name, `GetAgentCard` for the public card, `Extension` for an unknown method, undefined if it was never known. */
  readonly operation: string | undefined;
  /** The method as sent, where it is none of the protocol's: not for labels. */
  readonly method: string | undefined;
  readonly binding: Binding | undefined;
  readonly streaming: boolean;
  /** A2A protocol version of the request: "0.3", "1.0", or what the header said. */
  readonly version: string | undefined;
  readonly taskId: string | undefined;
  readonly contextId: string | undefined;
  /** Last task state seen, in the 1.0 spelling without prefix, lower case with hyphens: `completed`, `input-required`. */
  readonly state: string | undefined;
  readonly status: number;
  readonly outcome: Outcome;
  readonly reason: FailureReason | undefined;
  /** Why no key was in force; only with the reason `Unauthenticated`. */
  readonly keyFault: KeyFault | undefined;
  readonly rpcCode: number | undefined;
  /** Address and port, or the origin of a `url` backend. */
  readonly endpoint: string | undefined;
  readonly backend: string | undefined;
  /** Milliseconds, with fractions. */
  readonly latency: number;
  /** Milliseconds from the start to the first byte of the answer's body; undefined if there was none. */
  readonly firstByte: number | undefined;
  /** Milliseconds from the start to the end of a stream's first event. */
  readonly firstEvent: number | undefined;
  /** SSE events relayed. */
  readonly events: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Decimal string in the gateway's currency. */
  readonly cost: string | undefined;
  /** What `cost` is made of: `request`, `time` and `usage`, those that count joined with `+`. */
  readonly costSource: string | undefined;
  /** What the agent said that it used, by unit, as decimal strings; only where its price goes by usage. */
  readonly usage: ReadonlyMap<string, string> | undefined;
  /** W3C trace id, 32 hex digits: the client's, or one made here. */
  readonly traceId: string;
  /** Whether the trace is recorded: its spans go somewhere. */
  readonly sampled: boolean;
  /** Spans that are exported; undefined: none. */
  readonly spans: TraceSpans | undefined;
  /** Milliseconds from the start until the request left for the agent, as its span says; undefined: it never did, or no span is exported. */
  readonly sentAt: number | undefined;
  /** `logging.content` of the agent: `None` keeps what the payload tells (ids, state, method) out of the line. Absent: Metadata. */
  readonly logging?: AgentRow["logging"]["content"] | undefined;
  /** Only with `logging.content: Full`: cut at `logging.maxBytes`, redacted; a stream is folded into one list of its events. */
  readonly requestContent: string | undefined;
  readonly responseContent: string | undefined;
}
