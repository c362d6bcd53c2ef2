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

/** An operator that takes the first acknowledgement and never answers the second; or that takes all of them. */
async function begin(role: "applied" | "standby" = "applied", takesAll = false) {
  const ended: string[] = [];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => asked.push(String(chunk)));
    response.on("close", () => ended.push(response.writableEnded ? "answered" : "cut"));
    request.on("end", () => (takesAll || asked.length === 1) && response.writeHead(204).end());
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
    role,
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

test.each([
  ["applied", 50],
  ["standby", 500],
] as const)(
  "of a stream that is %s acknowledgements go out at once, and every %i ms when they do not end",
  async (role, every) => {
    const { acks, stop, clock, asked, ended } = await begin(role, true);
    const send = async (sequence: number): Promise<void> => {
      acks.send(ack(sequence));
      await expect.poll(() => ended.length).toBe(sequence);
    };
    for (let sequence = 1; sequence <= 6; sequence += 1) await send(sequence);
    acks.send(ack(7));
    acks.send(ack(8));
    await expect.poll(() => clock.pending).toEqual([every]);
    clock.advance(every - 1);
    expect(clock.pending).toEqual([1]);
    clock.advance(1);
    await expect.poll(() => asked.map((text) => (JSON.parse(text) as Ack).sequence)).toEqual([1, 2, 3, 4, 5, 6, 8]);
    stop.abort();
  },
);
