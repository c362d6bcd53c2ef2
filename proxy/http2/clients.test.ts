// Clients that people use, over HTTP/2: the A2A SDK in whole conversations, and undici across a drain.
import { Agent, request, setGlobalDispatcher, getGlobalDispatcher } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { startAgent as startExample } from "../../examples/agent/server.ts";
import { converse } from "../../test/harness/conversation.ts";
import { createCleanup } from "../cleanup.test-support.ts";
import { agentChange, answering, endpointAt, endpointsRow, startProxy, TASK, TOKEN } from "../proxy.test-support.ts";
import { gatewayRow } from "../request/table.test-support.ts";
import { GATEWAY_ROW_ID } from "../table/contract.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "../upstream/certificate.test-support.ts";
import { CALL, secured } from "./http2.test-support.ts";

const use = createCleanup();

/** A dispatcher that can speak nothing but HTTP/2. */
function onlyHttp2(): Agent {
  const agent = new Agent({ allowH2: true, connect: { ca: CERTIFICATE, ALPNProtocols: ["h2"] } });
  onTestFinished(() => agent.destroy());
  return agent;
}

test.each(["JSONRPC", "HTTP+JSON"] as const)("the A2A SDK holds a conversation: %s", async (binding) => {
  const example = await startExample({
    name: "hello",
    copy: "z",
    pace: 5,
    seconds: 30,
    host: "127.0.0.1",
    port: 0,
    showHeaders: false,
  });
  onTestFinished(() => example.drain(100));
  const certificate = { current: { cert: CERTIFICATE, key: CERTIFICATE_KEY }, onChange: () => undefined };
  const endpoints = endpointsRow(endpointAt(Number(new URL(example.url).port)));
  const { port, table, records } = await use(startProxy([agentChange(), endpoints], { certificate }));
  const publicUrl = `https://127.0.0.1:${port}`;
  table.applyLocal([{ id: GATEWAY_ROW_ID, row: gatewayRow({ publicUrl }) }], false);
  const before = getGlobalDispatcher();
  setGlobalDispatcher(onlyHttp2());
  onTestFinished(() => setGlobalDispatcher(before));
  const seen = await converse("js-1.3", `${publicUrl}/a2a/travel`, TOKEN, binding);
  expect(seen.card.url).toContain(publicUrl);
  expect(seen.hello).toContain("Hello from copy z");
  expect(seen.stream.events).toBeGreaterThan(3);
  expect(seen.long.canceled).toBe("canceled");
  expect(seen.ask).toMatchObject({ asked: "input-required", answered: "completed", sameTask: true });
  expect(new Set(records.map(({ outcome }) => outcome))).toEqual(new Set(["ok"]));
});

test("undici loses no request of many while a proxy retires and drains", async () => {
  const one = await secured(use, answering(TASK));
  const dispatcher = onlyHttp2();
  const call = async (): Promise<number> => {
    const { statusCode, body } = await request(`https://127.0.0.1:${one.port}/a2a/travel`, {
      dispatcher,
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      body: CALL,
    });
    await body.dump();
    return statusCode;
  };
  const many = () => Promise.all(Array.from({ length: 40 }, call));
  expect(new Set(await many())).toEqual(new Set([200]));
  one.proxy.retire();
  for (let round = 0; round < 5; round++) expect(new Set(await many())).toEqual(new Set([200]));
  expect(await one.proxy.drain(60_000)).toEqual({ cut: 0 });
  expect(one.records).toHaveLength(240);
});
