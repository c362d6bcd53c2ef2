import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { createCleanup } from "../cleanup.test-support.ts";
import {
  agentChange,
  answering,
  endpointAt,
  endpointsRow,
  message,
  raw,
  rpc,
  send,
  startAgent,
  startProxy,
  TASK,
  TOKEN,
} from "../proxy.test-support.ts";
import { beginStream, openStream } from "../stream.test-support.ts";

const use = createCleanup();

async function gateway(
  row: Parameters<typeof agentChange>[0] = {},
  config: NonNullable<Parameters<typeof startProxy>[1]>["config"] = {},
) {
  const agent = await use(startAgent(answering(TASK)));
  const proxy = await use(startProxy([agentChange(row), endpointsRow(endpointAt(agent.port))], { config }));
  return { ...proxy, agent };
}

const head = (more: string): string =>
  `POST /a2a/travel HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n${more}\r\n`;

/** A connection that the test writes to bit by bit. */
function dial(port: number): {
  socket: Socket;
  received: () => string;
  holds: (part: string) => Promise<void>;
  closed: Promise<void>;
} {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  return {
    socket,
    received: () => text,
    async holds(part) {
      while (!text.includes(part)) await new Promise((resolve) => setImmediate(resolve));
    },
    closed: new Promise((resolve) => socket.on("close", () => resolve())),
  };
}

