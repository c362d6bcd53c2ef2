// The rows as they are served. In: judged rows coming and going. Out: maps by every name under which a request looks one up.
import type { Agent } from "./compiled.ts";
import type { Endpoint, GatewayRow, NamespaceRow, RowId } from "./contract.ts";
import type { KeyObjects } from "./key-objects.ts";
import { createKeyStore, type KeyStore } from "./key-store.ts";
import { packKey, type PackedKey } from "./packed-key.ts";
import { parseRow } from "./parse-row.ts";
import type { SharedParts } from "./shared-parts.ts";
import { createSoleHolders, type SoleHolders } from "./sole-holder.ts";

/** A row ready to be served, or why it is not. */
export type Compiled =
  | { readonly kind: "agent"; readonly agent: Agent }
  | { readonly kind: "key"; readonly key: PackedKey }
  | { readonly kind: "endpoints"; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: "credential"; readonly value: string }
  | { readonly kind: "namespace"; readonly row: NamespaceRow }
  | { readonly kind: "gateway"; readonly row: GatewayRow }
  | { readonly kind: "refused"; readonly reason: string; readonly uid: string | undefined }
  | { readonly kind: "unknown" };

/** By row id. What is refused stands in `refused`; an agent or the gateway may stand in its own map too, with its last good row. */
export interface Rows {
  readonly agents: Map<RowId, Agent>;
  readonly keys: KeyStore;
  readonly endpoints: Map<RowId, readonly Endpoint[]>;
  readonly credentials: Map<RowId, string>;
  readonly namespaces: Map<RowId, NamespaceRow>;
  readonly gateway: Map<RowId, GatewayRow>;
  readonly refused: Map<RowId, string>;
  readonly byPublicName: SoleHolders<Agent>;
}

export function createRows(objects: KeyObjects): Rows {
  return {
    agents: new Map(),
    keys: createKeyStore(objects),
    endpoints: new Map(),
    credentials: new Map(),
    namespaces: new Map(),
    gateway: new Map(),
    refused: new Map(),
    byPublicName: createSoleHolders(),
  };
}

/** `row`: the parsed row of a PUT line. `shared`: finds parts that other rows have already. */
export function compile(id: RowId, row: unknown, shared: SharedParts): Compiled {
  const parsed = parseRow(id, row);
  switch (parsed.outcome) {
    case "UnknownKind":
      return { kind: "unknown" };
    case "Refused":
      return { kind: "refused", reason: parsed.reason, uid: parsed.uid };
    case "Row":
      break;
  }
  switch (parsed.kind) {
    case "agent": {
      const [namespace = "", name = ""] = parsed.names;
      /** A part of the row's id, which is kept anyway. */
      const named = id.slice("agent/".length);
      return {
        kind: "agent",
        agent: { id: named, namespace: shared.text(namespace), name, row: shared.agent(parsed.row) },
      };
    }
    case "key":
      return { kind: "key", key: packKey(shared.key(parsed.row)) };
    case "endpoints":
      return { kind: "endpoints", endpoints: parsed.row.endpoints };
    case "credential":
      return { kind: "credential", value: parsed.row.value };
    case "namespace":
      return { kind: "namespace", row: parsed.row };
    case "gateway":
      return { kind: "gateway", row: parsed.row };
  }
}

/** What stands under the id now, in the form in which it was stored. */
export function stored(rows: Rows, id: RowId): Compiled {
  const reason = rows.refused.get(id);
  if (reason !== undefined) return { kind: "refused", reason, uid: undefined };
  const agent = rows.agents.get(id);
  if (agent !== undefined) return { kind: "agent", agent };
  const key = rows.keys.packed(id);
  if (key !== undefined) return { kind: "key", key };
  const endpoints = rows.endpoints.get(id);
  if (endpoints !== undefined) return { kind: "endpoints", endpoints };
  const value = rows.credentials.get(id);
  if (value !== undefined) return { kind: "credential", value };
  const namespace = rows.namespaces.get(id);
  if (namespace !== undefined) return { kind: "namespace", row: namespace };
  const gateway = rows.gateway.get(id);
  return gateway === undefined ? { kind: "unknown" } : { kind: "gateway", row: gateway };
}

/**
 * Stores a row in place of the one under its id. `before`: where the last good row of a refused agent is looked for (the same rows, or
 * those that a reset replaces). A refused row of another kind is not served: a key is denied, a backend has no endpoints.
 */
export function store(rows: Rows, id: RowId, compiled: Compiled, before: Rows = rows): void {
  const goodAgent = before.agents.get(id);
  const goodGateway = before.gateway.get(id);
  erase(rows, id);
  switch (compiled.kind) {
    case "agent":
      return storeAgent(rows, id, compiled.agent);
    case "key":
      return rows.keys.set(id, compiled.key);
    case "endpoints":
      return void rows.endpoints.set(id, compiled.endpoints);
    case "credential":
      return void rows.credentials.set(id, compiled.value);
    case "namespace":
      return void rows.namespaces.set(id, compiled.row);
    case "gateway":
      return void rows.gateway.set(id, compiled.row);
    case "refused":
      rows.refused.set(id, compiled.reason);
      // Of an object made anew under the same name, the old row is not its last good one.
      if (goodAgent !== undefined && (compiled.uid ?? goodAgent.row.uid) === goodAgent.row.uid) {
        storeAgent(rows, id, goodAgent);
      }
      if (goodGateway !== undefined) rows.gateway.set(id, goodGateway);
      return undefined;
    case "unknown":
      return undefined;
  }
}

export function erase(rows: Rows, id: RowId): void {
  const agent = rows.agents.get(id);
  if (agent?.row.publicName !== undefined) rows.byPublicName.remove(agent.row.publicName, agent);
  for (const map of [rows.agents, rows.keys, rows.endpoints, rows.credentials, rows.namespaces, rows.gateway]) {
    if (map.delete(id)) break;
  }
  rows.refused.delete(id);
}

function storeAgent(rows: Rows, id: RowId, agent: Agent): void {
  rows.agents.set(id, agent);
  if (agent.row.publicName !== undefined) rows.byPublicName.add(agent.row.publicName, agent);
}
