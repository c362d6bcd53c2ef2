// What an answer teaches in passing. In: what readers saw of it. Out: facts for the record, and endpoints of tasks and contexts.
import type { Seen } from "../a2a/answer.ts";
import type { Operation } from "../a2a/operation.ts";
import { ContentCapture, USAGE_BYTES } from "../observe/content.ts";
import type { Agent } from "../table/compiled.ts";
import type { Binding } from "../table/contract.ts";
import type { Exchange } from "./exchange.ts";

/** Pairs of task and context that one answer may teach: a conversation has few. */
const MAX_LEARNT = 16;

export interface Call {
  readonly agent: Agent;
  readonly binding: Binding;
  readonly operation: Operation;
}

/** Remembers what an answer or event says of its task: for the record, and for the requests that follow. */
export function learn(exchange: Exchange, { agent }: Call, seen: Seen): void {
  const { plane, target } = exchange;
  if (seen.rpcCode !== undefined) exchange.rpcCode = seen.rpcCode;
  if (seen.state !== undefined) exchange.state = seen.state;
  if (seen.rpcCode !== undefined || exchange.status >= 400 || target === undefined) return;
  const { taskId, contextId } = seen;
  if (taskId !== undefined) exchange.taskId ??= taskId;
  if (contextId !== undefined) exchange.contextId ??= contextId;
  if (taskId === exchange.learntTask && contextId === exchange.learntContext) return;
  // One stream must not push out what is known of others.
  if (exchange.learnt === MAX_LEARNT) return;
  exchange.learnt++;
  exchange.learntTask = taskId;
  exchange.learntContext = contextId;
  if (taskId !== undefined) {
    plane.affinity.learn(agent.id, "task", taskId, target.identity, target.backend.name);
  }
  if (contextId !== undefined) {
    plane.affinity.learn(agent.id, "context", contextId, target.identity, target.backend.name);
  }
}

/** The request left: the agent's time for the head of its answer begins. */
export function awaitFirstByte(exchange: Exchange, agent: Agent): void {
  const { firstByte } = agent.row.timeouts;
  exchange.lateReason = "FirstByteTimeout";
  exchange.deadline = firstByte > 0 ? exchange.plane.monotonic() + firstByte : Infinity;
}

/** The first byte of the answer's body is here. */
export function markFirstByte(exchange: Exchange): void {
  exchange.firstByte ??= exchange.plane.monotonic() - exchange.startedAt;
}

/** Keeps the start of the answer when the agent's logging says so, and its end when the price goes by usage. */
export function captureAnswer(exchange: Exchange, agent: Agent): void {
  const { logging, usagePrices } = agent.row;
  const head = logging.content === "Full" ? logging.maxBytes : 0;
  const tail = usagePrices === undefined ? 0 : USAGE_BYTES;
  if (head > 0 || tail > 0) exchange.responseContent = new ContentCapture({ head, tail });
}
