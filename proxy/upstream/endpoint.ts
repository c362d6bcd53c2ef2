// Where requests can go. In: backends and endpoints of the table. Out: targets: everything about an endpoint that forwarding needs.
import type { AgentBackend, Endpoint } from "../table/contract.ts";

/** Facts of an endpoint that outlive requests and table changes; shared by all agents that use it. */
export interface EndpointState {
  readonly identity: string;
  /** Requests sent and not yet answered whole. */
  inFlight: number;
}

/** One endpoint as a backend of one agent reaches it. */
export interface Target {
  /** Pod UID and port, where there is a pod; else address and port; the URL's origin for a `url` backend. */
  readonly identity: string;
  /** Address and port, or the origin: for logs. */
  readonly label: string;
  /** Scheme and authority to connect to. */
  readonly origin: string;
  /** Host header and TLS server name, when they are not the origin's. */
  readonly host: string | undefined;
  /** Only `url` backends: the address is judged before a connection is made. */
  readonly judged: boolean;
  readonly backend: AgentBackend;
  /** Path of the backend with no trailing slash: "" for the root. */
  readonly basePath: string;
  /** Takes new conversations. */
  readonly ready: boolean;
  readonly state: EndpointState;
}

export interface EndpointStates {
  /** The state of an endpoint, made at first use. */
  get(identity: string): EndpointState;
  readonly size: number;
}

/**
 * State by endpoint identity. It is held weakly: an endpoint that no target and no request refers to is forgotten.
 */
export function createEndpointStates(): EndpointStates {
  const states = new Map<string, WeakRef<EndpointState>>();
  const forgotten = new FinalizationRegistry<string>((identity) => {
    if (states.get(identity)?.deref() === undefined) states.delete(identity);
  });
  return {
    get(identity) {
      const known = states.get(identity)?.deref();
      if (known !== undefined) return known;
      const state: EndpointState = { identity, inFlight: 0 };
      states.set(identity, new WeakRef(state));
      forgotten.register(state, identity);
      return state;
    },
    get size() {
      return states.size;
    },
  };
}

const authorityOf = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

const withoutTrailingSlash = (path: string): string => (path.endsWith("/") ? path.slice(0, -1) : path);

/** Identity of an endpoint: it survives an address that is used again by another pod. */
function endpointIdentity(endpoint: Endpoint): string {
  return endpoint.pod === undefined ? authorityOf(endpoint.address, endpoint.port) : `${endpoint.pod}:${endpoint.port}`;
}

/** Targets of an `endpoints` backend: those that answer at all, in the order of the row. */
export function endpointTargets(
  backend: AgentBackend,
  endpoints: readonly Endpoint[],
  states: EndpointStates,
): readonly Target[] {
  const scheme = backend.scheme ?? "http";
  const basePath = withoutTrailingSlash(backend.path ?? "/");
  return endpoints
    .filter((endpoint) => endpoint.ready || endpoint.serving)
    .map((endpoint) => {
      const label = authorityOf(endpoint.address, endpoint.port);
      const identity = endpointIdentity(endpoint);
      return {
        identity,
        label,
        origin: `${scheme}://${label}`,
        host: backend.host,
        judged: false,
        backend,
        basePath,
        ready: endpoint.ready,
        state: states.get(identity),
      };
    });
}

/** The one target of a `url` backend, or none when the URL is not one of http or https. */
export function urlTargets(backend: AgentBackend, url: string, states: EndpointStates): readonly Target[] {
  const parsed = URL.parse(url);
  if (parsed === null || (parsed.protocol !== "http:" && parsed.protocol !== "https:")) return [];
  return [
    {
      identity: parsed.origin,
      label: parsed.origin,
      origin: parsed.origin,
      host: undefined,
      judged: true,
      backend,
      basePath: withoutTrailingSlash(parsed.pathname),
      ready: true,
      state: states.get(parsed.origin),
    },
  ];
}
