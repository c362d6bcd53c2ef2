// Sessions of HTTP/2: how they end when they are idle, when the proxy drains, and when a client floods them.
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { ClientHttp2Session } from "node:http2";
import { describe, expect, test } from "vitest";
import { createClock } from "../../process/clock.ts";
import { createCleanup } from "../cleanup.test-support.ts";
import { answering, json, TASK } from "../proxy.test-support.ts";
import { createFakeClock } from "../table/clock.test-support.ts";
import { beginStream, completed, event, working } from "../stream.test-support.ts";
import {
  ask,
  askAndTakeNothing,
  begin,
  CALL,
  closed,
  holds,
  openSession,
  reply,
  secured,
  STREAM,
} from "./http2.test-support.ts";

const use = createCleanup();

async function holding(config: NonNullable<Parameters<typeof secured>[2]>["config"] = {}, clock = createClock()) {
  const held: ServerResponse[] = [];
  const proxy = await secured(
    use,
    (_req, res, body) => {
      held.push(res);
      if (!body.includes("message/stream")) return;
      beginStream(res);
      res.write(event(working));
    },
    { config, clock },
  );
  const answer = async (index: number): Promise<void> => {
    await proxy.until(() => held.length > index);
    const res = held[index];
    if (res?.headersSent === true) res.end(event(completed));
    else if (res !== undefined) json(res, 200, { jsonrpc: "2.0", id: 1, result: TASK });
  };
  return { ...proxy, held, answer };
}

/** Ids that GOAWAY frames named, as they come. */
function goaways(session: ClientHttp2Session): number[] {
  const named: number[] = [];
  session.on("goaway", (_code: number, id: number) => named.push(id));
  return named;
}

describe("a drain", () => {
  test("lets streams end, says where it stopped, and closes each session after its last stream", async () => {
    const { port, proxy, held, answer, until } = await holding();
    const idle = await openSession(port);
    expect((await reply(ask(idle, undefined, { ":path": "/nothing" }))).status).toBe(404);
    const session = await openSession(port);
    const named = goaways(session);
    const stream = ask(session, STREAM);
    await holds(stream, "working");
    const call = reply(ask(session, CALL));
    await until(() => held.length === 2);
    const left = closed(idle);
    const over = closed(session);
    const drained = proxy.drain(60_000);
    await left;
    await answer(1);
    expect(await call).toMatchObject({ status: 200, code: 0 });
    const rest = reply(stream);
    await answer(0);
    expect(await rest).toMatchObject({ code: 0, body: event(completed) });
    expect(await drained).toEqual({ cut: 0 });
    await over;
    expect(named).toEqual([2 ** 31 - 1, 3]);
  });

  test("cuts at its limit what is left, and says so", async () => {
    const { port, proxy, held, records, until } = await holding();
    const session = await openSession(port);
    const stream = ask(session, STREAM);
    await holds(stream, "working");
    const call = reply(ask(session, CALL));
    await until(() => held.length === 2);
    const rest = reply(stream);
    expect(await proxy.drain(50)).toEqual({ cut: 2 });
    expect(await rest).toMatchObject({ code: 2, body: expect.stringMatching(/^event: error\n/) as string });
    expect(await call).toMatchObject({ status: 503, code: 0 });
    expect(records.map(({ reason }) => reason)).toEqual(["Draining", "Draining"]);
  });

  test("is announced with the answers of a proxy that retires, which serves what comes still", async () => {
    const { port, proxy, answer } = await holding();
    const session = await openSession(port);
    proxy.retire();
    const named = goaways(session);
    const over = closed(session);
    const call = reply(ask(session, CALL));
    await answer(0);
    expect(await call).toMatchObject({ status: 200, code: 0 });
    await over;
    expect(named[0]).toBe(2 ** 31 - 1);
    const late = await openSession(port);
    const again = reply(ask(late, CALL));
    await answer(1);
    expect((await again).status).toBe(200);
    late.destroy();
  });

  test("of an idle session is over soon, and closing ends a stream at once", async () => {
    const { port, proxy } = await holding();
    const idle = await openSession(port);
    const left = closed(idle);
    expect(await proxy.drain(60_000)).toEqual({ cut: 0 });
    await left;
    const other = await holding();
    const session = await openSession(other.port);
    const stream = ask(session, STREAM);
    await holds(stream, "working");
    const rest = reply(stream);
    await other.proxy.close();
    await rest;
    expect(other.proxy.open).toBe(0);
  });
});

