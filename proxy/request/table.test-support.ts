// A real table for tests. In: what a test cares about. Out: a filled table, and rows that are valid in all else.
import { hash } from "node:crypto";
import type { AgentRow, GatewayRow, KeyRow, RowChange } from "../table/contract.ts";
import { GATEWAY_ROW_ID, agentRowId, keyRowId } from "../table/contract.ts";
import { createTable } from "../table/table.ts";

export const gatewayRow = (row: Partial<GatewayRow> = {}): GatewayRow => ({
  name: "default",
  trustedProxies: [],
  allowedUpstreams: [],
  ...row,
});

export const agentRow = (row: Partial<AgentRow> = {}): AgentRow => ({
  uid: "agent-uid",
  generation: 1,
  labels: {},
  publicName: "travel",
  allowedKeys: { from: "Same" },
  card: { visibility: "Public" },
  backends: [{ name: "main", weight: 1, url: "http://127.0.0.1:9000", interfaces: [] }],
  loadBalancing: "LeastRequest",
  timeouts: { connect: 2000, firstByte: 600_000, streamIdle: 0 },
  maxRequestBytes: 10_485_760,
  credentials: [],
  logging: { content: "Metadata", maxBytes: 16_384 },
  ...row,
});

export const keyRow = (token: string, row: Partial<KeyRow> = {}): KeyRow => ({
  uid: "key-uid",
  generation: 1,
  sha256: hash("sha256", token),
  owner: { user: "alice@example.com" },
  agents: [{ namespace: "agents", name: "travel" }],
  ...row,
});

export const putAgent = (row: Partial<AgentRow> = {}, name = "travel", namespace = "agents"): RowChange => ({
  id: agentRowId(namespace, name),
  row: agentRow(row),
});
export const putKey = (token: string, row: Partial<KeyRow> = {}, name = "alice", namespace = "agents"): RowChange => ({
  id: keyRowId(namespace, name),
  row: keyRow(token, row),
});

/** A whole table of these rows and a gateway row. */
export function tableOf(...changes: readonly RowChange[]) {
  const table = createTable();
  table.applyLocal([{ id: GATEWAY_ROW_ID, row: gatewayRow() }, ...changes], true);
  return table;
}
