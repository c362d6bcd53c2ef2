// The operator's side of the stream for a bench: a table of the size asked for, served by the operator's own publisher.
// In: rows. Out: a URL for proxies.
import { createHash } from "node:crypto";
import { createPublisher } from "../../operator/publish/publisher.ts";
import { authenticateAnyone, createStreamServer } from "../../operator/publish/stream-server.ts";
import { createClock } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import type { AgentRow, KeyRow, RowChange } from "../../proxy/table/contract.ts";
import { agentRowId, GATEWAY_ROW_ID, keyRowId } from "../../proxy/table/contract.ts";

export const BENCH_TOKEN = "sk-bench-0123456789-0123456789-0123456789";

const nothing = (): void => undefined;
const quiet: Log = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

function agentRow(name: string, url: string): AgentRow {
  return {
    uid: `uid-${name}`,
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
    uid: `uid-${name}`,
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
      row: keyRow(`key-${i}`, `${BENCH_TOKEN}-${i}`, [`agent-${(i % agents) + 2}`]),
    });
  return changes;
}

/** Serves the rows as an operator does. */
export async function serveTable(
  changes: readonly RowChange[],
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const publisher = createPublisher({
    gateway: "default",
    replica: "bench",
    clock: createClock(),
    log: quiet,
    holder: () => "bench",
    metrics: { batch() {}, sent() {}, greeted() {}, acked() {}, ackRefused() {}, cut() {} },
  });
  publisher.apply(changes);
  publisher.open();
  const server = createStreamServer({
    publisher,
    gateway: "default",
    listen: { host: "127.0.0.1", port: 0 },
    authenticate: authenticateAnyone,
    clock: createClock(),
    log: quiet,
  });
  const { port } = await server.listen();
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}
