// What is written down of an exchange. In: an exchange that is over. Out: its finished-request record.
import { GET_AGENT_CARD } from "../a2a/operation.ts";
import { costOf } from "../observe/cost.ts";
import type { FinishedRequest, Outcome } from "../observe/record.ts";
import type { FailureReason } from "../request/failure.ts";
import type { AgentRow } from "../table/contract.ts";
import type { Exchange } from "./exchange.ts";

/** Nginx's number for "client closed request": no answer was begun, so there is no status. */
const CLIENT_CLOSED = 499;

/** Reasons that lie with the agent and the way to it. */
const UPSTREAM: ReadonlySet<FailureReason> = new Set<FailureReason>([
  "NoEndpoints",
  "NoBackends",
  "EndpointGone",
  "CredentialMissing",
  "UpstreamRefused",
  "ConnectFailed",
  "ConnectTimeout",
  "FirstByteTimeout",
  "StreamIdle",
  "UpstreamReset",
  "InvalidAgentResponse",
  "UpstreamRedirect",
  "CardUnavailable",
]);

/** How an exchange ended. */
export function outcomeOf(exchange: Exchange): Outcome {
  const { reason, res, rpcCode, status } = exchange;
  if (reason !== undefined) return UPSTREAM.has(reason) ? "upstream_error" : "refused";
  if (!res.writableFinished) return "client_closed";
  return rpcCode !== undefined || status >= 400 ? "agent_error" : "ok";
}

/** A memo: rows never change, and most requests of an agent cost the same. */
const costs = new WeakMap<AgentRow, string | undefined>();

function priceOf(row: AgentRow): string | undefined {
  if (row.pricePerRequest === undefined) return undefined;
  if (!costs.has(row)) costs.set(row, costOf(row.pricePerRequest, true));
  return costs.get(row);
}

/** Only answered calls cost: an answer that the client did not wait for is one, too, once it had begun. */
function isCharged(exchange: Exchange, outcome: Outcome): boolean {
  if (exchange.key === undefined || exchange.target === undefined || exchange.operation === GET_AGENT_CARD)
    return false;
  return outcome === "ok" || (outcome === "client_closed" && exchange.firstByte !== undefined);
}

/** Makes the record; called once, after the last byte. */
export function recordOf(exchange: Exchange): FinishedRequest {
  const { plane, agent, key, target } = exchange;
  const outcome = outcomeOf(exchange);
  return {
    time: exchange.time,
    agent: agent?.id,
    key: key?.id,
    fingerprint: key?.fingerprint,
    user: key?.row.owner.user,
    team: key?.row.owner.team,
    operation: exchange.operation,
    method: exchange.method,
    binding: exchange.binding,
    streaming: exchange.streaming,
    version: exchange.version,
    taskId: exchange.taskId,
    contextId: exchange.contextId,
    state: exchange.state,
    status: exchange.status === 0 ? CLIENT_CLOSED : exchange.status,
    outcome,
    reason: exchange.reason,
    rpcCode: exchange.rpcCode,
    endpoint: target?.label,
    backend: target?.backend.name,
    latency: plane.monotonic() - exchange.startedAt,
    firstByte: exchange.firstByte,
    events: exchange.events,
    requestBytes: exchange.requestBytes,
    responseBytes: exchange.responseBytes,
    cost: agent !== undefined && isCharged(exchange, outcome) ? priceOf(agent.row) : undefined,
    traceId: exchange.trace.traceId,
    logging: agent?.row.logging.content,
    requestContent: exchange.requestContent?.text(),
    responseContent: exchange.responseContent?.text(),
  };
}
