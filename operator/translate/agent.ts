// One A2AAgent. In: the object and what it refers to. Out: its row, what is true of it, and the rows that its row needs.
import type { Backend, BackendStatus, Credential, Pricing } from "../../crds/types.ts";
import { agentRowId, credentialRowId, endpointsRowId } from "../../proxy/table/contract.ts";
import type { AgentBackend, AgentRow, BackendInterface } from "../../proxy/table/contract.ts";
import type { AgentObject } from "../objects.ts";
import { acceptAgent } from "./accept-agent.ts";
import type { AcceptedAgent } from "./accept-agent.ts";
import { basePath } from "./backend-url.ts";
import { agentFinding, listed, merged } from "./conditions.ts";
import type { EndpointsState, Lookup, ObjectName } from "./lookup.ts";
import type { Finding, ObjectResult } from "./result.ts";
import type { TranslateSettings } from "./settings.ts";

export interface TranslatedAgent {
  /** Null: not published. */
  readonly row: AgentRow | null;
  readonly result: ObjectResult;
}

type AgentLookup = Pick<Lookup, "endpoints" | "credential" | "publicNameHolder">;

/** The public name that the agent asks for; undefined when it will not be published, so that it holds no name from others. */
export function publicNameClaim(agent: AgentObject, settings: TranslateSettings): string | undefined {
  return acceptAgent(agent.spec, settings).ok ? publicNameOf(agent) : undefined;
}

const publicNameOf = ({ spec, metadata }: AgentObject): string => spec.publicName ?? metadata.name;

/** An agent whose Services or Secrets are missing is published all the same: its callers are told a reason, not "unknown". */
export function translateAgent(agent: AgentObject, settings: TranslateSettings, lookup: AgentLookup): TranslatedAgent {
  const { namespace, name, uid, generation, labels } = agent.metadata;
  const { spec } = agent;
  const about = { kind: "A2AAgent", namespace, name, uid, generation } as const;
  const acceptance = acceptAgent(spec, settings);
  if (!acceptance.ok) {
    const conditions = [merged(acceptance.first, acceptance.more)];
    return { row: null, result: { ...about, conditions, fields: {}, rowId: null } };
  }
  const { accepted } = acceptance;
  const publicName = publicNameOf(agent);
  const holder = lookup.publicNameHolder(publicName);
  const taken = holder !== undefined && (holder.namespace !== namespace || holder.name !== name);
  const found = statusByBackend(agent);
  const endpoints = findEndpoints(agent, accepted, lookup);
  const versions = versionsOf(found.values());

  const row: AgentRow = {
    uid,
    generation,
    ...requirements(accepted),
    labels,
    ...(taken ? {} : { publicName }),
    allowedKeys: accepted.admission,
    card: {
      ...(spec.card?.path === undefined ? {} : { path: spec.card.path }),
      visibility: spec.card?.visibility ?? "Public",
    },
    backends: spec.backends.map((backend) => translateBackend(namespace, backend, accepted, found.get(backend.name))),
    loadBalancing: spec.loadBalancing?.policy ?? "LeastRequest",
    timeouts: accepted.timeouts,
    maxRequestBytes: accepted.maxRequestBytes,
    credentials: (spec.credentials ?? []).map((credential) => referTo(namespace, credential)),
    ...prices(spec.pricing),
    logging: accepted.logging,
  };
  const [first, ...more] = [...endpoints.faults, ...findCredentials(namespace, spec.credentials ?? [], lookup)];
  const conditions: Finding[] = [
    agentFinding("Accepted"),
    first === undefined ? agentFinding("ResolvedRefs") : merged(first, more),
    judgeDiscovery(spec.backends, found),
  ];
  if (taken) conditions.push(agentFinding("PublicNameTaken", publicName, nameOf(holder)));
  const fields = {
    url: `${settings.publicUrl ?? ""}${taken ? `/ns/${namespace}/a2a/${name}` : `/a2a/${publicName}`}`,
    ...(versions === "" ? {} : { versions }),
    readyEndpoints: endpoints.ready,
    knownEndpoints: endpoints.known,
  };
  return { row, result: { ...about, conditions, fields, rowId: agentRowId(namespace, name) } };
}

