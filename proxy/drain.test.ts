import { connect } from "node:net";
import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { createCleanup } from "./cleanup.test-support.ts";
import {
  agentChange,
  endpointAt,
  endpointsRow,
  json,
  message,
  rpc,
  send,
  startAgent,
  startProxy,
  TOKEN,
} from "./proxy.test-support.ts";
import { beginStream, completed, event, openStream, working } from "./stream.test-support.ts";

const use = createCleanup();
const STREAM = rpc("message/stream", message());

async function holding() {
  const held: ServerResponse[] = [];
  const agent = await use(
    startAgent((_req, res, body) => {
      held.push(res);
      if (!body.includes("message/stream")) return;
      beginStream(res);
      res.write(event(working));
    }),
  );
  const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))]));
  return { ...proxy, held };
}

describe("a drain", () => {
  test("lets requests and streams end, and takes no new connections", async () => {
    const { port, proxy, held, until } = await holding();
    const client = await openStream(port, STREAM);
    await client.holds("working");
    const pending = send(port, { body: rpc("message/send", message()) });
    await until(() => held.length === 2);
    const idle = connect(port, "127.0.0.1");
    await new Promise<void>((resolve) => idle.on("connect", () => resolve()));
    const drained = proxy.drain(60_000);
    await expect(send(port, { body: STREAM })).rejects.toThrow("ECONNREFUSED");
    const [stream, call] = held;
    if (stream === undefined || call === undefined) throw new Error("nothing is held");
    json(call, 200, { jsonrpc: "2.0", id: 1, result: completed });
    const reply = await pending;
    expect(reply.status).toBe(200);
    expect(reply.headers.connection).toBe("close");
    stream.end(event(completed));
    expect(await client.ended).toBe("clean");
    expect(await drained).toEqual({ cut: 0 });
    idle.destroy();
  });

  test("cuts at its limit what is left, and says so", async () => {
    const { port, proxy, records, until, held } = await holding();
    const client = await openStream(port, STREAM);
    await client.holds("working");
    const pending = send(port, { body: rpc("message/send", message(), "p") });
    await until(() => held.length === 2);
    expect(await proxy.drain(50)).toEqual({ cut: 2 });
    expect(await client.ended).toBe("broken");
    expect(client.text()).toContain('event: error\ndata: {"jsonrpc":"2.0","id":1,"error":{"code":-32053');
    const reply = await pending;
    expect(reply.status).toBe(503);
    expect(reply.body).toContain('"id":"p"');
    expect(records.map(({ reason }) => reason)).toEqual(["Draining", "Draining"]);
  });

  /** A client that reads the head of an answer, and no more until it is told to. The answer is larger than the sockets hold. */
  async function slowReader() {
    const card = { name: "x", url: "http://x/", protocolVersion: "0.3.0", description: "y".repeat(4_000_000) };
    const agent = await use(startAgent((_req, res) => json(res, 200, { jsonrpc: "2.0", id: 1, result: card })));
    const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))]));
    const socket = connect({ port: proxy.port, host: "127.0.0.1" });
    const chunks: Buffer[] = [];
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.on("error", () => {});
    const body = rpc("agent/getAuthenticatedExtendedCard");
    const head = `POST /a2a/travel HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
    socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    // The card is answered in one piece: what is not read now waits in the proxy.
    await new Promise<void>((resolve) => {
      socket.once("data", (chunk: Buffer) => {
        socket.pause();
        chunks.push(chunk);
        resolve();
      });
    });
    const read = (): void => {
      socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
      socket.resume();
    };
    return { ...proxy, socket, closed, read, text: () => Buffer.concat(chunks).toString("latin1") };
  }

  test("lets an answer that is still being read reach its end", async () => {
    const { proxy, read, closed, text, record } = await slowReader();
    expect(proxy.open).toBe(1);
    const drained = proxy.drain(60_000);
    read();
    expect(await drained).toEqual({ cut: 0 });
    await proxy.close();
    await closed;
    const [head = "", body = ""] = text().split("\r\n\r\n");
    expect(body.length).toBe(Number(/content-length: (\d+)/i.exec(head)?.[1]));
    expect((await record(0)).outcome).toBe("ok");
  });

  test("is over at its limit though a client does not read its answer", async () => {
    const { proxy, socket, record } = await slowReader();
    expect(await proxy.drain(50)).toEqual({ cut: 1 });
    expect((await record(0)).outcome).toBe("client_closed");
    socket.destroy();
  });

  test("closes connections without a request, which would keep their clients", async () => {
    const { port, proxy, held, until } = await holding();
    const client = await openStream(port, STREAM);
    await client.holds("working");
    const idle = connect(port, "127.0.0.1");
    idle.write(`GET / HTTP/1.1\r\nHost: x\r\n\r\n`);
    await new Promise<void>((resolve) => idle.once("data", () => resolve()));
    const closed = new Promise<void>((resolve) => idle.on("close", () => resolve()));
    const drained = proxy.drain(60_000);
    await closed;
    await until(() => held.length === 1);
    held[0]?.end(event(completed));
    expect(await client.ended).toBe("clean");
    expect(await drained).toEqual({ cut: 0 });
  });

  test("of an idle proxy is over at once", async () => {
    const { proxy } = await holding();
    expect(await proxy.drain(60_000)).toEqual({ cut: 0 });
  });
});

test("closing ends everything, and twice is once", async () => {
  const { port, proxy, held, until } = await holding();
  const client = await openStream(port, STREAM);
  await client.holds("working");
  await until(() => held.length === 1);
  await proxy.close();
  expect(await client.ended).toBe("broken");
  expect(proxy.open).toBe(0);
  await proxy.close();
});
