// The reading of accepted connections: what is read is right whoever else reads, and both sockets have one life.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { expect, test } from "vitest";
import { createCleanup } from "../cleanup.test-support.ts";
import { readShared } from "./read-shared.ts";

const use = createCleanup();

async function serve() {
  const accepted: Socket[] = [];
  const read: { socket: Socket; text: string }[] = [];
  const blocks = new Set<Buffer>();
  const server: Server = createServer({ pauseOnConnect: true }, (socket) => {
    accepted.push(socket);
    const one: (typeof read)[number] = { socket, text: "" };
    one.socket = readShared(socket, (bytes, length) => {
      one.text += bytes.toString("latin1", 0, length);
      blocks.add(bytes);
      one.socket.write(`${length};`);
    });
    read.push(one);
    server.emit("read");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await use(Promise.resolve({ close: async () => void server.close() }));
  return { server, accepted, read, blocks, dial: () => connect(port, "127.0.0.1") };
}

test("connections read into one block, each what its own client sent", async () => {
  const { read, blocks, dial } = await serve();
  const clients = [dial(), dial()];
  for (const text of ["one", "two", "three"]) {
    for (const [index, client] of clients.entries()) {
      client.write(`${text}${index} `);
      await once(client, "data");
    }
  }
  const texts = read.map(({ text }) => text).sort();
  expect(texts).toEqual(["one0 two0 three0 ", "one1 two1 three1 "]);
  expect(blocks.size).toBe(1);
  for (const client of clients) client.destroy();
});

test("paused, it takes nothing more, and goes on where it was", async () => {
  const { server, read, dial } = await serve();
  const client = dial();
  await once(server, "read");
  read[0]?.socket.pause();
  client.write("first");
  // Another connection is served meanwhile: what the first one sent has arrived.
  const other = dial();
  other.write("x");
  await once(other, "data");
  expect(read[0]?.text).toBe("");
  read[0]?.socket.resume();
  await once(client, "data");
  expect(read[0]?.text).toBe("first");
  client.destroy();
  other.destroy();
});

test.each(["accepted", "read"] as const)(
  "when the %s socket is destroyed, both close and the server counts one less",
  async (which) => {
    const { server, accepted, read, dial } = await serve();
    const client = dial();
    await once(server, "read");
    const [ours, theirs] = [read[0]?.socket, accepted[0]];
    expect(ours).not.toBe(theirs);
    (which === "read" ? ours : theirs)?.destroy();
    client.resume();
    await once(client, "close");
    await new Promise((resolve) => server.close(resolve));
    expect([ours?.destroyed, theirs?.destroyed]).toEqual([true, true]);
  },
);

test("the client's end ends both", async () => {
  const { server, accepted, read, dial } = await serve();
  const client = dial();
  client.end("bye");
  client.resume();
  await once(client, "close");
  await new Promise((resolve) => server.close(resolve));
  expect(read[0]?.text).toBe("bye");
  expect([read[0]?.socket.destroyed, accepted[0]?.destroyed]).toEqual([true, true]);
});

test("a connection that is gone already stays gone", async () => {
  const { dial } = await serve();
  const gone = dial();
  gone.destroy();
  await once(gone, "close");
  expect(readShared(gone, () => {})).toBe(gone);
});