/** What a proxy of an older release would do against the owner's will. */
function requirements({ admission, logging }: AcceptedAgent): Pick<AgentRow, "requires"> {
  const requires = [
    ...(admission.from === "Selector" ? ["allowedKeys.selector"] : []),
    ...(logging.redact === undefined ? [] : ["logging.redact"]),
  ];
  return requires.length === 0 ? {} : { requires };
}

function prices({ perRequest, perSecond, usage = [] }: Pricing = {}): Partial<AgentRow> {
  return {
    ...(perRequest === undefined ? {} : { pricePerRequest: perRequest }),
    ...(perSecond === undefined ? {} : { pricePerSecond: perSecond }),
    ...(usage.length === 0 ? {} : { usagePrices: usage }),
  };
}

const nameOf = ({ namespace, name }: ObjectName): string => `A2AAgent ${namespace}/${name}`;

function translateBackend(
  namespace: string,
  backend: Backend,
  accepted: AcceptedAgent,
  status: BackendStatus | undefined,
): AgentBackend {
  const { name, service, weight = 1 } = backend;
  const interfaces = (status?.interfaces ?? []).filter(isUsable);
  if (service === undefined) return { name, weight, url: accepted.urls.get(name) ?? "", interfaces };
  return {
    name,
    weight,
    endpoints: endpointsRowId(namespace, service.name, service.port),
    scheme: service.scheme ?? "http",
    path: basePath(service.path),
    host: `${service.name}.${namespace}.svc`,
    interfaces,
  };
}

function referTo(namespace: string, { header, scheme, secretRef }: Credential): AgentRow["credentials"][number] {
  const credential = credentialRowId(namespace, secretRef.name, secretRef.key);
  return scheme === undefined ? { header, credential } : { header, scheme, credential };
}

/** Status may have been written by an older release, or by hand. */
const isUsable = ({ binding, version, path }: BackendInterface): boolean =>
  (binding === "JSONRPC" || binding === "HTTP+JSON") && /^\d{1,4}\.\d{1,4}$/.test(version) && path.startsWith("/");

/** What the cards of the backends that the spec still has said. */
function statusByBackend({ spec, status }: AgentObject): Map<string, BackendStatus> {
  const wanted = new Set(spec.backends.map(({ name }) => name));
  return new Map((status?.backends ?? []).filter(({ name }) => wanted.has(name)).map((found) => [found.name, found]));
}

function versionsOf(found: Iterable<BackendStatus>): string {
  const versions = new Set<string>();
  for (const backend of found) for (const version of backend.versions ?? []) versions.add(version);
  return [...versions].sort().join(",");
}

/** What the leader wrote down of the cards; why a read failed is the leader's to add. */
function judgeDiscovery(backends: readonly Backend[], found: ReadonlyMap<string, BackendStatus>): Finding {
  const unread = backends.map(({ name }) => name).filter((name) => !found.has(name));
  return unread.length === 0 ? agentFinding("CardsRead") : agentFinding("Pending", listed(unread));
}

/** Endpoints of all backends, each Service port once; a URL counts as one that is ready. */
function findEndpoints(
  { spec, metadata: { namespace } }: AgentObject,
  { urls }: AcceptedAgent,
  lookup: AgentLookup,
): { ready: number; known: number; faults: Finding[] } {
  const ports = new Map<string, EndpointsState>();
  const faults: Finding[] = [];
  for (const { name, service } of spec.backends) {
    if (service === undefined) continue;
    const state = lookup.endpoints(namespace, service.name, service.port);
    ports.set(endpointsRowId(namespace, service.name, service.port), state);
    if (!state.ok) faults.push(agentFinding(state.reason, name, service.name, String(service.port)));
  }
  const urlCount = new Set(urls.values()).size;
  const counted = [...ports.values()].filter((state) => state.ok);
  return {
    ready: counted.reduce((sum, { ready }) => sum + ready, urlCount),
    known: counted.reduce((sum, { known }) => sum + known, urlCount),
    faults,
  };
}

function findCredentials(namespace: string, credentials: readonly Credential[], lookup: AgentLookup): Finding[] {
  return credentials.flatMap(({ header, secretRef }) => {
    const state = lookup.credential(namespace, secretRef.name, secretRef.key);
    return state.ok ? [] : [agentFinding(state.reason, header, secretRef.name, secretRef.key)];
  });
}
