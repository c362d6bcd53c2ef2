// Judging what a cluster said. In: facts, the time. Out: for each installation its operators, proxies and objects, each with what is
// wrong with it. Pure.
import type { Condition } from "../crds/types.ts";
import type { SummarisedProxy, Summary } from "../operator/summary.ts";
import { noOperatorIn } from "./operator-leases.ts";
import type { OperatorLease } from "./operator-leases.ts";
import { MEANT } from "./report.ts";
import type { Facts, ObjectFact, PodFact } from "./status-facts.ts";

export interface StatusReport {
  /** Nothing has a fault. */
  readonly well: boolean;
  /** Of no installation in particular. */
  readonly faults: readonly string[];
  readonly gateways: readonly GatewayReport[];
}

export interface GatewayReport {
  readonly gateway: string;
  readonly lease: string;
  /** Of the leader's table. */
  readonly version: string;
  readonly rows: number;
  /** Seconds since the leader said all this. */
  readonly age: number | null;
  readonly faults: readonly string[];
  readonly operators: readonly OperatorReport[];
  readonly proxies: readonly ProxyReport[];
  readonly agents: Count;
  readonly keys: Count;
  /** Objects that are not ready, agents first. */
  readonly objects: readonly ObjectReport[];
  /** Keys that were disabled or have expired, and that proxies refuse: no fault. */
  readonly off: readonly OffReport[];
}

export interface Count {
  readonly all: number;
  readonly ready: number;
}
export interface OperatorReport {
  readonly name: string;
  readonly leads: boolean;
  /** It was told to go, as in a rollout: no fault of it counts. */
  readonly ending: boolean;
  readonly fault: string | undefined;
}
export interface ProxyReport {
  readonly name: string;
  /** What it acknowledged last, and seconds since then. */
  readonly version: string | null;
  readonly age: number | null;
  /** It was told to go, as in a rollout: no fault of it counts. */
  readonly ending: boolean;
  readonly fault: string | undefined;
}
export interface ObjectReport {
  readonly kind: ObjectFact["kind"];
  readonly namespace: string;
  readonly name: string;
  readonly fault: string;
}
export interface OffReport {
  readonly kind: ObjectFact["kind"];
  readonly namespace: string;
  readonly name: string;
  /** `Disabled` or `Expired`. */
  readonly reason: string;
  readonly message: string;
}

/** A Lease that was not renewed for so many of its durations is nobody's; clocks may differ a little. */
const STALE = 2;

/**
 * @param namespace where was looked
 * @param now milliseconds since the epoch
 */
export function judgeStatus(facts: Facts, namespace: string, now: number): StatusReport {
  const gateways = facts.leases.map((lease) => judgeGateway(facts, lease, now));
  const faults = [
    ...facts.unread.map((what) => `cannot be read: ${what}`),
    ...(gateways.length === 0 && !facts.unread.some((what) => what.startsWith("Leases"))
      ? [noOperatorIn(namespace)]
      : []),
    ...unserved(facts),
  ];
  const well =
    faults.length === 0 &&
    gateways.every(
      ({ faults, operators, proxies, objects }) =>
        faults.length === 0 &&
        objects.length === 0 &&
        ![...operators, ...proxies].some(({ fault }) => fault !== undefined),
    );
  return { well, faults, gateways };
}

/** Objects of a gateway that is not here, and that no operator elsewhere has looked at: its name is nearly always misspelt. */
function unserved({ leases, objects }: Facts): readonly string[] {
  const here = new Set(leases.map(({ summary }) => summary.gateway));
  if (here.size === 0) return [];
  return objects
    .filter(({ gateway, conditions }) => !here.has(gateway) && conditions.length === 0)
    .map(
      ({ kind, namespace, name, gateway }) =>
        `${kind} ${namespace}/${name}: no operator serves its spec.gatewayName, ${gateway}`,
    );
}

