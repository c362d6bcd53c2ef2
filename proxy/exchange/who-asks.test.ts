import { describe, expect, test } from "vitest";
import { createCleanup } from "../cleanup.test-support.ts";
import {
  agentChange,
  answering,
  endpointAt,
  endpointsRow,
  keyChange,
  message,
  rpc,
  send,
  startAgent,
  startProxy,
  TASK,
} from "../proxy.test-support.ts";

const use = createCleanup();
const BODY = rpc("message/send", message(), "raw-id");

async function gateway(...more: Parameters<typeof startProxy>[0]) {
  const agent = await use(startAgent(answering(TASK)));
  const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port)), ...more]));
  return { agent, ...proxy };
}

const error = (body: string): { id: unknown; code: number } => {
  const parsed = JSON.parse(body) as { id: unknown; error: { code: number } };
  return { id: parsed.id, code: parsed.error.code };
};

describe("who asks", () => {
  test.each([
    ["no key", null, "Missing"],
    ["an unknown key", "sk-wrong", "Unknown"],
  ])("%s is refused before the body, whatever the path", async (_, token, keyFault) => {
    const { port, record, agent } = await gateway();
    const paths = ["/a2a/travel", "/a2a/nobody", "/", "/a2a/travel/tasks/1", "/a2a/%2e%2e/x", "/metrics"];
    for (const [index, path] of paths.entries()) {
      const reply = await send(port, { path, body: "{ this is no JSON", token });
      expect({ path, status: reply.status }).toEqual({ path, status: 401 });
      expect(reply.headers["www-authenticate"]).toMatch(/^Bearer/);
      expect(await record(index)).toMatchObject({
        status: 401,
        outcome: "refused",
        reason: "Unauthenticated",
        keyFault,
      });
    }
    const reply = await send(port, { body: BODY, token });
    expect(error(reply.body)).toEqual({ id: null, code: -32050 });
    expect(agent.seen).toEqual([]);
  });

  test.each([
    ["disabled", { disabled: true }, "Disabled"],
    ["expired", { expiresAt: "2020-01-01T00:00:00Z" }, "Expired"],
  ] as const)(
    "a key that is %s is refused as one that never was; the record says why, and whose it is",
    async (_, row, keyFault) => {
      const { port, record } = await gateway(keyChange(row));
      const [reply, unknown] = [await send(port, { body: BODY }), await send(port, { body: BODY, token: "sk-wrong" })];
      const { date: _now, ...headers } = reply.headers;
      expect(reply.status).toBe(401);
      expect(reply.body).toBe(unknown.body);
      expect(unknown.headers).toMatchObject(headers);
      expect(await record(0)).toMatchObject({
        reason: "Unauthenticated",
        keyFault,
        key: "agents/alice",
        cost: undefined,
      });
      expect(await record(1)).toMatchObject({ reason: "Unauthenticated", keyFault: "Unknown", key: undefined });
    },
  );

  test("two Authorization headers are refused, since another parser may take the other", async () => {
    const { port } = await gateway();
    const reply = await send(port, {
      body: BODY,
      token: null,
      headers: { authorization: ["Bearer sk-0123456789abcdef0123456789abcdef", "Bearer x"] },
    });
    expect(reply.status).toBe(400);
  });

  test("a key for loopback only is taken on a loopback listener", async () => {
    const { port } = await gateway(keyChange({ loopbackOnly: true }));
    expect((await send(port, { body: BODY })).status).toBe(200);
  });

  test("a key for loopback only is not taken under another name of this machine", async () => {
    const { port, record } = await gateway(keyChange({ loopbackOnly: true }));
    expect((await send(port, { body: BODY, headers: { host: "evil.example" } })).status).toBe(401);
    expect(await record(0)).toMatchObject({ reason: "Unauthenticated", keyFault: "LoopbackOnly" });
  });
});
