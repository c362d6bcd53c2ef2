// One exchange of a client with the gateway. In: request and response of the client. Out: the facts that stages add as they go, and
// what all exchanges share.
import type { Clock } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import type { ContentCapture } from "../observe/content.ts";
import type { RequestMetrics } from "../observe/metrics.ts";
import type { FinishedRequest } from "../observe/record.ts";
import type { TraceContext } from "../observe/trace.ts";
import type { Digests, KeyFault } from "../request/authenticate.ts";
import type { FailureReason } from "../request/failure.ts";
import type { Agent, Key, Table } from "../table/compiled.ts";
import type { Binding } from "../table/contract.ts";
import type { Affinity } from "../upstream/affinity.ts";
import type { Target } from "../upstream/endpoint.ts";
import type { Forward } from "../upstream/forward.ts";
import type { Buffers } from "./buffers.ts";
import type { ClientRequest, ClientResponse } from "./client.ts";
import type { Lingering } from "./lingering.ts";
import type { Slots, Slotted } from "./slots.ts";

export interface Running {
  /** Ends it; nothing more is heard of it. */
  abort(): void;
}

/** What all exchanges of one proxy share. */
export interface Plane {
  readonly table: Table;
  readonly clock: Clock;
  /** Milliseconds with fractions, for durations and deadlines: it never steps. */
  readonly monotonic: () => number;
  readonly log: Log;
  readonly metrics: Pick<RequestMetrics, "streamOpened" | "streamClosed">;
  readonly digests: Digests;
  readonly tracer: { next(header: string | readonly string[] | undefined): TraceContext };
  readonly forward: Forward;
  readonly affinity: Affinity;
  readonly buffers: Buffers;
  /** Exchanges that are not over. */
  readonly open: Slots<Exchange>;
  /** Milliseconds that a body may take. */
  readonly bodyTimeout: number;
  finished(record: FinishedRequest): void;
  /** Sockets that are to come to an end by themselves. */
  readonly lingering: Lingering;
  /** Whether only this machine reaches the listener. */
  loopback: boolean;
  draining: boolean;
}

/**
 * The facts of one exchange.
 *
 * What lives as long as a request is a class with methods here, never an object literal with functions in it, and no function
 * literal is assigned to a property: V8 makes such functions in old space at once, where the dead ones keep request and response
 * alive until the next full collection, and every scavenge copies them. That doubles the cost of a request.
 */
export class Exchange implements Slotted {
  slot = -1;
  readonly plane: Plane;
  readonly req: ClientRequest;
  readonly res: ClientResponse;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** By the monotonic clock. */
  readonly startedAt: number;
  readonly trace: TraceContext;
  /** The client waits for 100 before it sends the body (RFC 9110 section 10.1.1). */
  awaitsContinue: boolean;
  /** No more is done for it: it failed, or the answer's last byte was handed over. */
  over = false;
  /** What runs for it and ends with it: the reading of the body, the request to the agent. */
  running: Running | undefined = undefined;
  /** When it fails with `lateReason`; by the monotonic clock, Infinity for never. */
  deadline = Infinity;
  lateReason: FailureReason = "RequestTimeout";
  /** Set once a stream runs. */
  stream: { cut(reason: FailureReason): void; closed(): void } | undefined = undefined;
  agent: Agent | undefined = undefined;
  /** Also one that may not be used now: then the exchange is over. */
  key: Key | undefined = undefined;
  operation: string | undefined = undefined;
  /** What `VirtualKey.operations` must hold; undefined until it is known. */
  permission: string | undefined = undefined;
  method: string | undefined = undefined;
  binding: Binding | undefined = undefined;
  streaming = false;
  /** For the record and for errors: as sent, else as the method is spelled. */
  version: string | undefined = undefined;
  /** As the client sent it, for the agent. */
  sentVersion: string | undefined = undefined;
  /** Raw JSON token of the JSON-RPC id. */
  rpcId: string | undefined = undefined;
  taskId: string | undefined = undefined;
  contextId: string | undefined = undefined;
  state: string | undefined = undefined;
  status = 0;
  reason: FailureReason | undefined = undefined;
  /** Only with the reason `Unauthenticated`. */
  keyFault: KeyFault | undefined = undefined;
  rpcCode: number | undefined = undefined;
  target: Target | undefined = undefined;
  /** Only of exchanges whose spans are exported. */
  sentAt: number | undefined = undefined;
  firstByte: number | undefined = undefined;
  firstEvent: number | undefined = undefined;
  events = 0;
  /** Pairs of task and context that the answer taught so far, and the last one. */
  learnt = 0;
  learntTask: string | undefined = undefined;
  learntContext: string | undefined = undefined;
  requestBytes = 0;
  responseBytes = 0;
  /** Bytes of the budget for bodies that it holds. */
  held = 0;
  requestContent: ContentCapture | undefined = undefined;
  responseContent: ContentCapture | undefined = undefined;

  constructor(plane: Plane, req: ClientRequest, res: ClientResponse, awaitsContinue: boolean) {
    this.plane = plane;
    this.req = req;
    this.res = res;
    this.time = plane.clock.now();
    this.startedAt = plane.monotonic();
    this.trace = plane.tracer.next(req.headers["traceparent"]);
    this.awaitsContinue = awaitsContinue;
  }
}