function judgeGateway({ pods, objects }: Facts, lease: OperatorLease, now: number): GatewayReport {
  const { summary, holder } = lease;
  const silent = now - lease.renewedAt;
  const stale = !(silent < lease.duration * STALE);
  const operatorPods = pods.filter(({ service }) => service === lease.name);
  const instance = operatorPods[0]?.instance;
  const proxyPods = pods.filter((pod) => pod.component === "proxy" && pod.instance === instance);
  const proxies = judgeProxies(lease, proxyPods, now);
  const ours = objects.filter(({ gateway }) => gateway === summary.gateway);
  const bad: ObjectReport[] = [];
  const off: OffReport[] = [];
  for (const { kind, namespace, name, generation, conditions } of ours) {
    const state = stateOf(generation, conditions);
    if ("fault" in state) bad.push({ kind, namespace, name, ...state });
    if ("off" in state) off.push({ kind, namespace, name, reason: state.off.reason, message: state.off.message });
  }
  const count = (kind: ObjectFact["kind"]): Count => {
    const all = ours.filter((object) => object.kind === kind).length;
    return { all, ready: all - [...bad, ...off].filter((object) => object.kind === kind).length };
  };
  return {
    gateway: summary.gateway,
    lease: lease.name,
    version: summary.version,
    rows: summary.rows,
    age: Number.isNaN(silent) ? null : Math.max(silent / 1000, 0),
    faults: [
      ...(holder === "" ? ["no operator leads: statuses are not written"] : []),
      ...(holder !== "" && stale ? ["the leader has not renewed its Lease: what follows is old"] : []),
      ...(proxies.length === 0 ? ["no proxy is there"] : []),
    ],
    operators: judgeOperators(lease, operatorPods, stale),
    proxies,
    agents: count("A2AAgent"),
    keys: count("VirtualKey"),
    objects: bad,
    off,
  };
}

function judgeOperators(
  { holder }: OperatorLease,
  pods: readonly PodFact[],
  stale: boolean,
): readonly OperatorReport[] {
  const leader = holder.split(".")[0] ?? "";
  const found = pods.map(({ pod, uid, ready, ending }) => ({
    name: pod,
    leads: !stale && uid === leader,
    ending,
    fault: ready || ending ? undefined : "is not ready",
  }));
  // Outside of a cluster there are no pods, and what leads is known by its id alone.
  return found.some(({ leads }) => leads) || holder === "" || stale
    ? found
    : [...found, { name: holder, leads: true, ending: false, fault: undefined }];
}

function judgeProxies({ summary }: OperatorLease, pods: readonly PodFact[], now: number): readonly ProxyReport[] {
  const said = new Map(summary.proxies.map((proxy) => [proxy.proxy, proxy]));
  const byUid = new Map(pods.map((pod) => [pod.uid, pod]));
  return [...new Set([...byUid.keys(), ...said.keys()])].map((id): ProxyReport => {
    const [one, pod] = [said.get(id), byUid.get(id)];
    const since = Date.parse(one?.since ?? "");
    return {
      name: pod?.pod ?? id,
      version: one?.version ?? null,
      age: Number.isNaN(since) ? null : Math.max((now - since) / 1000, 0),
      ending: pod?.ending === true,
      fault: pod?.ending === true ? undefined : faultOfProxy(summary, one, pod),
    };
  });
}

function faultOfProxy(
  summary: Summary,
  one: SummarisedProxy | undefined,
  pod: PodFact | undefined,
): string | undefined {
  // Beyond those that a summary names, nothing is known.
  if (one === undefined) return summary.more > 0 ? undefined : "has no stream to the leader";
  if (one.lost) return "does not read its stream: what it serves is not known";
  if (one.version !== summary.version) return `lags ${summary.sequence - (one.sequence ?? 0)} batches behind`;
  if (one.refusedRows > 0) return `refuses ${one.refusedRows} rows: its release does not know what they ask for`;
  return pod?.ready === false ? "is not ready" : undefined;
}

/** Whether an object is ready; if not, why, or that it is off. */
function stateOf(
  generation: number,
  conditions: readonly Condition[],
): { readonly ready: true } | { readonly off: Condition } | { readonly fault: string } {
  const ready = conditions.find(({ type }) => type === "Ready");
  if (ready === undefined) return { fault: "no operator has looked at it" };
  if (ready.observedGeneration !== undefined && ready.observedGeneration < generation) {
    return { fault: "no operator has looked at its newest generation" };
  }
  if (ready.status === "True") return { ready: true };
  const off = conditions.find(
    ({ type, status, reason }) => type === "Accepted" && status === "False" && MEANT.has(reason),
  );
  // A proxy that has not heard of it may still let the key pass.
  const unheard = conditions.find(
    ({ type, status, reason }) => type === "Programmed" && status !== "True" && reason !== "NotPublished",
  );
  if (off !== undefined && unheard === undefined) return { off };
  // The first that is not as it should be says why; Ready sums up.
  const cause =
    (off === undefined ? undefined : unheard) ??
    conditions.find(({ type, status }) => type === "Conflicted" && status === "True") ??
    conditions.find(({ type, status }) => type !== "Ready" && type !== "Conflicted" && status === "False") ??
    ready;
  return { fault: `${cause.type}=${cause.status} ${cause.reason}: ${cause.message}` };
}
