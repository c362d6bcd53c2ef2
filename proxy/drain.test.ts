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

describe("before a drain", () => {
  test("a proxy that retires takes new connections, and asks every client to leave with its answer", async () => {
    const { port, proxy, held, until } = await holding();
    proxy.retire();
    const pending = send(port, { body: rpc("message/send", message()) });
    await until(() => held.length === 1);
    const [call] = held;
    if (call === undefined) throw new Error("nothing is held");
    json(call, 200, { jsonrpc: "2.0", id: 1, result: completed });
    const reply = await pending;
    expect(reply.status).toBe(200);
    expect(reply.headers.connection).toBe("close");
  });
});

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

  const ANSWERS = 40;

  /** A client that asks for much more than the sockets hold, and reads none of it until it is told to. */
  async function slowReader() {
    const card = { name: "x", url: "http://x/", protocolVersion: "0.3.0", description: "y".repeat(250_000) };
    const agent = await use(startAgent((_req, res) => json(res, 200, card)));
    const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))]));
    const socket = connect({ port: proxy.port, host: "127.0.0.1" });
    const chunks: Buffer[] = [];
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.on("error", () => {});
    socket.write("GET /a2a/travel/.well-known/agent-card.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(ANSWERS));
    // One is answered, and does not leave.
    let stuck = 0;
    let seen = 0;
    await proxy.until(() => {
      stuck = agent.seen.length === seen && proxy.proxy.open === 1 ? stuck + 1 : 0;
      seen = agent.seen.length;
      return stuck === 1000;
    });
    expect(seen).toBeLessThan(ANSWERS);
    const read = (): void => void socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
    return { ...proxy, socket, closed, read, text: () => Buffer.concat(chunks).toString("latin1") };
  }

  test("lets answers that are still being read reach their end", async () => {
    const { proxy, read, closed, text, records } = await slowReader();
    expect(proxy.open).toBeGreaterThan(0);
    const drained = proxy.drain(60_000);
    read();
    expect(await drained).toEqual({ cut: 0 });
    await proxy.close();
    await closed;
    const answers = text().split("HTTP/1.1 200 OK\r\n").slice(1);
    // Those that had left, the one that was waiting, and one that asked the client to leave.
    expect(answers).toHaveLength(records.length);
    expect(answers.at(-1)).toMatch(/\r\nconnection: close\r\n/i);
    for (const answer of answers) {
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      expect(body.length).toBe(Number(/content-length: (\d+)/i.exec(head)?.[1]));
    }
    expect(new Set(records.map(({ outcome }) => outcome))).toEqual(new Set(["ok"]));
  });

  test("is over at its limit though a client does not read its answer", async () => {
    const { proxy, socket, records } = await slowReader();
    const waiting = proxy.open;
    expect(waiting).toBeGreaterThan(0);
    expect(await proxy.drain(50)).toEqual({ cut: waiting });
    expect(records.filter(({ outcome }) => outcome === "client_closed")).toHaveLength(waiting);
    socket.destroy();
  });

  const ASK = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  /** A client whose request was answered; of its next one `more` came with that in one piece. */
  async function asked(port: number, more = "") {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => void (text += chunk.toString("latin1")));
    socket.write(`${ASK}${more}`);
    await new Promise<void>((resolve) => socket.once("data", () => resolve()));
    return { socket, closed, answers: () => text.split("HTTP/1.1 401").slice(1) };
  }
  const [BEGUN, REST] = ["GET / HTTP/1.1\r\n", "Host: x\r\n\r\n"];

  test("closes connections without a request, which would keep their clients, and answers one of whose head a part is there", async () => {
    const { port, proxy, held, until } = await holding();
    const client = await openStream(port, STREAM);
    await client.holds("working");
    const idle = await asked(port);
    const half = await asked(port, BEGUN);
    const drained = proxy.drain(60_000);
    await idle.closed;
    half.socket.write(REST);
    await half.closed;
    expect(half.answers()).toHaveLength(2);
    await until(() => held.length === 1);
    held[0]?.end(event(completed));
    expect(await client.ended).toBe("clean");
    expect(await drained).toEqual({ cut: 0 });
  });

  test("answers a request that was on its way when it began", async () => {
    const { port, proxy } = await holding();
    const client = await asked(port);
    const closed = proxy.drain(60_000).then(() => proxy.close());
    client.socket.write(ASK);
    await client.closed;
    await closed;
    expect(client.answers()).toHaveLength(2);
    expect(client.answers()[1]).toMatch(/\r\nconnection: close\r\n/i);
  });

  test("is not over before a request is answered of whose head a part was there", async () => {
    const { port, proxy } = await holding();
    const half = await asked(port, BEGUN);
    const drained = proxy.drain(60_000);
    const closed = drained.then(() => proxy.close());
    await new Promise(setImmediate);
    half.socket.write(REST);
    await half.closed;
    await closed;
    expect(half.answers()).toHaveLength(2);
    expect(await drained).toEqual({ cut: 0 });
  });

  test("is over at its limit though a head never comes to its end", async () => {
    const { port, proxy } = await holding();
    const half = await asked(port, BEGUN);
    expect(await proxy.drain(50)).toEqual({ cut: 0 });
    await half.closed;
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
