// Generated from the CRDs by generate.ts. Do not edit: run `npm run generate`.

export interface A2AAgent {
  /** Always parley.dev/v1alpha1. */
  readonly apiVersion: "parley.dev/v1alpha1";
  /** Always A2AAgent. */
  readonly kind: "A2AAgent";
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: A2AAgentSpec;
  /** What the operator found. Written by it alone. */
  readonly status?: A2AAgentStatus;
}

/** The part of metav1.ObjectMeta that stands in manifests; the API server adds the rest. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface A2AAgentSpec {
  /** The Parley installation that serves the agent. An operator touches only its own. Always there: the API server supplies "default". */
  readonly gatewayName: string;
  /** Where the agent runs. Weights split new conversations; running ones stay where they are. */
  readonly backends: readonly Backend[];
  /** The name in /a2a/{publicName}. Default metadata.name. */
  readonly publicName?: string;
  /** Which VirtualKeys may name this agent. */
  readonly allowedKeys?: AllowedKeys;
  /** The agent card. */
  readonly card?: Card;
  /** How an endpoint is picked for a new conversation. */
  readonly loadBalancing?: LoadBalancing;
  /** Durations as 500ms, 30s, 1m or 1h30m. */
  readonly timeouts?: Timeouts;
  /** What a request may ask of the agent. */
  readonly limits?: AgentLimits;
  /** What the gateway presents to the agent. It comes from Secrets; the caller's key never goes on. */
  readonly credentials?: readonly Credential[];
  /** What calls cost, in the gateway's currency. */
  readonly pricing?: Pricing;
  /** What the log of requests holds. */
  readonly logging?: Logging;
}

export interface Backend {
  /** Tells the backends of the agent apart, in logs and metrics too. */
  readonly name: string;
  /** A Service of the agent's namespace. Its endpoints are balanced directly. */
  readonly service?: ServiceBackend;
  /** Base URL of an agent that is not in this namespace: http or https, a host, and if need be a port and a path. Loopback, link-local, private and cluster addresses are refused on connecting, unless the administrator allows them. */
  readonly url?: string;
  /** Share of new conversations, against the other backends. 0 takes none. Default 1. */
  readonly weight?: number;
}

export interface ServiceBackend {
  /** Name of the Service. */
  readonly name: string;
  /** Name or number of a port of the Service. */
  readonly port: number | string;
  /** How the agent is spoken to. Default http. */
  readonly scheme?: "http" | "https";
  /** Path under which the agent answers. Default /. */
  readonly path?: string;
}

export interface AllowedKeys {
  /** The namespaces of those keys. Default the agent's own. */
  readonly namespaces?: AllowedNamespaces;
}

export interface AllowedNamespaces {
  /** Same: the agent's own. All: every one. Selector: those whose labels match. Always there: the API server supplies "Same". */
  readonly from: "Same" | "All" | "Selector";
  /** Labels of namespaces, with from Selector. All parts must hold; an empty one matches everything. */
  readonly selector?: LabelSelector;
}

export interface LabelSelector {
  /** Labels that must be there with these values. */
  readonly matchLabels?: Readonly<Record<string, string>>;
  /** Conditions on single labels. */
  readonly matchExpressions?: readonly LabelExpression[];
}

export interface LabelExpression {
  /** Name of the label. */
  readonly key: string;
  /** How the label is judged. NotIn and DoesNotExist hold for objects without it too. */
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  /** With In and NotIn. */
  readonly values?: readonly string[];
}

export interface Card {
  /** Where the agent serves its card. Default /.well-known/agent-card.json, then /.well-known/agent.json. */
  readonly path?: string;
  /** Public: anybody may read the card. Key: only who holds a key that grants the agent. Always there: the API server supplies "Public". */
  readonly visibility: "Public" | "Key";
}

export interface LoadBalancing {
  /** LeastRequest: the less busy of two picked at random. RoundRobin: one after another. Random: any. Always there: the API server supplies "LeastRequest". */
  readonly policy: "LeastRequest" | "RoundRobin" | "Random";
}

export interface Timeouts {
  /** For a connection to an endpoint, TLS included. Default 2s; at most 1m. */
  readonly connect?: string;
  /** From the whole request to the first byte of the answer. 0s is none. Default 600s; at most 24h. */
  readonly firstByte?: string;
  /** Between two chunks of an answer. 0s is none. Default 0s; at most 24h. */
  readonly streamIdle?: string;
}

export interface AgentLimits {
  /** Size of a request's body, as 10Mi or in bytes. Default 10Mi; at most 1Gi. */
  readonly maxRequestBytes?: number | string;
}

export interface Credential {
  /** Name of the header, in lower case. */
  readonly header: string;
  /** Stands before the value, as Bearer does in an Authorization header. Default none. */
  readonly scheme?: string;
  /** A key of a Secret of this namespace, labelled parley.dev/credential: upstream. */
  readonly secretRef: SecretRef;
}

export interface SecretRef {
  /** Name of the Secret. */
  readonly name: string;
  /** Key under data of the Secret. */
  readonly key: string;
}

