// What a key may do. In: key, agent and the table. Out: yes, or the reason that the client is told.
import type { Agent, Key, Table } from "../table/compiled.ts";
import { faultOf } from "./authenticate.ts";

export type AgentDecision =
  | { readonly ok: true; readonly agent: Agent }
  | { readonly ok: false; readonly reason: "AgentNotFound" | "AgentNotGranted" };

const agentNotFound: AgentDecision = { ok: false, reason: "AgentNotFound" };
const agentNotGranted: AgentDecision = { ok: false, reason: "AgentNotGranted" };

/** Whether the key reaches the agent. An agent whose card is not public does not exist for a key that is not granted it. */
export function authorizeAgent(key: Key, agent: Agent | undefined, table: Pick<Table, "grants">): AgentDecision {
  if (agent === undefined) return agentNotFound;
  if (table.grants(key, agent)) return { ok: true, agent };
  return agent.row.card.visibility === "Public" ? agentNotGranted : agentNotFound;
}

/**
 * Whether the key may use the operation. `permission` is a 1.0 operation name that covers the 0.3 name and the streaming form, or
 * `Extension` for methods outside of the protocol: those need to be named, all others are granted by default.
 */
export function authorizeOperation(key: Key, permission: string): boolean {
  return key.operations === undefined ? permission !== "Extension" : key.operations.has(permission);
}

export type AccessDecision =
  /** With key and agent of now. */
  | { readonly ok: true; readonly key: Key; readonly agent: Agent }
  | { readonly ok: false; readonly reason: "KeyRevoked" | "AgentNotFound" | "AgentNotGranted" | "OperationNotGranted" };

/**
 * Judges a request that is already open again, after the table changed or time passed: with the rows of now. Another token, another
 * object under the same name, a lost grant or operation end it. `permission` is undefined while the operation is not known.
 */
export function stillAllowed(
  key: Key,
  agent: Agent,
  permission: string | undefined,
  table: Pick<Table, "keyById" | "agentByName" | "grants">,
  now: number,
  loopback: boolean,
): AccessDecision {
  const keyNow = table.keyById(key.id);
  if (keyNow === undefined || keyNow.row.uid !== key.row.uid || keyNow.row.sha256 !== key.row.sha256) return keyRevoked;
  if (faultOf(keyNow, now, loopback) !== undefined) return keyRevoked;
  const agentNow = table.agentByName(agent.namespace, agent.name);
  const decision = authorizeAgent(keyNow, agentNow?.row.uid === agent.row.uid ? agentNow : undefined, table);
  if (!decision.ok) return decision;
  if (permission !== undefined && !authorizeOperation(keyNow, permission)) return operationNotGranted;
  return { ok: true, key: keyNow, agent: decision.agent };
}

const keyRevoked: AccessDecision = { ok: false, reason: "KeyRevoked" };
const operationNotGranted: AccessDecision = { ok: false, reason: "OperationNotGranted" };
