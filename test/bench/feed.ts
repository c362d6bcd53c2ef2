// The table of a bench. In: how many agents and keys, and where the agents are. Out: rows.
import { createHash } from "node:crypto";
import type { AgentRow, KeyRow, RowChange } from "../../proxy/table/contract.ts";
import { agentRowId, GATEWAY_ROW_ID, keyRowId } from "../../proxy/table/contract.ts";

export const BENCH_TOKEN = "sk-bench-0123456789-0123456789-0123456789";

/** As long as the uid of an object. */
const uidOf = (name: string): string =>
  createHash("sha256")
    .update(name)
    .digest("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");

function agentRow(name: string, url: string): AgentRow {
  return {
    uid: uidOf(name),
    generation: 1,
    labels: { domain: "bench" },
    publicName: name,
    allowedKeys: { from: "Same" },
    card: { visibility: "Public" },
    backends: [{ name: "only", weight: 1, url, interfaces: [{ binding: "JSONRPC", version: "0.3", path: "/" }] }],
    loadBalancing: "LeastRequest",
    timeouts: { connect: 2_000, firstByte: 600_000, streamIdle: 0 },
    maxRequestBytes: 10 * 1024 * 1024,
    credentials: [],
    pricePerRequest: "0.002",
    logging: { content: "Metadata", maxBytes: 16 * 1024 },
  };
}

function keyRow(name: string, token: string, agents: readonly string[]): KeyRow {
  return {
    uid: uidOf(name),
    generation: 1,
    sha256: createHash("sha256").update(token).digest("hex"),
    owner: { user: `${name}@example.com`, team: "bench" },
    agents: agents.map((agent) => ({ namespace: "default", name: agent })),
  };
}

/** `bench` and `stream` are agents at the two URLs; the others make up the numbers. */
export function benchTable(agents: number, keys: number, url: string, streamUrl: string): readonly RowChange[] {
  const changes: RowChange[] = [
    { id: GATEWAY_ROW_ID, row: { name: "default", trustedProxies: [], allowedUpstreams: ["127.0.0.0/8"] } },
    { id: agentRowId("default", "bench"), row: agentRow("bench", url) },
    { id: agentRowId("default", "stream"), row: agentRow("stream", streamUrl) },
    { id: keyRowId("default", "bench"), row: keyRow("bench", BENCH_TOKEN, ["bench", "stream"]) },
  ];
  for (let i = 2; i < agents; i += 1)
    changes.push({ id: agentRowId("default", `agent-${i}`), row: agentRow(`agent-${i}`, url) });
  for (let i = 1; i < keys; i += 1)
    changes.push({
      id: keyRowId("default", `key-${i}`),
      row: keyRow(`key-${i}`, `${BENCH_TOKEN}-${i}`, [`agent-${i % agents}`, `agent-${(i * 7 + 1) % agents}`]),
    });
  return changes;
}
