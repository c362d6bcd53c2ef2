import { describe, expect, test } from "vitest";
import { agentRow, tableOf } from "../request/table.test-support.ts";
import type { AgentBackend, AgentRow, Endpoint, RowChange } from "../table/contract.ts";
import { agentRowId, endpointsRowId } from "../table/contract.ts";
import { createAffinity } from "./affinity.ts";
import { createEndpointStates } from "./endpoint.ts";
import { type ConversationIds, createPicker } from "./pick.ts";

const STABLE = endpointsRowId("agents", "stable", "http");
const CANARY = endpointsRowId("agents", "canary", "http");

const backend = (name: string, endpoints: string, weight: number): AgentBackend => ({
  name,
  weight,
  endpoints,
  scheme: "http",
  path: "/",
  host: `${name}.agents.svc`,
  interfaces: [],
});

const pod = (name: string, more: Partial<Endpoint> = {}): Endpoint => ({
  pod: name,
  address: `10.0.0.${name.length}`,
  port: 8080,
  ready: true,
  serving: true,
  ...more,
});

function setUp(
  options: { row?: Partial<AgentRow>; stable?: Endpoint[]; canary?: Endpoint[]; random?: () => number } = {},
) {
  const { row = {}, stable = [pod("a"), pod("bb")], canary = [pod("ccc")], random = () => 0 } = options;
  const changes = (lists: { stable: Endpoint[]; canary: Endpoint[] }): RowChange[] => [
    { id: STABLE, row: { endpoints: lists.stable } },
    { id: CANARY, row: { endpoints: lists.canary } },
  ];
  const backends = [backend("stable", STABLE, 90), backend("canary", CANARY, 10)];
  const table = tableOf(
    { id: agentRowId("agents", "travel"), row: agentRow({ backends, loadBalancing: "Random", ...row }) },
    ...changes({ stable, canary }),
  );
  const affinity = createAffinity(1000);
  const states = createEndpointStates();
  const picker = createPicker({ table, states, affinity, random });
  return {
    table,
    affinity,
    states,
    endpoints: (lists: { stable: Endpoint[]; canary: Endpoint[] }) => table.applyLocal(changes(lists), false),
    pick: (ids: ConversationIds = {}, tried?: ReadonlySet<string>) => {
      const agent = table.agentByName("agents", "travel");
      if (agent === undefined) throw new Error("no agent");
      const picked = picker.pick(agent, ids, tried);
      return picked.ok ? { identity: picked.target.identity, bound: picked.bound } : picked.reason;
    },
  };
}

describe("a new conversation", () => {
  test("goes to a backend by weight, then to one of its endpoints", () => {
    const chances = [0.89, 0.6, 0.91, 0.6];
    let index = 0;
    // The first number is the picker's own start of its round.
    const { pick } = setUp({
      random: () => (index === 0 ? (index++, 0) : (chances[(index++ - 1) % chances.length] ?? 0)),
    });
    expect(pick()).toEqual({ identity: "bb:8080", bound: false });
    expect(pick()).toEqual({ identity: "ccc:8080", bound: false });
  });

  test("never goes to an endpoint that is not ready, nor to a backend of weight 0", () => {
    const { pick } = setUp({ stable: [pod("a", { ready: false }), pod("bb")], random: () => 0.999 });
    expect(pick()).toEqual({ identity: "ccc:8080", bound: false });
    const zero = setUp({ row: { backends: [backend("stable", STABLE, 0), backend("canary", CANARY, 10)] } });
    expect(zero.pick()).toEqual({ identity: "ccc:8080", bound: false });
  });

  test("goes on to the other backends when one has no endpoint left", () => {
    const { pick } = setUp({ stable: [] });
    expect(pick()).toEqual({ identity: "ccc:8080", bound: false });
    expect(pick({}, new Set(["ccc:8080"]))).toBe("NoEndpoints");
  });

  test("has nowhere to go: the reason says why", () => {
    expect(setUp({ stable: [], canary: [] }).pick()).toBe("NoEndpoints");
    expect(setUp({ row: { backends: [backend("stable", STABLE, 0)] } }).pick()).toBe("NoBackends");
    expect(setUp({ row: { backends: [backend("stable", "endpoints/agents/none/http", 1)] } }).pick()).toBe(
      "NoEndpoints",
    );
  });

  test("sees endpoints as they change", () => {
    const { pick, endpoints } = setUp({ canary: [] });
    expect(pick()).toMatchObject({ identity: "a:8080" });
    endpoints({ stable: [pod("dddd")], canary: [] });
    expect(pick()).toMatchObject({ identity: "dddd:8080" });
  });

  test("of a url backend goes to its origin", () => {
    const { pick } = setUp({
      row: { backends: [{ name: "far", weight: 1, url: "https://Agent.example.com/a2a/", interfaces: [] }] },
    });
    expect(pick()).toEqual({ identity: "https://agent.example.com", bound: false });
  });
});

