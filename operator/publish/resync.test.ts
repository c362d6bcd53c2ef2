// What a proxy is sent that holds a table already, that only stands by, or that comes while others are being sent the table.
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { FakeClock } from "../../proxy/table/clock.test-support.ts";
import type { RowChange, Subscription } from "../../proxy/table/contract.ts";
import { createPublisher } from "./publisher.ts";
import type { Publisher } from "./publisher.ts";
import { quietLog, quietMetrics } from "./quiet.test-support.ts";
import { openStream, postAck } from "./stream-client.test-support.ts";
import type { StreamClient } from "./stream-client.test-support.ts";
import { authenticateAnyone, createStreamServer } from "./stream-server.ts";
import type { StreamServer } from "./stream-server.ts";

const put = (id: string, value: string): RowChange => ({ id, row: { value } });
const gone = (id: string): RowChange => ({ id, row: null });
const many = (count: number, value: string): RowChange[] =>
  Array.from({ length: count }, (_, at) => put(`credential/ns/${at}`, value));

describe("a stream", () => {
  let clock: FakeClock;
  let publisher: Publisher;
  let server: StreamServer;
  let port = 0;
  let holder: string | undefined;
  let greeted: [string, number][];
  let bytes: Map<string, number>;
  const clients: StreamClient[] = [];
  const connect = async (
    more: Partial<Subscription> = {},
    held?: ReadonlyMap<string, string>,
  ): Promise<StreamClient> => {
    const client = await openStream(port, { gateway: "default", proxy: `p${clients.length}`, ...more }, held);
    clients.push(client);
    return client;
  };
  const newest = async (client: StreamClient): Promise<void> => {
    await client.until("COMMIT", ({ sequence }) => sequence === publisher.state.sequence);
    expect(client.version()).toBe(publisher.state.version);
  };

  beforeEach(async () => {
    clock = createFakeClock();
    greeted = [];
    bytes = new Map();
    holder = "r1";
    publisher = createPublisher({
      gateway: "default",
      replica: "r1",
      holder: () => holder,
      clock,
      log: quietLog,
      metrics: {
        ...quietMetrics,
        greeted: (...what) => greeted.push(what),
        sent: (kind, count) => bytes.set(kind, (bytes.get(kind) ?? 0) + count),
      },
    });
    const listen = { host: "127.0.0.1", port: 0 };
    server = createStreamServer({
      publisher,
      gateway: "default",
      listen,
      authenticate: authenticateAnyone,
      clock,
      log: quietLog,
    });
    ({ port } = await server.listen());
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await server.close();
  });

  it("brings a proxy that comes again only the buckets that differ, far under one percent of the table", async () => {
    publisher.apply([...many(5_000, "x".repeat(100)), put("key/ns/a", "1"), put("key/ns/b", "1")]);
    publisher.open();
    const first = await connect();
    await newest(first);
    const [version, buckets] = [first.version(), first.prefixes()];
    first.close();
    clock.advance(100);
    publisher.apply([put("key/ns/a", "2"), gone("key/ns/b"), put("key/ns/c", "1")]);

    const again = await connect({ version, buckets }, first.table);
    const batch = await again.until("BATCH");
    expect(batch.reset).toBe(false);
    expect(batch.buckets).toEqual(batch.buckets?.toSorted((a, b) => a - b));
    await newest(again);
    expect(again.table).toEqual(new Map(publisher.lines()));
    expect(greeted).toEqual([
      ["snapshot", 0],
      ["buckets", 3],
    ]);
    expect(bytes.get("buckets")).toBeLessThan((bytes.get("snapshot") ?? 0) / 100);
  });

  it("brings the whole table where most of it differs, or the prefixes name no difference", async () => {
    publisher.apply(many(5_000, "1"));
    publisher.open();
    const first = await connect();
    await newest(first);
    const [version, buckets] = [first.version(), first.prefixes()];
    const lying = await connect({ version: "0".repeat(64), buckets });
    expect(await lying.until("BATCH")).toMatchObject({ reset: true });
    clock.advance(100);
    publisher.apply(many(5_000, "2"));
    const again = await connect({ version, buckets }, first.table);
    expect(await again.until("BATCH")).toMatchObject({ reset: true });
    await newest(again);
  });

  it("on standby begins with greeting and heartbeat, then brings only what decides access", async () => {
    publisher.apply([put("key/ns/a", "1"), put("credential/ns/s/k", "1")]);
    publisher.open();
    const client = await connect({ standby: true });
    expect(await client.until("HELLO")).toMatchObject({ holder: "r1" });
    const { version } = publisher.state;
    expect(await client.until("HEARTBEAT")).toMatchObject({ sequence: 1, version, holder: "r1" });
    expect(client.lines).toHaveLength(2);

    clock.advance(100);
    publisher.apply([gone("key/ns/a"), put("credential/ns/s/k", "2"), put("agent/ns/x", "1")]);
    const commit = await client.until("COMMIT");
    expect(commit).toMatchObject({ sequence: 2, lines: 2, version: publisher.state.version });
    expect(client.lines.slice(2).map((line) => ("id" in line ? `${line.type} ${line.id}` : line.type))).toEqual([
      "BATCH",
      "REMOVE key/ns/a",
      "PUT agent/ns/x",
      "COMMIT",
    ]);
    clock.advance(100);
    publisher.apply([put("credential/ns/s/k", "3")]);
    clock.advance(50);
    expect(await client.until("COMMIT")).toMatchObject({ sequence: 3, lines: 0, version: publisher.state.version });
    expect(await client.until("HEARTBEAT")).toMatchObject({ sequence: 3, version: publisher.state.version });
  });

  it("counts acknowledgements of standby streams, and keeps them when the proxy changes over", async () => {
    publisher.apply([put("key/ns/a", "1")]);
    publisher.open();
    const { sequence, version } = publisher.state;
    const ack = { proxy: "p", replica: "r1", sequence, version, refused: [], refusedRows: 0 };
    const standby = await connect({ proxy: "p", standby: true });
    await standby.until("HEARTBEAT");
    expect(await postAck(port, { ...ack, version: "f".repeat(64) })).toBe(409);
    expect(publisher.proxies()).toMatchObject([{ standby: true, acked: undefined }]);
    expect(await postAck(port, ack)).toBe(204);
    const applied = await connect({ proxy: "p", version });
    await applied.until("COMMIT");
    expect(publisher.proxies()).toMatchObject([{ standby: false, acked: { sequence, version } }]);
  });

  it("names the holder as it is at the moment of each heartbeat", async () => {
    publisher.open();
    const client = await connect({ standby: true });
    await client.until("HEARTBEAT");
    holder = undefined;
    publisher.beat();
    expect((await client.until("HEARTBEAT")).holder).toBeUndefined();
    holder = "r2";
    clock.advance(250);
    expect((await client.until("HEARTBEAT")).holder).toBe("r2");
  });

  it("lets who comes while a snapshot is being sent have the same one, and what changed since right after it", async () => {
    publisher.apply(many(5_000, "x".repeat(4_000)));
    publisher.open();
    const slow = await connect();
    slow.pause();
    clock.advance(100);
    publisher.apply([put("key/ns/a", "1"), gone("credential/ns/7")]);
    const later = await connect();
    expect(await later.until("COMMIT")).toMatchObject({ sequence: 1 });
    expect(await later.until("COMMIT")).toMatchObject({ sequence: 2, lines: 2, version: later.version() });
    expect(later.table).toEqual(new Map(publisher.lines()));
    slow.resume();
    await newest(slow);
    expect(slow.table).toEqual(later.table);
  });

  it("brings a slow proxy the whole table anew when more has changed than is remembered", async () => {
    publisher.apply(many(5_000, "x".repeat(4_000)));
    publisher.open();
    const slow = await connect();
    slow.pause();
    for (const value of ["1", "2"]) {
      // A heartbeat goes by: streams on standby were told of what came before it.
      clock.advance(250);
      publisher.apply(many(5_000, value));
      await turn();
    }
    slow.resume();
    await slow.until("COMMIT", ({ sequence }) => sequence === 1);
    expect(await slow.until("BATCH")).toMatchObject({ sequence: 3, reset: true });
    await newest(slow);
  });
});
