import { Writable } from "node:stream";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { FakeClock } from "../../proxy/table/clock.test-support.ts";
import type { Row, RowChange, Subscription } from "../../proxy/table/contract.ts";
import { createPublisher } from "./publisher.ts";
import { quietLog, quietMetrics } from "./quiet.test-support.ts";
import type { Publisher } from "./publisher.ts";
import { openStream, postAck } from "./stream-client.test-support.ts";
import type { StreamClient } from "./stream-client.test-support.ts";
import { authenticateAnyone, createStreamServer } from "./stream-server.ts";
import type { Authenticate, StreamServer } from "./stream-server.ts";

const row = (value: string): Row => ({ value });
const put = (id: string, value: string): RowChange => ({ id: `credential/${id}`, row: row(value) });
const remove = (id: string): RowChange => ({ id: `credential/${id}`, row: null });

describe("publisher over HTTP", () => {
  let clock: FakeClock;
  let publisher: Publisher;
  let server: StreamServer;
  let port = 0;
  let holder: string | undefined;
  let counts: {
    batches: number[];
    acked: number[];
    cut: number;
    bytes: Map<string, number>;
    greeted: [string, number][];
    refused: string[];
  };
  const clients: StreamClient[] = [];

  async function start(authenticate: Authenticate = authenticateAnyone): Promise<void> {
    clock = createFakeClock();
    counts = { batches: [], acked: [], cut: 0, bytes: new Map(), greeted: [], refused: [] };
    holder = undefined;
    publisher = createPublisher({
      gateway: "default",
      replica: "r1",
      holder: () => holder,
      clock,
      log: quietLog,
      metrics: {
        ...quietMetrics,
        batch: (lines) => counts.batches.push(lines),
        acked: (seconds) => counts.acked.push(seconds),
        cut: () => counts.cut++,
        sent: (kind, bytes) => counts.bytes.set(kind, (counts.bytes.get(kind) ?? 0) + bytes),
        greeted: (kind, buckets) => counts.greeted.push([kind, buckets]),
        ackRefused: (reason) => counts.refused.push(reason),
      },
    });
    server = createStreamServer({
      publisher,
      gateway: "default",
      listen: { host: "127.0.0.1", port: 0 },
      authenticate,
      clock,
      log: quietLog,
    });
    ({ port } = await server.listen());
  }
  const connect = async (
    proxy: string,
    more: Partial<Subscription> = {},
    held?: ReadonlyMap<string, string>,
  ): Promise<StreamClient> => {
    const client = await openStream(port, { gateway: "default", proxy, ...more }, held);
    clients.push(client);
    return client;
  };

  beforeEach(() => start());
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await server.close();
  });

  it("serves no stream before everything was read", async () => {
    publisher.apply([put("a", "1")]);
    const early = await connect("p1");
    expect([early.status, early.headers["retry-after"]]).toEqual([503, "1"]);
    publisher.open();
    const client = await connect("p1");
    expect([client.status, client.headers["content-type"]]).toEqual([200, "application/x-ndjson"]);
    expect(await client.until("COMMIT")).toMatchObject({ sequence: 1, lines: 1, rows: 1 });
  });

  it("brings the version up to many rows a few buckets at a time, before it opens", () => {
    publisher.apply(Array.from({ length: 20_000 }, (_, index) => put(`a-${index}`, "1")));
    let steps = 1;
    while (!publisher.settle()) steps += 1;
    publisher.open();
    expect([steps, publisher.state.rows]).toEqual([16, 20_000]);
  });

  it("greets, sends the whole table, then each change at once, and the version always fits", async () => {
    publisher.apply([put("a", "1"), put("b", "1")]);
    publisher.open();
    holder = "r7";
    const client = await connect("p1");
    expect(await client.until("HELLO")).toEqual({ type: "HELLO", gateway: "default", replica: "r1", holder: "r7" });
    expect(await client.until("BATCH")).toEqual({ type: "BATCH", replica: "r1", sequence: 1, reset: true });
    const first = await client.until("COMMIT");
    expect(first).toMatchObject({ replica: "r1", sequence: 1, lines: 2, rows: 2, version: client.version() });

    clock.advance(100);
    expect(publisher.apply([put("a", "2"), remove("b"), put("c", "1")])).toBe(2);
    expect(await client.until("BATCH")).toEqual({ type: "BATCH", replica: "r1", sequence: 2, reset: false });
    const second = await client.until("COMMIT");
    expect(second).toMatchObject({ sequence: 2, lines: 3, rows: 2, version: client.version() });
    expect([...client.table.keys()]).toEqual(["credential/a", "credential/c"]);
    expect(publisher.state).toMatchObject({ sequence: 2, rows: 2, version: second.version });
  });

  it("sends what changes in quick succession together, thirty milliseconds apart", async () => {
    publisher.open();
    const client = await connect("p1");
    expect(publisher.apply([put("a", "1")])).toBe(1);
    expect(publisher.apply([put("a", "2")])).toBe(2);
    clock.advance(10);
    expect(publisher.apply([put("b", "1")])).toBe(2);
    clock.advance(19);
    expect(publisher.state.sequence).toBe(1);
    clock.advance(1);
    expect(publisher.state.sequence).toBe(2);
    expect(await client.until("COMMIT", ({ sequence }) => sequence === 2)).toMatchObject({ lines: 2, rows: 2 });
    expect(counts.batches).toEqual([1, 2]);
  });

  it("sends what changes in time although the wall clock was set back", () => {
    publisher.open();
    publisher.apply([put("a", "1")]);
    clock.set(clock.now() - 3_600_000);
    publisher.apply([put("a", "2")]);
    clock.advance(30);
    expect(publisher.state.sequence).toBe(2);
  });

  it("sends nothing for changes that change nothing", () => {
    publisher.open();
    expect(publisher.apply([put("a", "1")])).toBe(1);
    clock.advance(100);
    expect(publisher.apply([put("a", "1"), remove("z")])).toBe(1);
    clock.advance(100);
    expect(counts.batches).toEqual([1]);
  });

  it("sends a proxy that holds our version an empty batch, so that it can acknowledge", async () => {
    publisher.apply([put("a", "1")]);
    publisher.open();
    const client = await connect("p1", { version: publisher.state.version });
    expect(await client.until("BATCH")).toMatchObject({ reset: false, sequence: 1 });
    expect(await client.until("COMMIT")).toMatchObject({ lines: 0, rows: 1, version: publisher.state.version });
    expect(publisher.proxies()).toMatchObject([{ proxy: "p1", acked: undefined }]);
  });

  it("sends a proxy that comes between two batches a table that belongs together", async () => {
    publisher.open();
    publisher.apply([put("a", "1")]);
    publisher.apply([put("b", "1")]);
    const client = await connect("p1");
    expect(await client.until("COMMIT")).toMatchObject({ sequence: 2, lines: 2, rows: 2, version: client.version() });
  });

  it("shows life every 250 ms, with version and Lease holder", async () => {
    publisher.apply([put("a", "1")]);
    publisher.open();
    holder = "r2";
    const client = await connect("p1");
    await client.until("COMMIT");
    clock.advance(250);
    const { version } = publisher.state;
    expect(await client.until("HEARTBEAT")).toEqual({
      type: "HEARTBEAT",
      replica: "r1",
      sequence: 1,
      version,
      holder: "r2",
    });
    clock.advance(249);
    clock.advance(1);
    await client.until("HEARTBEAT");
    expect(client.lines.filter(({ type }) => type === "HEARTBEAT")).toHaveLength(2);
  });

  it("keeps what proxies acknowledge, and measures how long that took", async () => {
    publisher.open();
    const client = await connect("p1");
    publisher.apply([put("a", "1")]);
    const { sequence, version } = await client.until("COMMIT", ({ lines }) => lines === 1);
    clock.advance(20);
    const ack = { proxy: "p1", replica: "r1", sequence, version, refused: [], refusedRows: 0 };
    expect(await postAck(port, ack)).toBe(204);
    expect(publisher.proxies()).toMatchObject([{ proxy: "p1", acked: { sequence, version } }]);
    expect(counts.acked).toEqual([0.02]);
    expect(await postAck(port, { ...ack, proxy: "p2" })).toBe(404);
    expect(await postAck(port, { ...ack, replica: "r9" })).toBe(404);
    expect(await postAck(port, { ...ack, version: "0".repeat(64) })).toBe(409);
    expect(counts.refused).toEqual(["NoStream", "NoSuchBatch", "OtherVersion"]);
    expect(await postAck(port, "{}")).toBe(400);
    expect(await postAck(port, "x".repeat(600_000))).toBe(413);
  });

  it("measures nothing for the batch of a greeting, however long ago that went out", async () => {
    publisher.open();
    publisher.apply([put("a", "1")]);
    clock.advance(3_600_000);
    const client = await connect("p1");
    const { sequence, version } = await client.until("COMMIT");
    const ack = { proxy: "p1", replica: "r1", sequence, version, refused: [], refusedRows: 0 };
    expect(await postAck(port, ack)).toBe(204);
    expect(counts.acked).toEqual([]);
  });

  it("measures nothing of a stream on standby, whose proxy takes its time", async () => {
    publisher.open();
    const client = await connect("p1", { standby: true });
    publisher.apply([{ id: "key/ns/a", row: row("1") }]);
    const { sequence, version } = await client.until("COMMIT");
    clock.advance(500);
    const ack = { proxy: "p1", replica: "r1", sequence, version, refused: [], refusedRows: 0 };
    expect(await postAck(port, ack)).toBe(204);
    expect(counts.acked).toEqual([]);
  });

  it("takes no acknowledgement of a batch that was never sent", async () => {
    publisher.open();
    publisher.apply([put("a", "1")]);
    const client = await connect("p1");
    const { version } = await client.until("COMMIT");
    const ack = { proxy: "p1", replica: "r1", sequence: 2, version, refused: [], refusedRows: 0 };
    expect(await postAck(port, ack)).toBe(404);
    expect(publisher.proxies()).toMatchObject([{ proxy: "p1", acked: undefined }]);
  });

  it("counts nobody whose connection was closed before it could be served", () => {
    publisher.open();
    const out = new Writable();
    out.destroy();
    publisher.subscribe(out, { gateway: "default", proxy: "p1" }, "");
    expect(publisher.proxies()).toEqual([]);
  });

  it("tells when a proxy comes and goes, and cuts its older stream", async () => {
    publisher.open();
    let told = (): void => undefined;
    publisher.onProxies(() => told());
    const change = (): Promise<void> =>
      new Promise((resolve) => {
        told = resolve;
      });
    const first = await connect("p1");
    const second = await connect("p1");
    await first.ended;
    expect(publisher.proxies()).toHaveLength(1);
    const gone = change();
    second.close();
    await gone;
    expect(publisher.proxies()).toEqual([]);
  });

  it("keeps the queue of a proxy that does not read short, cuts it after ten seconds, and others notice nothing", async () => {
    const filler = "x".repeat(1_000);
    publisher.apply(Array.from({ length: 20_000 }, (_, at) => put(`row-${at}`, filler)));
    publisher.open();
    const slow = await connect("slow");
    slow.pause();
    const quick = await connect("quick");
    await quick.until("COMMIT");
    for (let turn = 1; turn <= 50; turn++) {
      clock.advance(100);
      publisher.apply([put("row-1", `${turn}`)]);
      await quick.until("COMMIT", ({ sequence }) => sequence === turn + 1);
    }
    expect([counts.cut, publisher.proxies().length]).toEqual([0, 2]);
    clock.advance(5_500);
    expect(counts.cut).toBe(1);
    slow.resume();
    await slow.ended;
    expect(slow.lines.some(({ type }) => type === "COMMIT")).toBe(false);
    // What it serves is not known: it is still one that others wait for.
    expect(publisher.proxies().map(({ proxy, lost }) => [proxy, lost])).toEqual([
      ["quick", undefined],
      ["slow", true],
    ]);
    clock.advance(250);
    await quick.until("HEARTBEAT", ({ sequence }) => sequence === 51);
  });

  it("brings a proxy that was slow for a while to the newest table, in one batch", async () => {
    const filler = "x".repeat(1_000);
    publisher.apply(Array.from({ length: 20_000 }, (_, at) => put(`row-${at}`, filler)));
    publisher.open();
    const slow = await connect("slow");
    slow.pause();
    for (let turn = 1; turn <= 50; turn++) {
      clock.advance(100);
      publisher.apply([put("row-1", `${turn}`), turn % 2 === 0 ? put("row-2", "x") : remove("row-2")]);
    }
    slow.resume();
    const last = await slow.until("COMMIT", ({ sequence }) => sequence === publisher.state.sequence);
    expect(last).toMatchObject({ lines: 2, version: publisher.state.version });
    expect(slow.version()).toBe(publisher.state.version);
    expect(slow.lines.filter(({ type }) => type === "COMMIT")).toHaveLength(2);
  });

  it.each([
    ["GET", "/v1/other", 404],
    ["PUT", "/v1/stream", 405],
    ["POST", "/v1/stream", 400],
    ["GET", "/v1/stream?proxy=p1&version=1", 400],
    ["GET", "/v1/acks", 405],
    ["GET", "/v1/stream?gateway=default", 400],
    ["GET", `/v1/stream?proxy=${"x".repeat(300)}`, 400],
    ["GET", "/v1/stream?proxy=p%0A1", 400],
    ["GET", "/v1/stream?proxy=p%221", 400],
    ["GET", "/v1/stream?gateway=another&proxy=p1", 404],
  ])("answers %s %s with %i", async (method, path, status) => {
    publisher.open();
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    expect([answer.status, await answer.json()]).toEqual([status, { error: expect.any(String) }]);
  });

  it("asks who is there, and believes what was proven before what is said", async () => {
    await server.close();
    await start((request) =>
      Promise.resolve(
        request.headers.authorization === "Bearer good" ? { ok: true, proxy: "pod-1" } : { ok: false, status: 401 },
      ),
    );
    publisher.open();
    expect((await connect("p1")).status).toBe(401);
    const url = `http://127.0.0.1:${port}`;
    const headers = { authorization: "Bearer good" };
    const left = new AbortController();
    const body = JSON.stringify({ gateway: "default", proxy: "somebody" });
    await fetch(`${url}/v1/stream`, { method: "POST", body, headers, signal: left.signal });
    expect(publisher.proxies().map(({ proxy }) => proxy)).toEqual(["pod-1"]);
    const ack = { proxy: "pod-2", replica: "r1", sequence: 0, version: "", refused: [], refusedRows: 0 };
    const forged = await fetch(`${url}/v1/acks`, { method: "POST", headers, body: JSON.stringify(ack) });
    expect(forged.status).toBe(403);
    left.abort();
  });

  it("shows people the stream with GET, and neither waits for them nor takes them for the proxy that they name", async () => {
    publisher.open();
    const client = await connect("p1");
    await client.until("COMMIT");
    const left = new AbortController();
    const shown = await fetch(`http://127.0.0.1:${port}/v1/stream?proxy=p1`, { signal: left.signal });
    const reader = shown.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toMatch(/^\{"gateway":"default","replica":"r1","type":"HELLO"\}\n/);
    publisher.apply([put("a", "1")]);
    await client.until("COMMIT", ({ lines }) => lines === 1);
    expect(publisher.proxies()).toHaveLength(1);
    left.abort();
  });

  it("ends every stream when it is closed", async () => {
    publisher.open();
    const client = await connect("p1");
    await client.until("COMMIT");
    await server.close();
    await client.ended;
    expect(publisher.proxies()).toEqual([]);
  });

  it("leaves a proxy with the table of the publisher, whatever changed in whatever order, connected from wherever", async () => {
    const changes = fc.array(
      fc.record({ id: fc.constantFrom("a", "b", "c", "d"), value: fc.option(fc.string()), pause: fc.nat({ max: 60 }) }),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(changes, fc.nat({ max: 30 }), async (history, joins) => {
        await server.close();
        await start();
        publisher.open();
        let client: StreamClient | undefined;
        for (const [at, { id, value, pause }] of history.entries()) {
          if (at === joins) client = await connect("p1");
          publisher.apply([value === null ? remove(id) : put(id, value)]);
          clock.advance(pause);
        }
        clock.advance(30);
        client ??= await connect("p1");
        const { sequence, version } = publisher.state;
        await client.until("COMMIT", (line) => line.sequence === sequence);
        expect([client.version(), new Map(client.table)]).toEqual([version, new Map(publisher.lines())]);
        client.close();
      }),
      { numRuns: 25 },
    );
  });
});
