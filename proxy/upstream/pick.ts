// Which endpoint a request goes to. In: agent, ids of the request, endpoints already tried. Out: a target, or why there is none.
import type { Agent, Table } from "../table/compiled.ts";
import type { AgentBackend, AgentRow, Endpoint } from "../table/contract.ts";
import type { Affinity, Owner } from "./affinity.ts";
import { pickByWeight, POLICIES } from "./balance.ts";
import { endpointTargets, type EndpointStates, type Target, urlTargets } from "./endpoint.ts";

export interface ConversationIds {
  readonly taskId?: string | undefined;
  readonly contextId?: string | undefined;
  readonly referenceTaskIds?: readonly string[] | undefined;
}

export type Pick =
  /** `bound`: the conversation lives there, so no other endpoint will do. */
  | { readonly ok: true; readonly target: Target; readonly bound: boolean }
  | { readonly ok: false; readonly reason: "NoBackends" | "NoEndpoints" | "EndpointGone" };

export interface Picker {
  /** `tried`: identities that refused a connection during this request. */
  pick(agent: Agent, ids: ConversationIds, tried: ReadonlySet<string> | undefined): Pick;
}

interface BackendTargets {
  readonly backend: AgentBackend;
  /** What the targets were made of; another array means that they changed. */
  readonly source: readonly Endpoint[] | undefined;
  readonly ready: readonly Target[];
  readonly serving: readonly Target[];
}

interface AgentTargets {
  readonly backends: BackendTargets[];
  turn: number;
}

/** Remembers the targets of each agent row until the row or its endpoints change. */
export function createPicker(deps: {
  table: Table;
  states: EndpointStates;
  affinity: Affinity;
  random: () => number;
}): Picker {
  const { table, states, affinity, random } = deps;
  const byRow = new WeakMap<AgentRow, AgentTargets>();

  function targetsOf(backend: AgentBackend, source: readonly Endpoint[] | undefined): BackendTargets {
    const serving =
      backend.url === undefined
        ? endpointTargets(backend, source ?? [], states)
        : urlTargets(backend, backend.url, states);
    return { backend, source, serving, ready: serving.filter((target) => target.ready) };
  }

  function current(agent: Agent): AgentTargets {
    let targets = byRow.get(agent.row);
    if (targets === undefined) {
      const backends = agent.row.backends.map((backend) => targetsOf(backend, table.endpoints(backend)));
      targets = { backends, turn: Math.floor(random() * 1024) };
      byRow.set(agent.row, targets);
      return targets;
    }
    const { backends } = targets;
    for (const [index, known] of backends.entries()) {
      if (known.backend.url !== undefined) continue;
      const source = table.endpoints(known.backend);
      if (source !== known.source) backends[index] = targetsOf(known.backend, source);
    }
    return targets;
  }

  function ownerOf(agentId: string, { taskId, contextId }: ConversationIds): Owner | undefined {
    const byTask = taskId === undefined ? undefined : affinity.find(agentId, "task", taskId);
    if (byTask !== undefined) return byTask;
    return contextId === undefined ? undefined : affinity.find(agentId, "context", contextId);
  }

  function whereIs(owner: Owner, { backends }: AgentTargets): Target | undefined {
    let elsewhere: Target | undefined;
    for (const { backend, serving } of backends) {
      const target = serving.find(({ identity }) => identity === owner.identity);
      if (target !== undefined && backend.name === owner.backend) return target;
      elsewhere ??= target;
    }
    return elsewhere;
  }

  function soft(agentId: string, ids: ConversationIds, targets: AgentTargets): Target | undefined {
    for (const taskId of ids.referenceTaskIds ?? []) {
      const owner = affinity.find(agentId, "task", taskId);
      const target = owner === undefined ? undefined : whereIs(owner, targets);
      if (target?.ready === true) return target;
    }
    return undefined;
  }

  function balanced(agent: Agent, targets: AgentTargets, tried: ReadonlySet<string> | undefined): Pick {
    const usable = (ready: readonly Target[]): readonly Target[] =>
      tried === undefined || tried.size === 0 ? ready : ready.filter(({ identity }) => !tried.has(identity));
    const policy = POLICIES[agent.row.loadBalancing];
    const [only, second] = targets.backends;
    if (only !== undefined && second === undefined && only.backend.weight > 0) {
      const candidates = usable(only.ready);
      if (candidates.length === 0) return { ok: false, reason: "NoEndpoints" };
      return { ok: true, target: policy(candidates, random, targets.turn++), bound: false };
    }
    if (!targets.backends.some(({ backend }) => backend.weight > 0)) return { ok: false, reason: "NoBackends" };
    const candidates = targets.backends.map(({ ready }) => usable(ready));
    const weights = targets.backends.map(({ backend }, index) =>
      (candidates[index]?.length ?? 0) === 0 ? 0 : backend.weight,
    );
    const index = pickByWeight(weights, random);
    const chosen = index === undefined ? undefined : candidates[index];
    if (chosen === undefined) return { ok: false, reason: "NoEndpoints" };
    return { ok: true, target: policy(chosen, random, targets.turn++), bound: false };
  }

  return {
    pick(agent, ids, tried) {
      const targets = current(agent);
      const owner = ownerOf(agent.id, ids);
      if (owner !== undefined) {
        const target = whereIs(owner, targets);
        if (target !== undefined && tried?.has(target.identity) !== true) {
          return { ok: true, target, bound: owner.confirmed };
        }
        if (owner.confirmed) return { ok: false, reason: "EndpointGone" };
      }
      const referred = ids.referenceTaskIds === undefined ? undefined : soft(agent.id, ids, targets);
      if (referred !== undefined && tried?.has(referred.identity) !== true) {
        return { ok: true, target: referred, bound: false };
      }
      return balanced(agent, targets, tried);
    },
  };
}
