// Connections of HTTP/1.1 as clients see them: order, ends, deadlines, and what is held of those that do not keep to it.
import type { ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import type { ProxyConfig } from "../config.ts";
import { createCleanup } from "../cleanup.test-support.ts";
import {
  agentChange,
  answering,
  endpointAt,
  endpointsRow,
  json,
  message,
  raw,
  rpc,
  startAgent,
  startProxy,
  TASK,
  TOKEN,
} from "../proxy.test-support.ts";
import { beginStream, completed, event, working } from "../stream.test-support.ts";
import { createFakeClock } from "../table/clock.test-support.ts";

const use = createCleanup();
const BODY = rpc("message/send", message());
const STREAM = rpc("message/stream", message());

const post = (body = BODY, more = "", version = "1.1"): string =>
  `POST /a2a/travel HTTP/${version}\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n${more}` +
  `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

async function gateway(handler = answering(TASK), config: Partial<ProxyConfig> = {}) {
  const clock = createFakeClock();
  const agent = await use(startAgent(handler));
  const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))], { clock, config }));
  return { ...proxy, agent, clock };
}

function dial(port: number) {
  const socket: Socket = connect(port, "127.0.0.1");
  let text = "";
  let over = false;
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    over = true;
  });
  return { socket, text: () => text, isOver: () => over };
}

describe("an answer", () => {
  test("says when it was written, and how long its connection is kept", async () => {
    const { port, clock, until } = await gateway();
    const client = dial(port);
    client.socket.write(post());
    await until(() => client.text().includes("task-1"));
    expect(client.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const date = new Date(clock.now()).toUTCString();
    expect(client.text()).toContain(`\r\nDate: ${date}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=75\r\n`);
    client.socket.destroy();
  });

  // Else an unused connection is closed by a drain while its next request is on its way.
  test.each([
    [75_000, 0, 75],
    [75_000, 6_999, 75],
    [75_000, 7_000, 5],
    [75_000, 10_000, 8],
    [75_000, 90_000, 75],
    [3_000, 10_000, 3],
  ])(
    "of one kept for %i ms, by a proxy that drains after %i ms, tells %i s",
    async (keepAliveTimeout, drainDelay, told) => {
      const { port, until } = await gateway(answering(TASK), { keepAliveTimeout, drainDelay });
      const client = dial(port);
      client.socket.write(post());
      await until(() => client.text().includes("task-1"));
      expect(client.text()).toContain(`\r\nKeep-Alive: timeout=${told}\r\n`);
      client.socket.destroy();
    },
  );

  test.each([
    ["", /\r\nConnection: close\r\n/, 1],
    ["Connection: keep-alive\r\n", /\r\nConnection: keep-alive\r\n/, 2],
  ])("to HTTP/1.0 with %j", async (more, connection, answers) => {
    const { port } = await gateway();
    const text = await raw(port, `${post(BODY, more, "1.0")}${post(BODY, "", "1.0")}`);
    expect(text).toMatch(connection);
    expect(text.match(/task-1/g)).toHaveLength(answers);
  });

  test("without a length comes in chunks, and to HTTP/1.0 until the connection ends", async () => {
    const { port } = await gateway((_req, res) => {
      beginStream(res);
      res.write(event(working));
      res.end(event(completed));
    });
    const latest = await raw(port, post(STREAM, "Connection: close\r\n"));
    expect(latest).toMatch(/\r\nTransfer-Encoding: chunked\r\n/);
    expect(latest).toMatch(/\n\r\n0\r\n\r\n$/);
    const old = await raw(port, post(STREAM, "", "1.0"));
    expect(old).not.toMatch(/transfer-encoding/i);
    expect(old.split("\r\n\r\n")[1]).toBe(`${event(working)}${event(completed)}`);
  });

  test("reaches a client that is still sending when its connection ends", async () => {
    const { port, until, record } = await gateway();
    const client = dial(port);
    client.socket.write(post("x".repeat(20_000_000)).replace("POST", "GET"));
    await until(client.isOver);
    expect(client.text()).toMatch(/^HTTP\/1\.1 400 [\s\S]*GET and HEAD have no body/);
    expect(await record(0)).toMatchObject({ reason: "MalformedRequest" });
  });
});

describe("a client that leaves", () => {
  test.each(["end", "destroy", "resetAndDestroy"] as const)("by %s ends its request", async (how) => {
    const held: ServerResponse[] = [];
    const { port, until, record } = await gateway((_req, res) => void held.push(res));
    const client = dial(port);
    client.socket.write(post());
    await until(() => held.length === 1);
    let left = false;
    held[0]?.on("close", () => {
      left = true;
    });
    client.socket[how]();
    await until(() => left);
    expect(await record(0)).toMatchObject({ outcome: "client_closed", status: 499 });
  });

  test("while so much waits behind its request that no more is read ends that request", async () => {
    const held: ServerResponse[] = [];
    const { port, clock, until, record } = await gateway((_req, res) => void held.push(res));
    const client = dial(port);
    client.socket.write(`${post()}${post("x".repeat(40_000))}`);
    await until(() => held.length === 1);
    let left = false;
    held[0]?.on("close", () => {
      left = true;
    });
    client.socket.resetAndDestroy();
    await until(client.isOver);
    await until(() => {
      clock.advance(250);
      return left;
    });
    expect(await record(0)).toMatchObject({ outcome: "client_closed", status: 499 });
  });

  test("in the middle of a request is nobody's refusal", async () => {
    const { port, until, refused, proxy, record } = await gateway();
    const client = dial(port);
    client.socket.end(post().slice(0, -1));
    await until(client.isOver);
    await until(() => proxy.open === 0);
    expect(refused).toEqual([]);
    expect(await record(0)).toMatchObject({ outcome: "client_closed" });
  });
});

describe("time", () => {
  test("without a request is up after that for a head, on a new connection and in the middle of a head", async () => {
    for (const sent of ["", "\r\n", "GET / HTTP/1.1\r\nHost: x\r\n"]) {
      const { port, clock, until, refused } = await gateway();
      const client = dial(port);
      client.socket.write(sent);
      await until(() => client.socket.readyState === "open");
      await until(() => {
        clock.advance(250);
        return client.isOver();
      });
      expect(client.text()).toMatch(/^HTTP\/1\.1 408 /);
      expect(refused).toEqual(["RequestTimeout"]);
    }
  });

  test("between requests is longer, and its end is no refusal", async () => {
    const { port, clock, until, refused } = await gateway();
    const client = dial(port);
    client.socket.write(post());
    await until(() => client.text().includes("task-1"));
    const began = clock.elapsed();
    await until(() => {
      clock.advance(250);
      return client.isOver();
    });
    expect(clock.elapsed() - began).toBeGreaterThan(75_000);
    expect(client.text().match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(refused).toEqual([]);
  });

  test("for the head of a later request begins with its first octet", async () => {
    const { port, clock, until, refused } = await gateway();
    const client = dial(port);
    client.socket.write(post());
    await until(() => client.text().includes("task-1"));
    clock.advance(60_000);
    client.socket.write("POST ");
    const began = clock.elapsed();
    await until(() => {
      clock.advance(250);
      return client.isOver();
    });
    expect(clock.elapsed() - began).toBeGreaterThan(9_000);
    expect(client.text()).toMatch(/HTTP\/1\.1 408 [^]*$/);
    expect(refused).toEqual(["RequestTimeout"]);
  });
});

test("what is sent behind a request that runs is held within limits, and served after it", async () => {
  const held: ServerResponse[] = [];
  const { port, until, records } = await gateway((_req, res) => void held.push(res));
  const client = dial(port);
  const blank = " ".repeat(10_000);
  const limit = 64 * 1024 * 1024;
  let [written, sent, full] = [0, 0, 0];
  // Until the sockets between are full, and stay so for many turns.
  while (full < 200 && written < limit) {
    if (client.socket.writableNeedDrain) full++;
    else {
      full = 0;
      client.socket.write(post(`${BODY}${blank}`));
      written += BODY.length + blank.length;
      sent++;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(written).toBeLessThan(limit);
  expect(held).toHaveLength(1);
  for (let index = 0; index < sent; index++) {
    await until(() => held.length > index);
    const [res] = held.slice(index);
    if (res !== undefined) json(res, 200, { jsonrpc: "2.0", id: 1, result: TASK });
  }
  await until(() => records.length === sent);
  await until(() => client.text().match(/task-1/g)?.length === sent);
  client.socket.destroy();
});

test("a body that is no body breaks its exchange, and is refused if nothing was answered", async () => {
  const { port, refused, record, agent } = await gateway();
  const head = post("", "Transfer-Encoding: chunked\r\n").replace("Content-Length: 0\r\n", "");
  const answer = await raw(port, `${head}5\r\n{"jso\r\nx\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nDate: [^\r]+ GMT\r\nConnection: close\r\n/);
  expect(refused).toEqual(["InvalidRequest"]);
  expect(await record(0)).toMatchObject({ outcome: "client_closed" });
  expect(agent.seen).toEqual([]);
});

test("what came in pieces, or ahead of its time, stays what it was while others are read", async () => {
  const held: ServerResponse[] = [];
  const { port, until, agent } = await gateway((_req, res) => void held.push(res));
  const body = (id: string): string => rpc("message/send", message({ messageId: id.repeat(2000) }));
  const clients = Array.from({ length: 4 }, () => dial(port).socket);
  const [ahead, slow, ...others] = clients;
  ahead?.write(post(body("a")));
  await until(() => held.length === 1);
  ahead?.write(post(body("b")));
  slow?.write(post(body("c")).slice(0, -500));
  for (const [index, id] of ["d", "e"].entries()) {
    others[index]?.write(post(body(id)));
    await until(() => held.length === index + 2);
  }
  slow?.write(post(body("c")).slice(-500));
  await until(() => held.length === 4);
  if (held[0] !== undefined) json(held[0], 200, { jsonrpc: "2.0", id: 1, result: TASK });
  await until(() => held.length === 5);
  expect(agent.seen.map((each) => each.body).sort()).toEqual(["a", "b", "c", "d", "e"].map(body));
  for (const client of clients) client.destroy();
});
