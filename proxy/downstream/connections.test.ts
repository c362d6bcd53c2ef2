// Connections of HTTP/1.1 from the listener's side: what is kept of a client that is gone.
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { createClientConnections } from "./connections.ts";

test("a client that sends its end and takes nothing keeps neither its connection nor what was written", async () => {
  let now = 0;
  const closed = Promise.withResolvers<void>();
  let tookAll: boolean | undefined;
  const piece = Buffer.alloc(64 * 1024 * 1024);
  const connections = createClientConnections({
    handle: (_req, res) => {
      res.onClose(closed.resolve);
      res.writeHead(200, ["content-length", String(2 * piece.length)]);
      tookAll = res.write(piece);
    },
    metrics: { refused: () => {} },
    now: () => now,
    wallClock: () => 0,
    headersTimeout: 10_000,
    keepAliveTimeout: 75_000,
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
  client.end("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await closed.promise;
  expect(tookAll).toBe(false);
  now = 1_000;
  connections.sweep();
  await new Promise(setImmediate);
  expect(isServed).toBe(true);
  now = 3_000;
  connections.sweep();
  // It waits for the last connection.
  await new Promise((resolve) => server.close(resolve));
  expect(isServed).toBe(false);
  client.destroy();
});
