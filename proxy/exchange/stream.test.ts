import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { createCleanup } from "../cleanup.test-support.ts";
import {
  agentChange,
  answering,
  endpointAt,
  endpointsRow,
  message,
  rpc,
  startAgent,
  startProxy,
  TASK,
  TOKEN,
} from "../proxy.test-support.ts";
import { keyRowId } from "../table/contract.ts";
import { beginStream, completed, event, openStream, working } from "../stream.test-support.ts";

const use = createCleanup();
const BODY = rpc("message/stream", message());

/** A proxy before an agent whose streams the test writes itself. */
async function streaming(row: Parameters<typeof agentChange>[0] = {}) {
  const streams: ServerResponse[] = [];
  const agent = await use(
    startAgent((_req, res) => {
      beginStream(res);
      streams.push(res);
    }),
  );
  const proxy = await use(startProxy([agentChange(row), endpointsRow(endpointAt(agent.port))]));
  return {
    ...proxy,
    agent,
    stream: async (index = 0): Promise<ServerResponse> => {
      await proxy.until(() => streams.length > index);
      const stream = streams[index];
      if (stream === undefined) throw new Error("no such stream");
      return stream;
    },
  };
}

describe("a stream", () => {
  test("is relayed at once and byte for byte, head first", async () => {
    const { port, stream, streams, record } = await streaming();
    const client = await openStream(port, BODY);
    expect(client.status).toBe(200);
    expect(client.headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    });
    expect(client.text()).toBe("");
    expect(streams()).toBe(1);
    const agent = await stream();
    agent.write(": ping\r\n");
    await client.holds(": ping\r\n");
    agent.write(event(working).slice(0, 30));
    await client.holds(event(working).slice(0, 30));
    agent.write(event(working).slice(30));
    await client.holds(event(working));
    agent.end(event(completed));
    expect(await client.ended).toBe("clean");
    expect(client.text()).toBe(`: ping\r\n${event(working)}${event(completed)}`);
    expect(await record(0)).toMatchObject({
      operation: "SendStreamingMessage",
      streaming: true,
      events: 2,
      state: "completed",
      taskId: "task-1",
      outcome: "ok",
      responseBytes: client.text().length,
    });
    expect(streams()).toBe(0);
  });

  test("that the client leaves is ended at the agent", async () => {
    const { port, stream, record, streams } = await streaming();
    const client = await openStream(port, BODY);
    const agent = await stream();
    const left = new Promise<void>((resolve) => agent.on("close", () => resolve()));
    client.request.destroy();
    await left;
    expect(await record(0)).toMatchObject({ outcome: "client_closed", reason: undefined, status: 200 });
    expect(streams()).toBe(0);
  });

  test("that the agent loses before its end says so and breaks", async () => {
    const { port, stream, record } = await streaming();
    const client = await openStream(port, BODY);
    const agent = await stream();
    agent.write(event(working));
    await client.holds(event(working));
    agent.destroy();
    expect(await client.ended).toBe("broken");
    expect(client.text().slice(event(working).length)).toMatch(
      /^event: error\ndata: \{"jsonrpc":"2.0","id":1,"error":\{"code":-32054,.*\}\n\n$/,
    );
    expect(await record(0)).toMatchObject({ outcome: "upstream_error", reason: "UpstreamReset", state: "working" });
  });

  test("that breaks in the middle of an event just breaks: nobody would read the error", async () => {
    const { port, stream } = await streaming();
    const client = await openStream(port, BODY);
    const agent = await stream();
    agent.write("data: {half");
    await client.holds("half");
    agent.destroy();
    expect(await client.ended).toBe("broken");
    expect(client.text()).toBe("data: {half");
  });

  test("that breaks after its last event ends well", async () => {
    const { port, stream, record } = await streaming();
    const client = await openStream(port, BODY);
    const agent = await stream();
    agent.write(event(completed));
    await client.holds(event(completed));
    agent.destroy();
    expect(await client.ended).toBe("clean");
    expect((await record(0)).outcome).toBe("ok");
  });

  test("without chunks is whole only if its last event came", async () => {
    const old = await use(
      startAgent((_req, res) => {
        res.useChunkedEncodingByDefault = false;
        res.shouldKeepAlive = false;
        beginStream(res);
        res.end(event(working));
      }),
    );
    const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(old.port))]));
    const client = await openStream(proxy.port, BODY);
    expect(await client.ended).toBe("broken");
    expect(client.text()).toContain("event: error");
    expect((await proxy.record(0)).reason).toBe("UpstreamReset");
  });

  test("that is silent for too long is ended with a reason", async () => {
    const { port, record } = await streaming({ timeouts: { connect: 1000, firstByte: 1000, streamIdle: 60 } });
    const client = await openStream(port, BODY);
    expect(await client.ended).toBe("broken");
    expect(client.text()).toMatch(/^event: error\n/);
    expect((await record(0)).reason).toBe("StreamIdle");
  });

  test("that fails before it begins is a JSON answer", async () => {
    const agent = await use(startAgent(answering(TASK)));
    const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))]));
    const client = await openStream(proxy.port, BODY);
    expect(client.headers["content-type"]).toBe("application/json");
    expect(await client.ended).toBe("clean");
    expect(await proxy.record(0)).toMatchObject({ streaming: false, events: 0, outcome: "ok" });
  });

  describe("asked for behind another one on its connection", () => {
    async function behind() {
      const gateway = await streaming();
      const client = connect(gateway.port, "127.0.0.1");
      const head = `POST /a2a/travel HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
      client.write(`${head}Content-Length: ${Buffer.byteLength(BODY)}\r\n\r\n${BODY}`.repeat(2));
      const first = await gateway.stream(0);
      first.write(event(working));
      await new Promise((resolve) => client.once("data", resolve));
      return { ...gateway, client, first };
    }

    test("begins when that one is over", async () => {
      const { agent, first, stream, client, record } = await behind();
      expect(agent.seen).toHaveLength(1);
      first.end(event(completed));
      (await stream(1)).end(event(completed));
      expect(await record(1)).toMatchObject({ outcome: "ok", events: 1 });
      client.destroy();
    });

    test.each([
      ["revoked", "KeyRevoked"],
      ["left by its client", undefined],
    ])("never begins when that one is %s", async (how, reason) => {
      const { agent, client, table, streams, records, proxy, until } = await behind();
      if (how === "revoked") table.applyLocal([{ id: keyRowId("agents", "alice"), row: null }], false);
      else client.destroy();
      await until(() => proxy.open === 0);
      expect(records.map((record) => record.reason)).toEqual([reason]);
      expect(streams()).toBe(0);
      expect(agent.seen).toHaveLength(1);
      client.destroy();
    });
  });

  test("of an agent that is faster than its client holds the agent back, not the memory", async () => {
    const { port, stream } = await streaming();
    const client = connect(port, "127.0.0.1");
    const head = `POST /a2a/travel HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
    client.write(`${head}Content-Length: ${Buffer.byteLength(BODY)}\r\n\r\n${BODY}`);
    client.pause();
    const agent = await stream();
    const block = `: ${"x".repeat(64 * 1024)}\n`;
    const limit = 64 * 1024 * 1024;
    let written = 0;
    // Until the sockets between are full, and stay so for many turns.
    let full = 0;
    while (full < 200 && written < limit) {
      if (agent.writableNeedDrain) full++;
      else {
        full = 0;
        agent.write(block);
        written += block.length;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(written).toBeLessThan(limit);
    let received = 0;
    client.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    client.resume();
    agent.end();
    await new Promise<void>((resolve) => {
      const look = (): void => (received >= written ? resolve() : void setImmediate(look));
      look();
    });
    client.destroy();
  });
});

describe("HTTP+JSON", () => {
  test("streams the same way, and errors in its own form", async () => {
    const { port, stream } = await streaming();
    const client = await openStream(port, JSON.stringify(message()), "/a2a/travel/v1/message:stream");
    const agent = await stream();
    expect(agent.req.url).toBe("/v1/message:stream");
    agent.write('data: {"task":{"id":"t","contextId":"c","status":{"state":"TASK_STATE_WORKING"}}}\n\n');
    await client.holds("WORKING");
    agent.destroy();
    expect(await client.ended).toBe("broken");
    expect(client.text()).toContain('event: error\ndata: {"error":{"code":502');
  });
});
