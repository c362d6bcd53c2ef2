// Rows and edits by chance, the same for the same seed. In: a random source. Out: rows as an operator would send them.
import { createHash } from "node:crypto";
import {
  agentRowId,
  credentialRowId,
  endpointsRowId,
  GATEWAY_ROW_ID,
  keyRowId,
  namespaceRowId,
  type AgentRow,
  type KeyRow,
  type RowChange,
} from "../../proxy/table/contract.ts";

/** 0 ≤ random() < 1, by the seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const NAMESPACE = "default";

/** The row that every table has. */
export const settings: RowChange = {
  id: GATEWAY_ROW_ID,
  row: { name: "default", trustedProxies: [], allowedUpstreams: ["127.0.0.0/8"] },
};

export const agentRow = (name: string, url: string, generation = 1, labels: AgentRow["labels"] = {}): AgentRow => ({
  uid: `uid-${name}`,
  generation,
  labels,
  publicName: name,
  allowedKeys: { from: "Same" },
  card: { visibility: "Key" },
  backends: [{ name: "only", weight: 1, url, interfaces: [] }],
  loadBalancing: "LeastRequest",
  timeouts: { connect: 2_000, firstByte: 60_000, streamIdle: 0 },
  maxRequestBytes: 1024 * 1024,
  credentials: [],
  logging: { content: "Metadata", maxBytes: 16 * 1024 },
});

export const keyRow = (name: string, token: string, agents: readonly string[], more: Partial<KeyRow> = {}): KeyRow => ({
  uid: `uid-${name}`,
  generation: 1,
  sha256: createHash("sha256").update(token).digest("hex"),
  owner: { user: `${name}@example.com`, team: "tests" },
  agents: agents.map((agent) => ({ namespace: NAMESPACE, name: agent })),
  ...more,
});

/** One edit of one of some 1,500 rows: three of four put, the fourth removes. */
export function randomEdit(random: () => number): RowChange {
  const below = (n: number): number => Math.floor(random() * n);
  const kind = below(10);
  const removes = random() < 0.25;
  const put = (id: string, row: RowChange["row"]): RowChange => ({ id, row: removes ? null : row });
  if (kind < 4) {
    const name = `agent-${below(400)}`;
    const row = agentRow(name, `http://127.0.0.1:${1 + below(9)}/`, below(1_000), { domain: `d${below(3)}` });
    return put(agentRowId(NAMESPACE, name), row);
  }
  if (kind < 8) {
    const name = `key-${below(1_000)}`;
    const agents = [`agent-${below(400)}`, `agent-${below(400)}`];
    const disabled: Partial<KeyRow> = random() < 0.2 ? { disabled: true } : {};
    return put(keyRowId(NAMESPACE, name), keyRow(name, `${name}-${below(3)}`, agents, disabled));
  }
  if (kind === 8) {
    const endpoint = { address: `10.0.0.${below(250)}`, port: 80, ready: true, serving: true };
    return put(endpointsRowId(NAMESPACE, `service-${below(50)}`, 80), { endpoints: [endpoint] });
  }
  return random() < 0.5
    ? put(credentialRowId(NAMESPACE, `secret-${below(30)}`, "token"), { value: `v${below(100)}` })
    : put(namespaceRowId(`namespace-${below(20)}`), { labels: { tier: `t${below(5)}` } });
}
