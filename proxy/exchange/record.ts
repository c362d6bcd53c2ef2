// What is written down of an exchange. In: an exchange that is over. Out: its finished-request record.
import { GET_AGENT_CARD } from "../a2a/operation.ts";
import { type Cost, costOf } from "../observe/cost.ts";
import { foldStream } from "../observe/fold.ts";
import type { FinishedRequest, Outcome } from "../observe/record.ts";
import { createRedactor } from "../observe/redact.ts";
import { readUsage } from "../observe/usage.ts";
import type { FailureReason } from "../request/failure.ts";
import { fingerprintOf } from "../table/compiled.ts";
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
function outcomeOf(exchange: Exchange): Outcome {
  const { reason, res, rpcCode, status } = exchange;
  if (reason !== undefined) return UPSTREAM.has(reason) ? "upstream_error" : "refused";
  if (!res.writableFinished) return "client_closed";
  return rpcCode !== undefined || status >= 400 ? "agent_error" : "ok";
}

/** A memo: rows never change, and most requests of an agent cost the same. */
const costs = new WeakMap<AgentRow, Cost | undefined>();

function priceOf(row: AgentRow, latency: number, usage: ReadonlyMap<string, string> | undefined): Cost | undefined {
  if (row.pricePerSecond !== undefined || row.usagePrices !== undefined) return costOf(row, latency, usage);
  if (row.pricePerRequest === undefined) return undefined;
  if (!costs.has(row)) costs.set(row, costOf(row, 0, undefined));
  return costs.get(row);
}

/** Compiled once: rows never change. */
const redactors = new WeakMap<AgentRow, (text: string) => string>();

function redactorOf(row: AgentRow): (text: string) => string {
  let redact = redactors.get(row);
  if (redact === undefined) {
    redact = createRedactor(row.logging.redact);
    redactors.set(row, redact);
  }
  return redact;
}

/** What was asked, fit for a log. */
function requestContent({ agent, requestContent: kept }: Exchange): string | undefined {
  return kept === undefined || agent?.row.logging.content !== "Full" ? undefined : redactorOf(agent.row)(kept.start());
}

/** What was answered, fit for a log. An answer with an error status is nobody's message: it may hold whatever broke. */
function responseContent({ agent, responseContent: kept, status, streaming }: Exchange): string | undefined {
  if (kept === undefined || agent?.row.logging.content !== "Full" || status >= 400) return undefined;
  const redact = redactorOf(agent.row);
  return streaming ? foldStream(kept.start(), redact) : redact(kept.start());
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
  const latency = plane.monotonic() - exchange.startedAt;
  const charged = agent !== undefined && isCharged(exchange, outcome) ? agent.row : undefined;
  const kept = exchange.responseContent;
  const usage =
    charged?.usagePrices === undefined || kept === undefined
      ? undefined
      : readUsage(kept.end(), exchange.streaming, charged.usagePrices);
  const cost = charged === undefined ? undefined : priceOf(charged, latency, usage);
  return {
    time: exchange.time,
    agent: agent?.id,
    key: key?.id,
    fingerprint: key === undefined ? undefined : fingerprintOf(key),
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
    keyFault: exchange.keyFault,
    rpcCode: exchange.rpcCode,
    endpoint: target?.label,
    backend: target?.backend.name,
    latency,
    firstByte: exchange.firstByte,
    firstEvent: exchange.firstEvent,
    events: exchange.events,
    requestBytes: exchange.requestBytes,
    responseBytes: exchange.responseBytes,
    cost: cost?.amount,
    costSource: cost?.source,
    usage,
    traceId: exchange.trace.traceId,
    sampled: exchange.trace.sampled,
    spans: exchange.trace.spans,
    sentAt: exchange.sentAt,
    logging: agent?.row.logging.content,
    requestContent: requestContent(exchange),
    responseContent: responseContent(exchange),
  };
}
