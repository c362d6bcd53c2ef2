import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { createCleanup } from "../cleanup.test-support.ts";
import {
  agentChange,
  endpointAt,
  endpointsRow,
  message,
  rpc,
  send,
  startAgent,
  startProxy,
  TASK,
} from "../proxy.test-support.ts";
import { openStream } from "../stream.test-support.ts";
import { createFakeClock } from "../table/clock.test-support.ts";

const use = createCleanup();
const BODY = rpc("message/send", message(), "raw-id");
const ANSWER = JSON.stringify({ jsonrpc: "2.0", id: "raw-id", result: TASK });
const CARD = "/a2a/travel/.well-known/agent-card.json";

/** A proxy before an agent that sends the head of an answer; the test does the rest. */
async function answeringHead(timeouts: { firstByte: number; streamIdle: number }, headers: object = {}) {
  const clock = createFakeClock();
  const answers: ServerResponse[] = [];
  const agent = await use(
    startAgent((_req, res) => {
      res.writeHead(200, { "content-type": "application/json", ...headers });
      res.flushHeaders();
      answers.push(res);
    }),
  );
  const row = agentChange({ timeouts: { connect: 1000, ...timeouts } });
  const proxy = await use(startProxy([row, endpointsRow(endpointAt(agent.port))], { clock }));
  return {
    ...proxy,
    clock,
    answer: async (): Promise<ServerResponse> => {
      await proxy.until(() => answers.length === 1);
      const [answer] = answers;
      if (answer === undefined) throw new Error("no answer");
      return answer;
    },
    /** Lets time pass until the request is over; returns how much passed. */
    pass: async (): Promise<number> => {
      const began = clock.elapsed();
      await proxy.until(() => {
        clock.advance(250);
        return proxy.proxy.open === 0;
      });
      return clock.elapsed() - began;
    },
  };
}

describe("an agent that stalls", () => {
  test.each([
    ["with its length", { "content-length": ANSWER.length }],
    ["without", {}],
  ])("after the head of a document, %s, is a timeout, answered in the binding", async (_, headers) => {
    const { port, pass, answer, record } = await answeringHead({ firstByte: 60_000, streamIdle: 0 }, headers);
    const pending = send(port, { body: BODY });
    await answer();
    expect(await pass()).toBeGreaterThanOrEqual(60_000);
    const reply = await pending;
    expect(reply.status).toBe(504);
    expect(JSON.parse(reply.body)).toMatchObject({ id: "raw-id", error: { code: -32054 } });
    expect(await record(0)).toMatchObject({ reason: "FirstByteTimeout", outcome: "upstream_error" });
  });

  test("within a document is cut off by what holds for streams, counted from its last byte", async () => {
    const { port, clock, pass, answer, record, proxy } = await answeringHead({ firstByte: 60_000, streamIdle: 5000 });
    const client = await openStreamOnceBegun(port, answer);
    clock.advance(4500);
    (await answer()).write(ANSWER.slice(10, 20));
    await client.holds(ANSWER.slice(0, 20));
    clock.advance(4500);
    expect(proxy.open).toBe(1);
    await pass();
    expect(await client.ended).toBe("broken");
    expect(await record(0)).toMatchObject({ reason: "StreamIdle", outcome: "upstream_error", status: 200 });
  });

  test("within a document may do so for ever where no limit is set", async () => {
    const { port, clock, answer, record } = await answeringHead({ firstByte: 60_000, streamIdle: 0 });
    const client = await openStreamOnceBegun(port, answer);
    clock.advance(3_600_000);
    (await answer()).end(ANSWER.slice(10));
    expect(await client.ended).toBe("clean");
    expect(client.text()).toBe(ANSWER);
    expect((await record(0)).outcome).toBe("ok");
  });

  async function openStreamOnceBegun(port: number, answer: () => Promise<ServerResponse>) {
    const opening = openStream(port, BODY);
    (await answer()).write(ANSWER.slice(0, 10));
    const client = await opening;
    await client.holds(ANSWER.slice(0, 10));
    return client;
  }

  test.each([
    ["its card", { method: "GET", path: CARD, token: null }],
    ["its extended card", { body: rpc("agent/getAuthenticatedExtendedCard") }],
  ])("in the middle of %s is not waited for", async (_, request) => {
    const { port, answer, pass, record } = await answeringHead({ firstByte: 600_000, streamIdle: 0 });
    const pending = send(port, request);
    (await answer()).write("{");
    expect(await pass()).toBeLessThan(60_000);
    expect((await pending).status).toBe(502);
    expect(await record(0)).toMatchObject({ reason: "CardUnavailable", outcome: "upstream_error" });
  });
});

test("a wall clock that steps ends nothing", async () => {
  const { port, clock, answer, proxy } = await answeringHead({ firstByte: 60_000, streamIdle: 5000 });
  const opening = openStream(port, BODY);
  const agent = await answer();
  agent.write(ANSWER.slice(0, 10));
  const client = await opening;
  await client.holds(ANSWER.slice(0, 10));
  clock.set(clock.now() + 3_600_000);
  clock.advance(250);
  expect(proxy.open).toBe(1);
  clock.set(clock.now() - 7_200_000);
  clock.advance(250);
  agent.end(ANSWER.slice(10));
  expect(await client.ended).toBe("clean");
});
