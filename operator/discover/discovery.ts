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
import type { Answers } from "./read-card.ts";
import { createSchedule } from "./schedule.ts";
import { cardTarget, hasTarget, placeOf } from "./target.ts";

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

/** Of all backends that have none. */
const NO_ANSWERS: Answers = new Map();

interface Watched {
  readonly uid: string;
  /** JSON of what the reads depend on. */
  readonly spec: string;
  /** Backends that could be asked when last looked at. */
  reachable: readonly string[];
  /** When each backend was last asked, if it ever was; of `clock.elapsed()`. */
  readonly askedAt: Record<string, number>;
  /** Of each backend, in the spec's order: what was read last, or is known without. */
  reads: readonly BackendRead[];
  /** Ends the read under way, if there is one: the agent was changed, or is gone, or this process leads no more. */
  over: AbortController | undefined;
}

export function createDiscovery(deps: DiscoveryDeps): Discovery {
  const { store, clock, random, log } = deps;
  const allowed = createAddressPolicy(deps.settings.allowedUpstreams);
  const watched = new Map<Ref, Watched>();
  /** Agents by the Services and Secrets of their spec. */
  const uses = createReads();
  let leading = false;
  /** Agents that were not looked at yet since this process leads. */
  let unseen: Iterator<AgentObject> | undefined;
  const schedule = createSchedule({
    clock,
    random,
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

  /** Looks at one agent as it is in the store now. `patient`: what is known already may be checked later. */
  const look = (ref: Ref, patient: boolean): void => {
    const agent = agentOf(ref);
    const before = watched.get(ref);
    if (agent === undefined) {
      before?.over?.abort();
      watched.delete(ref);
      uses.set(ref, new Set());
      schedule.forget(ref);
      return;
    }
    const { uid } = agent.metadata;
    const spec = JSON.stringify([agent.spec.backends, agent.spec.card?.path, agent.spec.credentials]);
    if (before?.uid === uid && before.spec === spec) return;
    const reads = remember(agent, before?.uid === uid ? before.reads : undefined);
    before?.over?.abort();
    watched.set(ref, {
      uid,
      spec,
      reachable: reachableOf(agent),
      askedAt: {},
      reads,
      over: undefined,
    });
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
      const before = entry.reachable;
      entry.reachable = reachableOf(agent);
      const waits = entry.reachable.filter((name) => !before.includes(name)).map((name) => pauseOf(entry, name));
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
    entry.over = new AbortController();
    const { signal } = entry.over;
    const reads = await Promise.all(agent.spec.backends.map((backend) => readBackend(agent, backend, entry, signal)));
    entry.over = undefined;
    // What came in for a spec or a term that is over is nobody's finding.
    if (signal.aborted) return true;
    entry.reads = reads;
    tell(agent, reads);
    return reads.every(({ failure }) => failure === undefined);
  };

  const readBackend = async (
    agent: AgentObject,
    backend: AgentObject["spec"]["backends"][number],
    entry: Watched,
    signal: AbortSignal,
  ): Promise<BackendRead> => {
    const { name } = backend;
    const place = placeOf(agent, backend);
    const known = entry.reads.find((read) => read.name === name)?.memory ?? {
      place,
      status: undefined,
      answers: NO_ANSWERS,
    };
    const target = cardTarget(agent, backend, store, random);
    if (target === undefined) return { name, memory: known };
    entry.askedAt[name] = clock.elapsed();
    const resolve = deps.resolve ?? resolveBySystem;
    const got = await readCard(target, known.answers, { clock, allowed, resolve, signal });
    if (signal.aborted) return { name, memory: known };
    deps.onRead?.(got.ok ? "ok" : got.reason);
    if (!got.ok) return { name, memory: known, failure: { reason: got.reason, why: got.why } };
    const answers = got.answers.size === 0 ? NO_ANSWERS : got.answers;
    return { name, memory: { place, status: JSON.stringify(statusOf(name, got)), answers } };
  };

  const lead = (holding: boolean): void => {
    if (holding === leading) return;
    leading = holding;
    for (const { over } of watched.values()) over?.abort();
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
    const place = placeOf(agent, backend);
    const known = before?.find((read) => read.name === name);
    if (known?.memory.place === place) return known;
    const status = before === undefined ? agent.status?.backends?.find((found) => found.name === name) : undefined;
    return { name, memory: { place, status: status && JSON.stringify(status), answers: NO_ANSWERS } };
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
