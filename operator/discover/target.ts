// Where the card of a backend is read. In: an agent, one of its backends, the objects they refer to. Out: URLs and headers.
import type { Backend } from "../../crds/types.ts";
import type { AgentObject } from "../objects.ts";
import type { ReadableStore } from "../store.ts";
import { basePath, parseBackendUrl } from "../translate/backend-url.ts";
import { translateCredential } from "../translate/credential.ts";
import { translateEndpoints } from "../translate/endpoints.ts";

/** Without `card.path` both are tried: the name of 0.3 and 1.0, then that of 0.2. */
const CARD_NAMES = ["/.well-known/agent-card.json", "/.well-known/agent.json"] as const;

export interface CardTarget {
  readonly origin: string;
  /** Raw paths, to be tried in this order. */
  readonly paths: readonly string[];
  /** What the agent's credentials say. Secret: never to be logged. */
  readonly headers: Readonly<Record<string, string>>;
  /** Host header and TLS server name, when they are not the origin's. */
  readonly host?: string;
  /** The address is to be judged on connecting: somebody chose it who may not know this network. */
  readonly judged: boolean;
}

/** Undefined: there is no endpoint to ask, or the spec is not accepted. `random` picks among the ready endpoints. */
export function cardTarget(
  agent: AgentObject,
  backend: Backend,
  store: ReadableStore,
  random: () => number,
): CardTarget | undefined {
  const headers = credentialHeaders(agent, store);
  if (backend.service === undefined) {
    const parsed = parseBackendUrl(backend.url ?? "");
    if (!parsed.ok) return undefined;
    const { origin, pathname } = new URL(parsed.url);
    return { origin, paths: cardPaths(agent, basePath(pathname)), headers, judged: true };
  }
  const { name, scheme = "http", path } = backend.service;
  const ready = readyEndpoints(agent, backend, store);
  const endpoint = ready[Math.floor(random() * ready.length)];
  if (endpoint === undefined) return undefined;
  const { address, port } = endpoint;
  return {
    origin: `${scheme}://${address.includes(":") ? `[${address}]` : address}:${port}`,
    paths: cardPaths(agent, basePath(path)),
    headers,
    host: `${name}.${agent.metadata.namespace}.svc`,
    judged: false,
  };
}

/** Whether there is anything to ask. */
export function hasTarget(agent: AgentObject, backend: Backend, store: ReadableStore): boolean {
  return backend.service === undefined ? true : readyEndpoints(agent, backend, store).length > 0;
}

/** Two backends with the same place have the same card, whichever endpoint answers. */
export function placeOf({ spec }: AgentObject, { url, service }: Backend): string {
  return JSON.stringify([url, service?.name, service?.port, service?.scheme, service?.path, spec.card?.path]);
}

/** An explicit path is meant from the host's root; the well-known names are looked for under the base path. */
function cardPaths({ spec }: AgentObject, base: string): readonly string[] {
  const path = spec.card?.path;
  if (path !== undefined) return [path];
  return CARD_NAMES.map((name) => `${base === "/" ? "" : base}${name}`);
}

function readyEndpoints({ metadata }: AgentObject, { service }: Backend, store: ReadableStore) {
  if (service === undefined) return [];
  const { namespace } = metadata;
  const object = store.find("Service", namespace, service.name);
  const { row } = translateEndpoints(object, service.port, store.slicesOf(namespace, service.name));
  return (row?.endpoints ?? []).filter(({ ready }) => ready);
}

/** A credential that is missing is left out: the card may be public, and if not the agent says so. */
function credentialHeaders({ spec, metadata }: AgentObject, store: ReadableStore): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { header, scheme, secretRef } of spec.credentials ?? []) {
    const { row } = translateCredential(store.find("Secret", metadata.namespace, secretRef.name), secretRef.key);
    if (row !== null) headers[header] = scheme === undefined ? row.value : `${scheme} ${row.value}`;
  }
  return headers;
}
