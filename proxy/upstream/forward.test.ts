import { describe, expect, test } from "vitest";
import { freePort } from "../../test/harness/processes.ts";
import { createCleanup } from "../cleanup.test-support.ts";
import {
  agentChange,
  answering,
  endpointAt,
  ENDPOINTS,
  endpointsRow,
  json,
  keyChange,
  message,
  rpc,
  send,
  startAgent,
  startProxy,
  TASK,
} from "../proxy.test-support.ts";
import { tableOf } from "../request/table.test-support.ts";
import { createFakeClock } from "../table/clock.test-support.ts";
import type { AgentBackend } from "../table/contract.ts";
import { createAffinity } from "./affinity.ts";
import { createConnections } from "./connections.ts";
import { createEndpointStates } from "./endpoint.ts";
import { createForward, ForwardRequest } from "./forward.ts";
import { createPicker } from "./pick.ts";

const use = createCleanup();
const HELLO = rpc("message/send", message());

/** Random numbers that always take the first of what there is to choose from. */
const first = { random: () => 0 };

describe("a refused connection", () => {
  test("goes to another endpoint, each once", async () => {
    const agent = await use(startAgent(answering(TASK)));
    const dead = [await freePort(), await freePort()];
    const endpoints = [...dead, agent.port].map((port) => endpointAt(port));
    for (const random of [() => 0, () => 0.5, () => 0.99]) {
      const { port, record } = await use(startProxy([agentChange(), endpointsRow(...endpoints)], { random }));
      expect((await send(port, { body: HELLO })).status).toBe(200);
      expect(await record(0)).toMatchObject({ outcome: "ok", endpoint: `127.0.0.1:${agent.port}` });
    }
    expect(agent.seen).toHaveLength(3);
  });

  test("of all endpoints is said so", async () => {
    const dead = [await freePort(), await freePort()];
    const { port, record } = await use(
      startProxy([agentChange(), endpointsRow(...dead.map((dead) => endpointAt(dead)))]),
    );
    const reply = await send(port, { body: HELLO });
    expect(reply.status).toBe(502);
    expect(await record(0)).toMatchObject({ reason: "ConnectFailed", outcome: "upstream_error" });
  });

  test("of the endpoint that has the task fails: no other has it", async () => {
    const owner = await use(startAgent(answering(TASK)));
    const other = await use(startAgent(answering(TASK)));
    const { port, record } = await use(
      startProxy([agentChange(), endpointsRow(endpointAt(owner.port), endpointAt(other.port))], first),
    );
    await send(port, { body: HELLO });
    const [holder, idle] = owner.seen.length === 1 ? [owner, other] : [other, owner];
    await holder.close();
    for (const body of [rpc("tasks/get", { id: "task-1" }), rpc("message/send", message({ contextId: "context-1" }))]) {
      expect((await send(port, { body })).status).toBe(502);
    }
    expect(await record(1)).toMatchObject({ reason: "ConnectFailed" });
    expect(idle.seen).toEqual([]);
  });

  test("after the request had left is never tried again", async () => {
    const breaking = await use(startAgent((_req, res) => res.destroy()));
    const other = await use(startAgent((_req, res) => res.destroy()));
    const { port, record } = await use(
      startProxy([agentChange(), endpointsRow(endpointAt(breaking.port), endpointAt(other.port))]),
    );
    expect((await send(port, { body: HELLO })).status).toBe(502);
    expect((await record(0)).reason).toBe("UpstreamReset");
    expect(breaking.seen.length + other.seen.length).toBe(1);
  });

  test("of a new context does not bind it", async () => {
    const agent = await use(startAgent(answering({ ...TASK, contextId: "mine" })));
    const endpoints = [endpointAt(await freePort()), endpointAt(agent.port)];
    const { port } = await use(startProxy([agentChange(), endpointsRow(...endpoints)], first));
    for (let round = 0; round < 3; round++) {
      expect((await send(port, { body: rpc("message/send", message({ contextId: "mine" })) })).status).toBe(200);
    }
    expect(agent.seen).toHaveLength(3);
  });
});

