import { getEventListeners, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";
import { expect, test } from "vitest";
import { createCleanup } from "../cleanup.test-support.ts";
import { createAcks } from "./acks.ts";
import { createFakeClock } from "./clock.test-support.ts";
import type { Ack } from "./contract.ts";

const use = createCleanup();
const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const ack = (sequence: number): Ack => ({
  proxy: "p",
  replica: "r",
  sequence,
  version: "v",
  refused: [],
  refusedRows: 0,
});

/** An operator that takes the first acknowledgement and never answers the second. */
async function begin() {
  const ended: string[] = [];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => asked.push(String(chunk)));
    response.on("close", () => ended.push(response.writableEnded ? "answered" : "cut"));
    request.on("end", () => asked.length === 1 && response.writeHead(204).end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const dispatcher = new Agent();
  await use(
    Promise.resolve({
      close: async () => {
        await dispatcher.destroy();
        server.closeAllConnections();
        server.close();
      },
    }),
  );
  const stop = new AbortController();
  const clock = createFakeClock();
  const url = new URL(`http://127.0.0.1:${port}/acks`);
  const acks = createAcks({
    url,
    session: { dispatcher, headers: {} },
    clock,
    random: () => 0,
    log,
    signal: stop.signal,
  });
  return { acks, stop, clock, asked, ended, listeners: () => getEventListeners(stop.signal, "abort").length };
}

test("an acknowledgement that hangs ends with its stream, and leaves nothing on its signal", async () => {
  const { acks, stop, asked, ended, listeners } = await begin();
  acks.send(ack(1));
  await expect.poll(() => [ended.length, listeners()]).toEqual([1, 0]);
  acks.send(ack(2));
  await expect.poll(() => [asked.length, listeners()]).toEqual([2, 1]);
  stop.abort();
  await expect.poll(() => [ended, listeners()]).toEqual([["answered", "cut"], 0]);
});

test("an acknowledgement that hangs is sent again after two seconds, with what is newest by then", async () => {
  const { acks, stop, clock, asked, ended } = await begin();
  acks.send(ack(1));
  await expect.poll(() => ended).toEqual(["answered"]);
  acks.send(ack(2));
  await expect.poll(() => asked.length).toBe(2);
  acks.send(ack(3));
  clock.advance(2000);
  await expect.poll(() => ended).toEqual(["answered", "cut"]);
  await expect.poll(() => (clock.advance(1000), asked.length)).toBe(3);
  expect(JSON.parse(asked[2] ?? "")).toMatchObject({ sequence: 3 });
  stop.abort();
});
