// Who is let in at the listener of the proxies, before anything is told.
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { createClock } from "../../process/clock.ts";
import { createPublisher } from "./publisher.ts";
import { quietLog, quietMetrics } from "./quiet.test-support.ts";
import { authenticateAnyone, createStreamServer } from "./stream-server.ts";
import type { StreamServer } from "./stream-server.ts";

let server: StreamServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function statusOf(head: string): Promise<string> {
  const publisher = createPublisher({
    gateway: "default",
    replica: "r",
    clock: createClock(),
    holder: () => undefined,
    log: quietLog,
    metrics: quietMetrics,
  });
  const listen = { host: "127.0.0.1", port: 0 };
  server = createStreamServer({
    publisher,
    gateway: "default",
    listen,
    authenticate: authenticateAnyone,
    clock: createClock(),
    log: quietLog,
  });
  const { port } = await server.listen();
  const socket = connect(port, "127.0.0.1");
  socket.write(head.replace("PORT", String(port)));
  return (await text(socket)).split("\r\n")[0] ?? "";
}

describe("a request", () => {
  // Nothing is published in these tests, so who is let in is told to come again.
  test.each([
    ["of a proxy", "GET /v1/stream?proxy=p HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n", 503],
    [
      "by a name of somebody else",
      "GET /v1/stream?proxy=p HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
      403,
    ],
    [
      "of a web page",
      "POST /v1/acks HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      403,
    ],
    ["without a name", "GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400],
    ["for a path that is none", "GET // HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400],
    ["for another path", "GET /secrets HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404],
    ["with another method", "DELETE /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405],
  ])("%s", async (_name, head, status) => {
    expect(await statusOf(head)).toContain(` ${status} `);
  });
});