describe("conversations", () => {
  test("stay where they began: by task, by context of the agent, by context of the client", async () => {
    let made = 0;
    const agents = await Promise.all(
      [0, 1, 2].map((index) =>
        use(
          startAgent((_req, res, body) => {
            const { id, params } = JSON.parse(body) as {
              id: number;
              params: { id?: string; message?: { contextId?: string } };
            };
            const contextId = params.message?.contextId ?? `context-${index}-${++made}`;
            const result = { ...TASK, id: params.id ?? `task-${index}-${++made}`, contextId, metadata: { index } };
            json(res, 200, { jsonrpc: "2.0", id, result });
          }),
        ),
      ),
    );
    const { port } = await use(
      startProxy([agentChange(), endpointsRow(...agents.map((agent) => endpointAt(agent.port)))]),
    );
    const ask = async (body: string) =>
      (
        JSON.parse((await send(port, { body })).body) as {
          result: { id: string; contextId: string; metadata: { index: number } };
        }
      ).result;
    for (let round = 0; round < 10; round++) {
      const begun = await ask(HELLO);
      const where = begun.metadata.index;
      expect((await ask(rpc("tasks/get", { id: begun.id }))).metadata.index).toBe(where);
      expect((await ask(rpc("message/send", message({ contextId: begun.contextId })))).metadata.index).toBe(where);
      const own = (await ask(rpc("message/send", message({ contextId: `user-${round}` })))).metadata.index;
      expect((await ask(rpc("message/send", message({ contextId: `user-${round}` })))).metadata.index).toBe(own);
    }
  });

  test("whose first message failed after it had left begin anew where the next one goes, and stay there", async () => {
    const failing = await use(startAgent((_req, res) => res.destroy()));
    const agents = await Promise.all(
      [0, 1].map((index) =>
        use(startAgent(answering({ ...TASK, contextId: "mine", id: `t${index}`, metadata: { index } }))),
      ),
    );
    const { port, table } = await use(startProxy([agentChange(), endpointsRow(endpointAt(failing.port))]));
    const ask = () => send(port, { body: rpc("message/send", message({ contextId: "mine" })) });
    expect((await ask()).status).toBe(502);
    table.applyLocal([endpointsRow(...agents.map((agent) => endpointAt(agent.port)))], false);
    for (let round = 0; round < 12; round++) expect((await ask()).status).toBe(200);
    expect(agents.map(({ seen }) => seen.length).sort((a, b) => a - b)).toEqual([0, 12]);
  });

  test("of one answer are remembered up to a bound, so that none pushes out what is known of others", async () => {
    const event = (id: number): string =>
      `data: ${JSON.stringify({ jsonrpc: "2.0", id: 1, result: { ...TASK, id: `t${id}`, contextId: `c${id}` } })}\n\n`;
    const teaching = await use(
      startAgent((_req, res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.end(Array.from({ length: 40 }, (_, index) => event(index)).join(""));
      }),
    );
    const other = await use(startAgent(answering(TASK)));
    const { port, table } = await use(startProxy([agentChange(), endpointsRow(endpointAt(teaching.port))]));
    await send(port, { body: rpc("message/stream", message()) });
    table.applyLocal([endpointsRow(endpointAt(other.port))], false);
    const ask = async (id: number) => (await send(port, { body: rpc("tasks/get", { id: `t${id}` }) })).status;
    expect([await ask(0), await ask(15), await ask(16), await ask(39)]).toEqual([503, 503, 200, 200]);
  });

  test("whose endpoint is gone are told so", async () => {
    const agent = await use(startAgent(answering(TASK)));
    const { port, table, record } = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))]));
    await send(port, { body: HELLO });
    table.applyLocal([endpointsRow(endpointAt(agent.port + 1))], false);
    const reply = await send(port, { body: rpc("tasks/get", { id: "task-1" }, "x") });
    expect(reply.status).toBe(503);
    expect(reply.body).toContain('"id":"x"');
    expect((await record(1)).reason).toBe("EndpointGone");
  });
});

