// Keeps what is known of the agents' cards fresh, while this process leads. In: references of objects that changed. Out: findings
// of each agent's backends after each read. When to read is schedule.ts's to say, how is read-card.ts's.
import type { BackendStatus } from "../../crds/types.ts";
import type { Clock } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import { createAddressPolicy } from "../../proxy/table/address-policy.ts";
import { refOf } from "../objects.ts";
import type { AgentObject, Ref } from "../objects.ts";
import type { ReadableStore } from "../store.ts";
import { createReads } from "../translate/reads.ts";
import type { Finding } from "../translate/result.ts";
import type { TranslateSettings } from "../translate/settings.ts";
import { resolveBySystem } from "./connector.ts";
import type { Resolve } from "./connector.ts";
import { judge, statusOf } from "./findings.ts";
import type { BackendRead } from "./findings.ts";
import { readCard } from "./read-card.ts";
import { createSchedule } from "./schedule.ts";
import { cardTarget, hasTarget, placeOf } from "./target.ts";
import type { CardTarget } from "./target.ts";
import { createWatchedAgents, shortOf } from "./watched.ts";
import type { Watched } from "./watched.ts";

export interface DiscoveryDeps {
  readonly store: ReadableStore;
  readonly settings: Pick<TranslateSettings, "allowedUpstreams">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /**
   * Told after each read, also when nothing changed, and when the backends were changed, before they are read. `backends`: in the spec's order, those whose card was ever read. `finding`: the
   * condition Discovered, to be said in place of translation's.
   */
  readonly onFindings: (agent: DiscoveredAgent, backends: readonly BackendStatus[], finding: Finding) => void;
  /** Told of each read of one backend, for a metric. */
  readonly onRead?: (outcome: "ok" | "CardUnreachable" | "CardInvalid" | "UpstreamRefused") => void;
  /** How names are resolved; the system's way by default. */
  readonly resolve?: Resolve;
}

