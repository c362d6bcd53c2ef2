// One exchange of a client with the gateway. In: request and response of node:http. Out: the facts that stages add as they go, and
// what all exchanges share.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import type { ContentCapture } from "../observe/content.ts";
import type { RequestMetrics } from "../observe/metrics.ts";
import type { FinishedRequest } from "../observe/record.ts";
import type { TraceContext } from "../observe/trace.ts";
import type { FailureReason } from "../request/failure.ts";
import type { Agent, Key, Table } from "../table/compiled.ts";
import type { Binding } from "../table/contract.ts";
import type { Affinity } from "../upstream/affinity.ts";
import type { Target } from "../upstream/endpoint.ts";
import type { Forward } from "../upstream/forward.ts";
import type { Buffers } from "./buffers.ts";
import type { Lingering } from "./lingering.ts";

/** What all exchanges of one proxy share. */
export interface Plane {
  readonly table: Table;
  readonly clock: Clock;
  /** Milliseconds with fractions, for durations only. */
  readonly monotonic: () => number;
  readonly log: Log;
  readonly metrics: Pick<RequestMetrics, "streamOpened" | "streamClosed">;
  readonly tracer: { next(header: string | readonly string[] | undefined): TraceContext };
  readonly forward: Forward;
  readonly affinity: Affinity;
  readonly buffers: Buffers;
  /** Exchanges that are not over. */
  readonly open: Set<Exchange>;
  /** Milliseconds that a body may take. */
  readonly bodyTimeout: number;
  finished(record: FinishedRequest): void;
  /** Sockets that are to come to an end by themselves. */
  readonly lingering: Lingering;
  /** Whether only this machine reaches the listener. */
  loopback: boolean;
  draining: boolean;
}

export interface Exchange {
  readonly plane: Plane;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly startedAt: number;
  readonly trace: TraceContext;
  /** The client waits for 100 before it sends the body (RFC 9110 section 10.1.1). */
  awaitsContinue: boolean;
  /** No more is done for it: it failed, or the answer's last byte was handed over. */
  over: boolean;
  /** Ends what runs for it: the reading of the body, the request to the agent. */
  stop: (() => void) | undefined;
  /** When it fails with `lateReason`; milliseconds since the epoch, Infinity for never. */
  deadline: number;
  lateReason: "RequestTimeout" | "StreamIdle";
  /** Writes what tells a client in the middle of a stream why it ends; set while a stream runs. */
  cutStream: ((reason: FailureReason) => void) | undefined;
  agent: Agent | undefined;
  key: Key | undefined;
  operation: string | undefined;
  /** What `VirtualKey.operations` must hold; undefined until it is known. */
  permission: string | undefined;
  method: string | undefined;
  binding: Binding | undefined;
  streaming: boolean;
  /** For the record and for errors: as sent, else as the method is spelled. */
  version: string | undefined;
  /** As the client sent it, for the agent. */
  sentVersion: string | undefined;
  /** Raw JSON token of the JSON-RPC id. */
  rpcId: string | undefined;
  taskId: string | undefined;
  contextId: string | undefined;
  state: string | undefined;
  status: number;
  reason: FailureReason | undefined;
  rpcCode: number | undefined;
  target: Target | undefined;
  firstByte: number | undefined;
  events: number;
  requestBytes: number;
  responseBytes: number;
  /** Bytes of the budget for bodies that it holds. */
  held: number;
  requestContent: ContentCapture | undefined;
  responseContent: ContentCapture | undefined;
}

/** Begins an exchange and puts it among the open ones. */
export function openExchange(
  plane: Plane,
  req: IncomingMessage,
  res: ServerResponse,
  awaitsContinue: boolean,
): Exchange {
  const exchange: Exchange = {
    plane,
    req,
    res,
    time: plane.clock.now(),
    startedAt: plane.monotonic(),
    trace: plane.tracer.next(req.headers["traceparent"]),
    awaitsContinue,
    over: false,
    stop: undefined,
    deadline: Infinity,
    lateReason: "RequestTimeout",
    cutStream: undefined,
    agent: undefined,
    key: undefined,
    operation: undefined,
    permission: undefined,
    method: undefined,
    binding: undefined,
    streaming: false,
    version: undefined,
    sentVersion: undefined,
    rpcId: undefined,
    taskId: undefined,
    contextId: undefined,
    state: undefined,
    status: 0,
    reason: undefined,
    rpcCode: undefined,
    target: undefined,
    firstByte: undefined,
    events: 0,
    requestBytes: 0,
    responseBytes: 0,
    held: 0,
    requestContent: undefined,
    responseContent: undefined,
  };
  plane.open.add(exchange);
  return exchange;
}