describe("a url backend", () => {
  const backend = (url: string): AgentBackend => ({ name: "far", weight: 1, url, interfaces: [] });

  test("at a loopback address is refused, by address and by name, unless it is allowed; and again once it is not", async () => {
    const agent = await use(startAgent(answering(TASK)));
    const url = `http://localhost:${agent.port}/base`;
    const { port, table, record } = await use(startProxy([agentChange({ backends: [backend(url)] })]));
    const allow = (...allowedUpstreams: string[]): void =>
      table.applyLocal([{ id: "gateway", row: { name: "default", trustedProxies: [], allowedUpstreams } }], false);
    const refused = await send(port, { body: HELLO });
    expect(refused.status).toBe(502);
    expect(await record(0)).toMatchObject({ reason: "UpstreamRefused", endpoint: `http://localhost:${agent.port}` });
    allow("127.0.0.0/8", "::1/128");
    expect((await send(port, { body: HELLO })).status).toBe(200);
    expect(agent.seen[0]?.req.url).toBe("/base");
    expect(agent.seen[0]?.req.headers.host).toBe(`localhost:${agent.port}`);
    allow();
    expect((await send(port, { body: HELLO })).status).toBe(502);
    expect(agent.seen).toHaveLength(1);
  });

  test("at an address of metadata is refused before a packet leaves", async () => {
    const { port, record } = await use(
      startProxy([agentChange({ backends: [backend("http://169.254.169.254/latest/meta-data/")] })]),
    );
    expect((await send(port, { body: HELLO })).status).toBe(502);
    expect((await record(0)).reason).toBe("UpstreamRefused");
  });

  test("goes on to an endpoint that may be reached", async () => {
    const agent = await use(startAgent(answering(TASK)));
    const near: AgentBackend = {
      name: "near",
      weight: 1,
      endpoints: ENDPOINTS,
      scheme: "http",
      path: "/",
      host: "h",
      interfaces: [],
    };
    const { port } = await use(
      startProxy(
        [agentChange({ backends: [backend("http://10.0.0.1/"), near] }), endpointsRow(endpointAt(agent.port))],
        first,
      ),
    );
    expect((await send(port, { body: HELLO })).status).toBe(200);
  });
});

describe("a fault of our own", () => {
  /** A forward over these endpoints, whose source of random numbers can break. */
  async function forwarding(...ports: readonly number[]) {
    const table = tableOf(agentChange(), endpointsRow(...ports.map((port) => endpointAt(port))));
    const state = { broken: false };
    const random = (): number => {
      if (state.broken) throw new Error("a fault of ours");
      return 0;
    };
    const affinity = createAffinity(100);
    const clock = createFakeClock();
    const connections = createConnections({ clock, allowed: () => true });
    await use(Promise.resolve({ close: async () => connections.close() }));
    const picker = createPicker({ table, states: createEndpointStates(), affinity, random });
    const errors: string[] = [];
    const silent = (): void => {};
    const error = (_: unknown, message = ""): void => void errors.push(message);
    const forward = createForward({
      table,
      picker,
      affinity,
      connections,
      log: { trace: silent, debug: silent, info: silent, warn: silent, error },
    });
    const agent = table.agentByName("agents", "travel");
    if (agent === undefined) throw new Error("no agent");
    const request = new ForwardRequest(agent, {}, false, "POST", () => "/", ["content-type", "application/json"], null);
    return { forward, request, state, errors };
  }

  test("in taking the end of an answer is told to whoever waits for it", async () => {
    const agent = await use(startAgent((_req, res) => json(res, 200, {})));
    const { forward, request, errors } = await forwarding(agent.port);
    const reason = await new Promise((resolve) =>
      forward(request, {
        chosen: () => {},
        sent: () => {},
        started: () => {},
        data: () => {},
        ended() {
          throw new Error("a fault of ours");
        },
        failed: resolve,
      }),
    );
    expect(reason).toBe("Internal");
    expect(errors).toEqual(["answer not passed on"]);
  });

  test("in trying another endpoint is told, too", async () => {
    const { forward, request, state, errors } = await forwarding(await freePort(), await freePort(), await freePort());
    const reason = await new Promise((resolve) =>
      forward(request, {
        chosen() {
          state.broken = true;
        },
        sent: () => {},
        started: () => {},
        data: () => {},
        ended: () => {},
        failed: resolve,
      }),
    );
    expect(reason).toBe("Internal");
    expect(errors).toEqual(["request not forwarded"]);
  });
});

test("connections are kept and used again, by all agents that share an endpoint", async () => {
  const agent = await use(startAgent(answering(TASK)));
  const { port } = await use(
    startProxy([
      agentChange(),
      agentChange({ publicName: "second" }, "second"),
      endpointsRow(endpointAt(agent.port)),
      keyChange({ agents: [{ selector: {} }] }),
    ]),
  );
  for (const path of ["/a2a/travel", "/a2a/second", "/a2a/travel"]) {
    expect((await send(port, { path, body: HELLO })).status).toBe(200);
  }
  expect(new Set(agent.seen.map(({ req }) => req.socket.remotePort)).size).toBe(1);
});
