// What a read leaves behind when its time is over. In: agents that take connections and say nothing. Out: no connection.
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect, test } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import { resolveBySystem } from "./connector.ts";
import { READ_TIMEOUT_MS, readCard } from "./read-card.ts";

test.each([
  ["http", false],
  ["http", true],
  ["https", false],
  ["https", true],
])(
  "a connection by %s (judged: %s) ends with its read, however far it came",
  async (scheme, judged) => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.resume();
      sockets.push(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const clock = createFakeClock();
      const connected = once(server, "connection");
      const reading = readCard(
        { origin: `${scheme}://127.0.0.1:${port}`, paths: ["/card"], headers: {}, judged },
        new Map(),
        { clock, allowed: () => true, resolve: resolveBySystem, signal: new AbortController().signal },
      );
      const [socket] = (await connected) as [Socket];
      const closed = once(socket, "close");
      clock.advance(READ_TIMEOUT_MS);
      expect(await reading).toMatchObject({ ok: false, why: "it took over 5 s" });
      await closed;
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  },
  20_000,
);
