// Connections of HTTP/1.1 from the listener's side: what is kept of a client that is gone.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { createClientConnections } from "./connections.ts";

test("a client that sends its end and takes nothing keeps neither its connection nor what was written", async () => {
  let now = 0;
  const closed = Promise.withResolvers<void>();
  const piece = Buffer.alloc(64 * 1024 * 1024);
  const connections = createClientConnections({
    handle: (_req, res) => {
      res.onClose(closed.resolve);
      res.writeHead(200, ["content-length", String(2 * piece.length)]);
      res.write(piece);
    },
    metrics: { refused: () => {} },
    now: () => now,
    wallClock: () => 0,
    headersTimeout: 10_000,
    keepAliveTimeout: 75_000,
  });
  const served: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    served.push(socket);
    connections.serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.pause();
  client.end("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await closed.promise;
  expect(served[0]?.writableLength).toBeGreaterThan(0);
  now = 1_000;
  connections.sweep();
  expect(served[0]?.destroyed).toBe(false);
  now = 3_000;
  connections.sweep();
  expect(served[0]?.destroyed).toBe(true);
  client.destroy();
  server.close();
});
