// Rows for tests. In: what a test cares about. Out: whole valid rows, and arbitrary tables and histories of changes for fast-check.
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import type { AgentRow, EndpointsRow, GatewayRow, KeyRow, Row, RowChange, RowId } from "./contract.ts";

export const sha256Of = (token: string): string => createHash("sha256").update(token).digest("hex");

export function agentRow(over: Partial<AgentRow> = {}): AgentRow {
  return {
    uid: "agent-uid",
    generation: 1,
    labels: { domain: "booking" },
    allowedKeys: { from: "Same" },
    card: { visibility: "Public" },
    backends: [
      {
        name: "stable",
        weight: 1,
        endpoints: "endpoints/agents/travel/http",
        scheme: "http",
        path: "/",
        host: "travel.agents.svc",
        interfaces: [{ binding: "JSONRPC", version: "1.0", path: "/" }],
      },
    ],
    loadBalancing: "LeastRequest",
    timeouts: { connect: 2000, firstByte: 600_000, streamIdle: 0 },
    maxRequestBytes: 10_485_760,
    credentials: [],
    logging: { content: "Metadata", maxBytes: 16_384 },
    ...over,
  };
}

export function keyRow(token: string, over: Partial<KeyRow> = {}): KeyRow {
  return {
    uid: `uid of ${token.slice(0, 4)}`,
    generation: 1,
    sha256: sha256Of(token),
    owner: { user: "alice@example.com", team: "booking" },
    agents: [{ namespace: "agents", name: "travel" }],
    ...over,
  };
}

export function endpointsRow(...addresses: string[]): EndpointsRow {
  return {
    endpoints: addresses.map((address) => ({ pod: `pod-${address}`, address, port: 8080, ready: true, serving: true })),
  };
}

export const gatewayRow: GatewayRow = { name: "default", trustedProxies: [], allowedUpstreams: [] };

const names = fc.constantFrom("a", "b", "c", "d");
const labels = fc.dictionary(fc.constantFrom("domain", "tier"), fc.constantFrom("x", "y"), { maxKeys: 2 });
const selector = fc.record({ matchLabels: labels });
const allowedKeys = fc.oneof(
  fc.constantFrom<AgentRow["allowedKeys"]>({ from: "Same" }, { from: "All" }),
  selector.map((selector) => ({ from: "Selector" as const, selector })),
);
const grants = fc.array(
  fc.oneof(
    fc.record({ namespace: names, name: names }),
    selector.map((selector) => ({ selector })),
  ),
  { maxLength: 3 },
);

/** Public names follow from the id, as the operator sees to it that no two agents hold one. */
const agentPut = fc
  .record({ namespace: names, name: names, labels, allowedKeys, generation: fc.nat(5), named: fc.boolean() })
  .map(({ namespace, name, named, ...rest }) => ({
    id: `agent/${namespace}/${name}`,
    row: agentRow(named ? { ...rest, publicName: `${namespace}-${name}` } : rest),
  }));

const keyPut = fc
  .record({ namespace: names, name: names, agents: grants, rotation: fc.nat(2), refused: fc.boolean() })
  .map(({ namespace, name, agents, rotation, refused }) => {
    const row = keyRow(`sk-${namespace}-${name}-${rotation}`, { agents });
    return { id: `key/${namespace}/${name}`, row: refused ? { ...row, requires: ["budget"] } : row };
  });

const otherPut = fc.oneof(
  fc.record({ namespace: names, addresses: fc.uniqueArray(fc.ipV4(), { maxLength: 3 }) }).map((one) => ({
    id: `endpoints/${one.namespace}/svc/http`,
    row: endpointsRow(...one.addresses),
  })),
  fc.record({ name: names, value: fc.string() }).map((one) => ({
    id: `credential/a/${one.name}/token`,
    row: { value: one.value },
  })),
  fc.record({ name: names, labels }).map((one) => ({ id: `namespace/${one.name}`, row: { labels: one.labels } })),
  fc.record({ publicUrl: fc.webUrl() }).map((one) => ({ id: "gateway", row: { ...gatewayRow, ...one } })),
  // A kind of a later release.
  fc.record({ name: names, limit: fc.nat(9) }).map((one) => ({
    id: `quota/${one.name}`,
    row: { limit: one.limit } as unknown as Row,
  })),
);

const put: fc.Arbitrary<RowChange> = fc.oneof(agentPut, keyPut, otherPut);
export const changes = (maxLength: number): fc.Arbitrary<readonly RowChange[]> =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: put },
      { weight: 1, arbitrary: put.map(({ id }): RowChange => ({ id, row: null })) },
    ),
    { maxLength },
  );

/** The rows that stand after these changes. */
export function finalRows(history: Iterable<readonly RowChange[]>): Map<RowId, Row> {
  const rows = new Map<RowId, Row>();
  for (const batch of history) {
    for (const { id, row } of batch) {
      if (row === null) rows.delete(id);
      else rows.set(id, row);
    }
  }
  return rows;
}
