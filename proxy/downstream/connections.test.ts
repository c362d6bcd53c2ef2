// Connections of HTTP/1.1 from the listener's side: what is kept of clients that take nothing.
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { createClientConnections } from "./connections.ts";

/** A client that asks and takes nothing of its answer, of which half was written. */
async function stuck(leaves: boolean) {
  let now = 0;
  const begun = Promise.withResolvers<boolean>();
  const closed = Promise.withResolvers<void>();
  const piece = Buffer.alloc(64 * 1024 * 1024);
  const connections = createClientConnections({
    handle: (_req, res) => {
      res.onClose(closed.resolve);
      res.writeHead(200, ["content-length", String(2 * piece.length)]);
      begun.resolve(res.write(piece));
    },
    metrics: { refused: () => {} },
    now: () => now,
    wallClock: () => 0,
    headersTimeout: 10_000,
    keepAliveTimeout: 75_000,
    drainDelay: 0,
  });
  let isServed = false;
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    isServed = true;
    socket.once("close", () => {
      isServed = false;
    });
    connections.serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.pause();
  client.on("error", () => {});
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  if (leaves) client.end();
  expect(await begun.promise).toBe(false);
  return {
    client,
    closed: closed.promise,
    isServedAt: async (at: number) => {
      now = at;
      connections.sweep();
      await new Promise(setImmediate);
      return isServed;
    },
    /** When its last connection has closed. */
    ended: async () => {
      await new Promise((resolve) => server.close(resolve));
      expect(isServed).toBe(false);
      client.destroy();
    },
  };
}

test("a client that sends its end and takes nothing keeps neither its connection nor what was written", async () => {
  const { closed, isServedAt, ended } = await stuck(true);
  await closed;
  expect(await isServedAt(1_000)).toBe(true);
  await isServedAt(3_000);
  await ended();
});

test("a client that takes nothing for a minute is left", async () => {
  const { closed, isServedAt, ended } = await stuck(false);
  expect(await isServedAt(1_000)).toBe(true);
  expect(await isServedAt(60_500)).toBe(true);
  await isServedAt(61_500);
  await closed;
  await ended();
});

test("a client that takes all of it is not", async () => {
  const { client, isServedAt, ended } = await stuck(false);
  expect(await isServedAt(1_000)).toBe(true);
  const taken = { bytes: 0 };
  client.on("data", (bytes: Buffer) => {
    taken.bytes += bytes.length;
  });
  client.resume();
  while (taken.bytes < 64 * 1024 * 1024) await once(client, "data");
  expect(await isServedAt(61_500)).toBe(true);
  expect(await isServedAt(121_000)).toBe(true);
  client.destroy();
  await ended();
});