describe("an idle session", () => {
  test("is closed, but not while a stream is silent", async () => {
    const { port, answer } = await holding({ keepAliveTimeout: 100, headersTimeout: 100 });
    const never = await openSession(port);
    const session = await openSession(port);
    const stream = ask(session, STREAM);
    await holds(stream, "working");
    await closed(never);
    const second = await openSession(port);
    await reply(ask(second, undefined, { ":path": "/nothing" }));
    await closed(second);
    expect(session.closed).toBe(false);
    const rest = reply(stream);
    await answer(0);
    expect((await rest).code).toBe(0);
    await closed(session);
  });

  test("a body that does not come is waited for no longer than it may take", async () => {
    const { port, record } = await holding({ bodyTimeout: 100 });
    const session = await openSession(port);
    const stream = begin(session);
    stream.write("{");
    expect(await reply(stream)).toMatchObject({ status: 408, code: 0 });
    expect(await record(0)).toMatchObject({ reason: "RequestTimeout" });
    session.destroy();
  });
});

test("a stream of which the client takes nothing for a minute is cut, and one that is silent is not", async () => {
  const clock = createFakeClock();
  const { port, proxy, answer, records, until } = await holding({}, clock);
  const silent = await openSession(port);
  const stream = ask(silent, STREAM);
  await holds(stream, "working");
  const session = await openSession(port, { initialWindowSize: 0 });
  const call = ask(session, CALL);
  await answer(1);
  await once(call, "response");
  const began = clock.elapsed();
  await until(() => {
    clock.advance(250);
    return call.closed;
  });
  expect(clock.elapsed() - began).toBeGreaterThan(59_000);
  expect(call.rstCode).toBe(8);
  expect(records).toMatchObject([{ outcome: "client_closed" }]);
  expect([proxy.open, stream.closed]).toEqual([1, false]);
  session.destroy();
  silent.destroy();
});

test("a client that takes nothing at all keeps neither its stream nor its connection, so that a drain ends", async () => {
  const clock = createFakeClock();
  const large = { ...TASK, metadata: "x".repeat(32 * 1024 * 1024) };
  const { port, proxy, agent, record, until } = await secured(use, answering(large), { clock });
  const client = await askAndTakeNothing(port);
  await until(() => agent.seen.length === 1);
  const upstream = agent.seen[0]?.req.socket;
  // Until the sockets between are full, and stay so for many turns.
  let [taken, full] = [0, 0];
  await until(() => {
    const written = upstream?.bytesWritten ?? 0;
    full = written > 0 && written === taken ? full + 1 : 0;
    taken = written;
    return full === 200;
  });
  let isOver = false;
  const began = clock.elapsed();
  const drained = proxy.drain(86_400_000).then(() => {
    isOver = true;
  });
  await until(() => {
    clock.advance(250);
    return isOver || clock.elapsed() - began > 3_600_000;
  });
  expect(isOver).toBe(true);
  await drained;
  expect(await record(0)).toMatchObject({ outcome: "client_closed" });
  client.destroy();
});

describe("a flood", () => {
  const served = () => secured(use, answering(TASK));

  test("of resets ends its session, and leaves others alone", async () => {
    const { port, proxy, refused, until } = await served();
    const session = await openSession(port);
    const other = await openSession(port);
    const gone = closed(session);
    while (!session.closed && !session.destroyed) {
      for (let count = 0; count < 50 && !session.closed; count++) begin(session).close(8);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await gone;
    await until(() => proxy.open === 0);
    expect(refused.length).toBeLessThanOrEqual(1);
    expect((await reply(ask(other, CALL))).status).toBe(200);
    other.destroy();
  });

  test("of streams waits: no more run at once than the settings allow", async () => {
    const { port, proxy, held, answer, until } = await holding();
    const session = await openSession(port);
    expect(session.remoteSettings.maxConcurrentStreams).toBe(100);
    const replies = Array.from({ length: 120 }, () => reply(ask(session, CALL)));
    await until(() => held.length === 100);
    expect(proxy.open).toBe(100);
    for (let index = 0; index < 120; index++) await answer(index);
    for (const { status } of await Promise.all(replies)) expect(status).toBe(200);
    session.destroy();
  });

  test("of header fields is refused, and the session goes on", async () => {
    const { port, agent } = await served();
    const session = await openSession(port);
    for (const many of [
      { x: "y".repeat(17_000) },
      Object.fromEntries(Array.from({ length: 140 }, (_, index) => [`x-${index}`, "y"])),
    ]) {
      // Reset, or 431 as long as the client has not confirmed the settings.
      expect([0, 431]).toContain((await reply(ask(session, CALL, many))).status);
    }
    expect((await reply(ask(session, CALL))).status).toBe(200);
    expect(agent.seen).toHaveLength(1);
    session.destroy();
  });
});