describe("the size of a body", () => {
  test("is judged by its announcement, before a byte of it", async () => {
    const { port, record, agent } = await gateway({ maxRequestBytes: 1000 });
    const client = dial(port);
    client.socket.write(head("Content-Length: 1001\r\n"));
    await client.holds("HTTP/1.1 413 ");
    expect(await record(0)).toMatchObject({ status: 413, reason: "RequestTooLarge", requestBytes: 0 });
    expect(agent.seen).toEqual([]);
    client.socket.destroy();
  });

  test("is judged as it comes, where it was not announced", async () => {
    const { port, record } = await gateway({ maxRequestBytes: 1000 });
    const client = dial(port);
    client.socket.write(head("Transfer-Encoding: chunked\r\n"));
    client.socket.write(`3e8\r\n${" ".repeat(1000)}\r\n`);
    client.socket.write("1\r\n \r\n");
    await client.holds("HTTP/1.1 413 ");
    expect((await record(0)).reason).toBe("RequestTooLarge");
    client.socket.destroy();
  });

  test("may be exactly the limit", async () => {
    const body = rpc("message/send", message());
    const { port } = await gateway({ maxRequestBytes: Buffer.byteLength(body) });
    expect((await send(port, { body })).status).toBe(200);
  });

  test("a refused body is read to its end, and the connection serves on", async () => {
    const body = rpc("message/send", message());
    const { port } = await gateway({ maxRequestBytes: Buffer.byteLength(body) });
    const client = dial(port);
    client.socket.write(`${head(`Content-Length: ${body.length + 1}\r\n`)} ${body}`);
    await client.holds("HTTP/1.1 413 ");
    client.socket.write(`${head(`Content-Length: ${body.length}\r\n`)}${body}`);
    await client.holds("HTTP/1.1 200 ");
    expect(client.received().match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 413", "HTTP/1.1 200"]);
    client.socket.destroy();
  });
});

describe("memory", () => {
  test("a body in many pieces arrives in one, whatever the pieces", async () => {
    const { port, agent } = await gateway();
    const body = rpc("message/send", message({ metadata: "x".repeat(200_000) }));
    const client = dial(port);
    client.socket.write(head("Transfer-Encoding: chunked\r\n"));
    let at = 0;
    for (let size = 1; at < body.length; size = (size * 7 + 3) % 9001) {
      const piece = body.slice(at, at + size + 1);
      at += piece.length;
      client.socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    }
    client.socket.write("0\r\n\r\n");
    await client.holds("HTTP/1.1 200 ");
    expect(agent.seen[0]?.body === body).toBe(true);
    expect(agent.seen[0]?.req.headers["content-length"]).toBe(String(body.length));
    client.socket.destroy();
  });

  test("a key that fills its share is told to wait; what it held is free when it leaves", async () => {
    const { port, record, buffered, until, agent } = await gateway(
      {},
      { maxBuffered: 1_000_000, maxBufferedPerKey: 303_000 },
    );
    const holders = Array.from({ length: 3 }, () => dial(port));
    for (const { socket } of holders) socket.write(`${head("Content-Length: 100001\r\n")}${" ".repeat(100_000)}`);
    await until(() => buffered() >= 300_000);
    expect(buffered()).toBeLessThanOrEqual(303_000);
    const reply = await send(port, { body: `${rpc("message/send", message())}${" ".repeat(5000)}` });
    expect(reply.status).toBe(503);
    expect(reply.headers["retry-after"]).toBe("1");
    expect((await record(0)).reason).toBe("TooManyBuffers");
    for (const { socket } of holders) socket.destroy();
    await until(() => buffered() === 0);
    expect((await send(port, { body: rpc("message/send", message()) })).status).toBe(200);
    expect(agent.seen).toHaveLength(1);
  });

  test("is given back once the agent answers: a stream holds no body", async () => {
    const agent = await use(startAgent((_req, res) => beginStream(res)));
    const { port, buffered, until, streams } = await use(
      startProxy([agentChange(), endpointsRow(endpointAt(agent.port))], { config: { maxBufferedPerKey: 250_000 } }),
    );
    const body = rpc("message/stream", message({ metadata: "x".repeat(150_000) }));
    const clients = [];
    for (let round = 1; round <= 4; round++) {
      clients.push(await openStream(port, body));
      expect([streams(), clients.at(-1)?.status, agent.seen.at(-1)?.body === body]).toEqual([round, 200, true]);
      expect(agent.seen.at(-1)?.req.headers).toMatchObject({ "content-length": String(body.length) });
      expect(agent.seen.at(-1)?.req.headers).not.toHaveProperty("transfer-encoding");
    }
    await until(() => buffered() === 0);
    for (const client of clients) client.request.destroy();
  });

  test("the proxy's share bounds all keys together", async () => {
    const { port, record } = await gateway({}, { maxBuffered: 1000, maxBufferedPerKey: 1_000_000 });
    const reply = await send(port, { body: rpc("message/send", message({ metadata: "x".repeat(2000) })) });
    expect(reply.status).toBe(503);
    expect((await record(0)).reason).toBe("TooManyBuffers");
  });
});

describe("time", () => {
  test("a body that does not arrive is answered, in the binding, and the connection closed", async () => {
    const { port, record, agent } = await gateway({}, { bodyTimeout: 100 });
    const client = dial(port);
    client.socket.write(`${head("Content-Length: 100\r\n")}{`);
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1.1 408 /);
    expect(client.received()).toContain('{"jsonrpc":"2.0","id":null,"error":{"code":-32600');
    expect(await record(0)).toMatchObject({ status: 408, reason: "RequestTimeout", requestBytes: 1 });
    expect(agent.seen).toEqual([]);
  });

  test("a client that leaves in the middle is recorded, and the agent hears nothing", async () => {
    const { port, record, agent, until } = await gateway();
    const client = dial(port);
    client.socket.write(`${head("Content-Length: 100\r\n")}{`);
    await until(() => client.socket.bytesWritten > 0);
    client.socket.end();
    await client.closed;
    expect(await record(0)).toMatchObject({ status: 499, outcome: "client_closed" });
    expect(agent.seen).toEqual([]);
  });
});

describe("100-continue", () => {
  test("is said only once the request is wanted", async () => {
    const { port } = await gateway();
    const body = rpc("message/send", message());
    const client = dial(port);
    client.socket.write(head(`Content-Length: ${body.length}\r\nExpect: 100-continue\r\n`));
    await client.holds("HTTP/1.1 100 Continue\r\n\r\n");
    client.socket.write(body);
    await client.holds("HTTP/1.1 200 ");
    expect(client.received().match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 100", "HTTP/1.1 200"]);
    client.socket.destroy();
  });

  test("a refusal instead ends the connection, for what follows may be the body or not", async () => {
    const { port } = await gateway();
    const request = head("Content-Length: 10\r\nExpect: 100-continue\r\n").replace(TOKEN, "wrong");
    const answer = await raw(port, request);
    expect(answer).toMatch(/^HTTP\/1.1 401 /);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(answer).not.toContain("100 Continue");
  });
});