export interface Pricing {
  /** Price of one request, as a decimal string. */
  readonly perRequest?: string;
  /** Price of one second from a request's head to the last byte of its answer, as a decimal string. */
  readonly perSecond?: string;
  /** Prices of what the agent says that it used, in the metadata of its answers. */
  readonly usage?: readonly UsagePrice[];
}

export interface UsagePrice {
  /** inputTokens, outputTokens, totalTokens, or a name of your own with paths. */
  readonly unit: string;
  /** Price of one unit, as a decimal string. */
  readonly price: string;
  /** Where the figure stands, from the task, message or update of an answer. The first path that leads to a number counts. */
  readonly paths?: readonly string[];
}

export interface Logging {
  /** None: who called which operation, and how it went, but nothing that was said, not even ids. Metadata: ids and states too. Full: bodies too. Default Metadata. */
  readonly content?: "None" | "Metadata" | "Full";
  /** How much of each body is logged with Full, as 16Ki or in bytes. Default 16Ki; at most 1Mi. */
  readonly maxBytes?: number | string;
  /** Paths of what is never logged, from the root of a request, of an answer, or of an event of a stream. */
  readonly redact?: readonly string[];
}

export interface A2AAgentStatus {
  /** The generation of the spec that this status is about. */
  readonly observedGeneration?: number;
  /** Ready (the summary), Accepted, ResolvedRefs, Discovered, Programmed; Conflicted only when true. */
  readonly conditions?: readonly Condition[];
  /** Where clients find the agent. */
  readonly url?: string;
  /** A2A versions that the agent speaks, of all backends, as 0.3,1.0. */
  readonly versions?: string;
  /** What the agent cards said. */
  readonly backends?: readonly BackendStatus[];
  /** Endpoints that take new conversations. */
  readonly readyEndpoints?: number;
  /** Endpoints, ready or not. */
  readonly knownEndpoints?: number;
}

export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly observedGeneration?: number;
  /** RFC 3339. */
  readonly lastTransitionTime: string;
  /** One word, for programs. */
  readonly reason: string;
  /** A sentence, for people. */
  readonly message: string;
}

export interface BackendStatus {
  /** Name of the backend. */
  readonly name: string;
  /** Those interfaces of the card that the gateway serves, in the card's order. */
  readonly interfaces?: readonly InterfaceStatus[];
  /** A2A versions as Major.Minor. */
  readonly versions?: readonly string[];
  /** The name that the card gives. */
  readonly cardName?: string;
  /** The agent's own version, as the card gives it. */
  readonly cardVersion?: string;
  /** Whether the card was signed. */
  readonly signed?: boolean;
  /** Entity tag of the card. */
  readonly etag?: string;
}

export interface InterfaceStatus {
  /** Protocol binding. */
  readonly binding: "JSONRPC" | "HTTP+JSON";
  /** A2A version as Major.Minor. */
  readonly version: string;
  /** Absolute path of the interface. The host is the backend's, whatever the card says. */
  readonly path: string;
}

export interface VirtualKey {
  /** Always parley.dev/v1alpha1. */
  readonly apiVersion: "parley.dev/v1alpha1";
  /** Always VirtualKey. */
  readonly kind: "VirtualKey";
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: VirtualKeySpec;
  /** What the operator found. Written by it alone. */
  readonly status?: VirtualKeyStatus;
}

export interface VirtualKeySpec {
  /** The Parley installation that the key is for. An operator touches only its own. Always there: the API server supplies "default". */
  readonly gatewayName: string;
  /** The key itself: a key of a Secret of this namespace, labelled parley.dev/credential: key. It must exist. Without secretRef the operator makes the Secret {name}-key, owned by this object. */
  readonly secretRef?: SecretRef;
  /** Who the calls are attributed to, in logs, metrics and cost. Counts within this namespace. */
  readonly owner?: Owner;
  /** The agents that the key reaches. None by default. */
  readonly agents?: readonly Grant[];
  /** The operations that the key grants, by their names of A2A 1.0; they cover the names of 0.3 and the streaming forms. Default all of the protocol. Extension grants methods that are none of the protocol's. */
  readonly operations?: readonly string[];
  /** When the key ends, as 2027-01-01T00:00:00Z. Default never. */
  readonly expiresAt?: string;
  /** A disabled key is refused as if it did not exist. Default false. */
  readonly disabled?: boolean;
}

export interface Owner {
  /** A person or a program, as alice@example.com. */
  readonly user?: string;
  /** A group of users. */
  readonly team?: string;
}

export interface Grant {
  /** Name of an A2AAgent. */
  readonly name?: string;
  /** Where that agent is, if it admits keys from here. Default the key's own namespace. */
  readonly namespace?: string;
  /** Labels of agents of the key's own namespace. All parts must hold; an empty one matches everything. */
  readonly selector?: LabelSelector;
}

export interface VirtualKeyStatus {
  /** The generation of the spec that this status is about. */
  readonly observedGeneration?: number;
  /** Ready (the summary), Accepted, SecretReady, ResolvedRefs, Programmed. */
  readonly conditions?: readonly Condition[];
  /** First 8 hex digits of the SHA-256 of the key, as in logs. */
  readonly fingerprint?: string;
  /** When the key ends, if it does. */
  readonly expiresAt?: string;
}