export interface DiscoveredAgent {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface Discovery {
  /** Refs that changed in the store. Agents that are new or whose backends changed are read at once. */
  poke(refs: Iterable<Ref>): void;
  /** Begins with all agents of the store, or ends all reads and forgets. */
  lead(holding: boolean): void;
}

/** Milliseconds between two reads of a backend because it can be asked again: its endpoints may come and go many times a second. */
const PAUSE_MS = 5_000;

/** Milliseconds of looking at agents, when this process begins to lead, between two looks at whatever else waits. */
const TURN_MS = 4;

export function createDiscovery(deps: DiscoveryDeps): Discovery {
  const { store, clock, random, log } = deps;
  const allowed = createAddressPolicy(deps.settings.allowedUpstreams);
  const watched = createWatchedAgents();
  /** Ends the read of an agent that is under way: it was changed, or is gone, or this process leads no more. */
  const reading = new Map<Ref, AbortController>();
  /** Agents by the Services and Secrets of their spec. */
  const uses = createReads();
  let leading = false;
  /** Agents that were not looked at yet since this process leads. */
  let unseen: Iterator<AgentObject> | undefined;
  const schedule = createSchedule({
    clock,
    random,
    many: () => store.size("A2AAgent"),
    run: async (ref) => {
      try {
        return await read(ref);
      } catch (error) {
        log.error({ object: ref, err: error }, "discovery failed");
        return false;
      }
    },
  });

  const agentOf = (ref: Ref): AgentObject | undefined => {
    const object = store.get(ref);
    return object?.kind === "A2AAgent" && object.metadata.deletionTimestamp === undefined ? object : undefined;
  };
  const reachableOf = (agent: AgentObject): string[] =>
    agent.spec.backends.filter((backend) => hasTarget(agent, backend, store)).map(({ name }) => name);

  const tell = ({ metadata: { namespace, name, uid } }: AgentObject, reads: readonly BackendRead[]): void => {
    const { backends, finding } = judge(reads);
    if (finding.status === "False")
      log.debug({ agent: `${namespace}/${name}`, reason: finding.reason }, "card not read");
    deps.onFindings({ namespace, name, uid }, backends, finding);
  };

  const endRead = (ref: Ref): void => {
    reading.get(ref)?.abort();
    reading.delete(ref);
  };

  /** Looks at one agent as it is in the store now. `patient`: what is known already may be checked later. */
  const look = (ref: Ref, patient: boolean): void => {
    const agent = agentOf(ref);
    const before = watched.get(ref);
    if (agent === undefined) {
      endRead(ref);
      watched.delete(ref);
      uses.set(ref, new Set());
      schedule.forget(ref);
      return;
    }
    const { uid } = agent.metadata;
    const spec = shortOf(JSON.stringify([agent.spec.backends, agent.spec.card?.path, agent.spec.credentials]));
    if (before?.uid === uid && before.spec === spec) return;
    const reads = remember(agent, before?.uid === uid ? before.reads : undefined);
    endRead(ref);
    watched.set(ref, { uid, spec, reachable: reachableOf(agent), askedAt: {}, reads });
    uses.set(ref, usesOf(agent));
    // What was found of the old backends does not hold for the new ones until those were asked.
    if (before?.uid === uid) tell(agent, reads);
    if (patient && isCovered(agent)) schedule.spread(ref);
    else schedule.now(ref);
  };

  /** Something that agents refer to has changed: what can be asked only now is asked at once, what failed is tried again. */
  const lookAtUsers = (fact: string): void => {
    for (const ref of uses.readersOf(fact)) {
      const agent = agentOf(ref);
      const entry = watched.get(ref);
      if (agent === undefined || entry === undefined) continue;
      const reachable = reachableOf(agent);
      watched.set(ref, { ...entry, reachable });
      const waits = reachable.filter((name) => !entry.reachable.includes(name)).map((name) => pauseOf(entry, name));
      if (waits.length === 0) schedule.retry(ref);
      else if (Math.min(...waits) <= 0) schedule.now(ref);
      else schedule.within(ref, Math.min(...waits));
    }
  };

  const pauseOf = ({ askedAt }: Watched, backend: string): number =>
    (askedAt[backend] ?? Number.NEGATIVE_INFINITY) + PAUSE_MS - clock.elapsed();

  const read = async (ref: Ref): Promise<boolean> => {
    const agent = agentOf(ref);
    const entry = watched.get(ref);
    if (agent === undefined || entry === undefined) return true;
    const over = new AbortController();
    const { signal } = over;
    reading.set(ref, over);
    const asked = Math.floor(clock.elapsed());
    const targets = agent.spec.backends.map((backend) => ({
      backend,
      target: cardTarget(agent, backend, store, random),
    }));
    const askedAt = Object.fromEntries(
      targets.flatMap(({ backend: { name }, target }) => (target === undefined ? [] : [[name, asked]])),
    );
    watched.set(ref, { ...entry, askedAt: { ...entry.askedAt, ...askedAt } });
    const reads = await Promise.all(
      targets.map(({ backend, target }) => readBackend(agent, backend, target, entry, signal)),
    );
    // What came in for a spec or a term that is over is nobody's finding.
    if (signal.aborted) return true;
    reading.delete(ref);
    watched.set(ref, { ...(watched.get(ref) ?? entry), reads });
    tell(agent, reads);
    return reads.every(({ failure }) => failure === undefined);
  };

  const readBackend = async (
    agent: AgentObject,
    backend: AgentObject["spec"]["backends"][number],
    target: CardTarget | undefined,
    entry: Watched,
    signal: AbortSignal,
  ): Promise<BackendRead> => {
    const { name } = backend;
    const place = shortOf(placeOf(agent, backend));
    const known = entry.reads.find((read) => read.name === name)?.memory ?? {
      place,
      status: undefined,
      answers: new Map(),
    };
    if (target === undefined) return { name, memory: known };
    const resolve = deps.resolve ?? resolveBySystem;
    const got = await readCard(target, known.answers, { clock, allowed, resolve, signal });
    if (signal.aborted) return { name, memory: known };
    deps.onRead?.(got.ok ? "ok" : got.reason);
    if (!got.ok) return { name, memory: known, failure: { reason: got.reason, why: got.why } };
    return { name, memory: { place, status: JSON.stringify(statusOf(name, got)), answers: got.answers } };
  };

  const lead = (holding: boolean): void => {
    if (holding === leading) return;
    leading = holding;
    for (const ref of reading.keys()) endRead(ref);
    watched.clear();
    uses.clear();
    schedule.clear();
    unseen = holding ? store.list("A2AAgent")[Symbol.iterator]() : undefined;
    lookOn(unseen);
  };
  const lookOn = (agents: Iterator<AgentObject> | undefined): void => {
    const until = clock.elapsed() + TURN_MS;
    // Another term has begun meanwhile, or none.
    if (agents === undefined || agents !== unseen) return;
    for (let next = agents.next(); next.done !== true; next = agents.next()) {
      const { namespace, name } = next.value.metadata;
      look(refOf("A2AAgent", namespace, name), true);
      if (clock.elapsed() >= until) return void setImmediate(() => lookOn(agents));
    }
    unseen = undefined;
  };
  deps.signal.addEventListener("abort", () => lead(false), { once: true });

  return {
    poke(refs) {
      if (!leading) return;
      for (const ref of refs) {
        if (ref.startsWith("A2AAgent/")) look(ref, false);
        else if (ref.startsWith("EndpointSlice/")) {
          const slice = store.get(ref);
          // A slice that is gone gives nobody an endpoint.
          if (slice?.kind === "EndpointSlice") lookAtUsers(refOf("Service", slice.metadata.namespace, slice.service));
        } else lookAtUsers(ref);
      }
    },
    lead: (holding) => lead(holding && !deps.signal.aborted),
  };
}

/**
 * What is known of each backend: as this process read it, if that was at the same place; else, at the first look, as the status has
 * it; else nothing, since what another place said is no longer true.
 */
function remember(agent: AgentObject, before: readonly BackendRead[] | undefined): readonly BackendRead[] {
  return agent.spec.backends.map((backend) => {
    const { name } = backend;
    const place = shortOf(placeOf(agent, backend));
    const known = before?.find((read) => read.name === name);
    if (known?.memory.place === place) return known;
    const status = before === undefined ? agent.status?.backends?.find((found) => found.name === name) : undefined;
    return { name, memory: { place, status: status && JSON.stringify(status), answers: new Map() } };
  });
}

function usesOf({ spec, metadata: { namespace } }: AgentObject): Set<string> {
  const services = spec.backends.flatMap(({ service }) => (service === undefined ? [] : [service.name]));
  return new Set([
    ...services.map((name) => refOf("Service", namespace, name)),
    ...(spec.credentials ?? []).map(({ secretRef }) => refOf("Secret", namespace, secretRef.name)),
  ]);
}

/** Whether a leader has read the cards of all of the agent's backends, of this generation. */
function isCovered({ spec, status, metadata }: AgentObject): boolean {
  if (status?.observedGeneration !== metadata.generation) return false;
  const known = new Set(status.backends?.map(({ name }) => name));
  return spec.backends.every(({ name }) => known.has(name));
}