describe("a follow-up", () => {
  test("goes where its task is, then where its context is, and referred tasks are a hint", () => {
    const { pick, affinity } = setUp();
    affinity.learn("agents/travel", "task", "t", "bb:8080", "stable");
    affinity.learn("agents/travel", "context", "c", "ccc:8080", "canary");
    expect(pick({ taskId: "t", contextId: "c" })).toEqual({ identity: "bb:8080", bound: true });
    expect(pick({ taskId: "unknown", contextId: "c" })).toEqual({ identity: "ccc:8080", bound: true });
    expect(pick({ referenceTaskIds: ["unknown", "t"] })).toEqual({ identity: "bb:8080", bound: false });
    expect(pick({ referenceTaskIds: ["t"] }, new Set(["bb:8080"]))).toEqual({ identity: "a:8080", bound: false });
    expect(pick({ taskId: "unknown" })).toEqual({ identity: "a:8080", bound: false });
  });

  test("goes on to an endpoint that only serves, and whatever the weight", () => {
    const { pick, affinity, endpoints } = setUp({ row: { backends: [backend("stable", STABLE, 0)] } });
    affinity.learn("agents/travel", "task", "t", "a:8080", "stable");
    endpoints({ stable: [pod("a", { ready: false, serving: true })], canary: [] });
    expect(pick({ taskId: "t" })).toEqual({ identity: "a:8080", bound: true });
    expect(pick({ referenceTaskIds: ["t"] })).toBe("NoBackends");
  });

  test("is told when its endpoint is gone, though others are there; another pod at the address is not it", () => {
    const { pick, affinity, endpoints } = setUp();
    affinity.learn("agents/travel", "task", "t", "a:8080", "stable");
    affinity.learn("agents/travel", "context", "c", "a:8080", "stable");
    endpoints({ stable: [pod("z"), pod("bb")], canary: [] });
    expect(pick({ taskId: "t" })).toBe("EndpointGone");
    expect(pick({ contextId: "c" })).toBe("EndpointGone");
    endpoints({ stable: [pod("a", { ready: false, serving: false }), pod("bb")], canary: [] });
    expect(pick({ taskId: "t" })).toBe("EndpointGone");
  });

  test("finds its endpoint under a backend that was renamed", () => {
    const { pick, affinity } = setUp();
    affinity.learn("agents/travel", "task", "t", "ccc:8080", "old-name");
    expect(pick({ taskId: "t" })).toEqual({ identity: "ccc:8080", bound: true });
  });

  test("of a context that was only claimed may go elsewhere once that endpoint refused", () => {
    const { pick, affinity } = setUp({ canary: [] });
    affinity.claim("agents/travel", "c", "bb:8080", "stable");
    expect(pick({ contextId: "c" })).toEqual({ identity: "bb:8080", bound: false });
    expect(pick({ contextId: "c" }, new Set(["bb:8080"]))).toEqual({ identity: "a:8080", bound: false });
  });
});

test("load of an endpoint outlives the rows that name it", () => {
  const { pick, states, endpoints } = setUp();
  pick();
  const state = states.get("a:8080");
  state.inFlight = 7;
  endpoints({ stable: [pod("a"), pod("new")], canary: [] });
  pick();
  expect(states.get("a:8080")).toBe(state);
});
