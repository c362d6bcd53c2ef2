// Streams over HTTP/2: each ends alone, in both directions, and none waits for another.
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { createCleanup } from "../cleanup.test-support.ts";
import { TOKEN } from "../proxy.test-support.ts";
import { keyRow } from "../request/table.test-support.ts";
import { beginStream, completed, event, working } from "../stream.test-support.ts";
import { keyRowId } from "../table/contract.ts";
import { ask, holds, openSession, reply, secured, STREAM } from "./http2.test-support.ts";

const use = createCleanup();
const OTHER = "sk-abcdef0123456789abcdef0123456789";

/** A proxy before an agent whose streams the test writes itself. */
async function streaming() {
  const streams: ServerResponse[] = [];
  const proxy = await secured(
    use,
    (_req, res) => {
      beginStream(res);
      streams.push(res);
    },
    { rows: [{ id: keyRowId("agents", "bob"), row: keyRow(OTHER) }] },
  );
  const stream = async (index: number): Promise<ServerResponse> => {
    await proxy.until(() => streams.length > index);
    const found = streams[index];
    if (found === undefined) throw new Error("no such stream");
    return found;
  };
  return { ...proxy, stream };
}

test("each event arrives before the next is written, beside a stream that waits", async () => {
  const { port, stream, record, streams } = await streaming();
  const session = await openSession(port);
  const waiting = ask(session, STREAM);
  await stream(0);
  const client = ask(session, STREAM);
  const agent = await stream(1);
  for (const step of ["one", "two", "three"]) {
    agent.write(`: ${step}\n\n`);
    await holds(client, step);
  }
  const rest = reply(client);
  agent.end(event(completed));
  expect(await rest).toMatchObject({ code: 0, body: event(completed) });
  expect(await record(0)).toMatchObject({ outcome: "ok", streaming: true });
  expect(streams()).toBe(1);
  expect(waiting.closed).toBe(false);
  session.destroy();
});

test("a revoked key ends its stream with the reason, and no other of the session", async () => {
  const { port, stream, record, table } = await streaming();
  const session = await openSession(port);
  const revoked = ask(session, STREAM);
  const one = await stream(0);
  const other = ask(session, STREAM, { authorization: `Bearer ${OTHER}` });
  const two = await stream(1);
  one.write(event(working));
  await holds(revoked, "working");
  const ended = reply(revoked);
  const left = once(one, "close");
  table.applyLocal([{ id: keyRowId("agents", "alice"), row: null }], false);
  const { body, code } = await ended;
  expect(body).toMatch(/^event: error\ndata: \{"jsonrpc":"2.0","id":1,"error":/);
  expect(code).toBe(2);
  await left;
  expect(await record(0)).toMatchObject({ reason: "KeyRevoked" });
  two.end(event(completed));
  expect(await reply(other)).toMatchObject({ code: 0, body: event(completed) });
  session.destroy();
});

test("a stream that its client resets ends at the agent, and the session goes on", async () => {
  const { port, stream, record } = await streaming();
  const session = await openSession(port);
  const client = ask(session, STREAM);
  const agent = await stream(0);
  agent.write(event(working));
  await holds(client, "working");
  const left = once(agent, "close");
  client.close(8);
  await left;
  expect(await record(0)).toMatchObject({ outcome: "client_closed" });
  const next = ask(session, STREAM);
  (await stream(1)).end(event(completed));
  expect((await reply(next)).code).toBe(0);
  session.destroy();
});

test("an agent that breaks off is told of in an event, and never looks like a clean end", async () => {
  const { port, stream, record } = await streaming();
  const session = await openSession(port);
  for (const [index, text, told] of [
    [0, event(working), "event: error"],
    [1, "data: {half", ""],
  ] as const) {
    const client = ask(session, STREAM);
    const agent = await stream(index);
    agent.write(text);
    await holds(client, text);
    const ended = reply(client);
    agent.destroy();
    const { body, code } = await ended;
    expect([body.slice(0, 12), code]).toEqual([told, 2]);
    expect(await record(index)).toMatchObject({ reason: "UpstreamReset" });
  }
  session.destroy();
});

test("a client that does not read holds its agent back, not the other streams", async () => {
  const { port, stream, until } = await streaming();
  const session = await openSession(port);
  const slow = ask(session, STREAM);
  const agent = await stream(0);
  const block = `: ${"x".repeat(64 * 1024)}\n`;
  const limit = 64 * 1024 * 1024;
  let written = 0;
  let full = 0;
  while (full < 200 && written < limit) {
    if (agent.writableNeedDrain) full++;
    else {
      full = 0;
      agent.write(block);
      written += block.length;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(written).toBeLessThan(limit);
  const other = ask(session, STREAM, { authorization: `Bearer ${TOKEN}` });
  (await stream(1)).end(event(completed));
  expect((await reply(other)).code).toBe(0);
  let received = 0;
  slow.on("data", (chunk: Buffer) => {
    received += chunk.length;
  });
  agent.end();
  await until(() => received >= written);
  session.destroy();
});

test("a client that left without a word ends all its streams", async () => {
  const { port, stream, proxy, until, streams } = await streaming();
  const session = await openSession(port);
  for (const index of [0, 1, 2]) {
    ask(session, STREAM);
    (await stream(index)).write(event(working));
  }
  await until(() => streams() === 3);
  session.destroy();
  await until(() => proxy.open === 0);
  expect(streams()).toBe(0);
});
