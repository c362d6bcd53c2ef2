// The contract between operator and proxies: what a row is, and what a line on the stream is.
// In: nothing. Out: types and constants that both sides share. Imports nothing of ours.

/** The media type of the stream: newline-delimited JSON, one line an object with a `type`, as in a Kubernetes watch. */
export const STREAM_MEDIA_TYPE = "application/x-ndjson";
/**
 * `POST` a `Subscription` here as JSON: the answer is the stream. `GET` with `gateway`, `proxy` and `version` in the query does too, for
 * people: it brings the whole table unless the version is ours.
 */
export const STREAM_PATH = "/v1/stream";
/** `POST` an `Ack` here as JSON; answered 204; 404: no such stream or batch here; 409: the batch led to another version. */
export const ACKS_PATH = "/v1/acks";
/** The operator sends at least one line in this time, so silence means a dead stream. Milliseconds. */
export const HEARTBEAT_MS = 250;
/** Rows are spread over this many buckets by the first ten bits of SHA-256(row id). */
export const BUCKETS = 1024;
/** Bytes of each bucket digest that a `Subscription` names: enough to find differences, since the version of the whole is compared after. */
export const BUCKET_PREFIX = 4;
/** Rows that decide who may reach what: only these are sent to a proxy whose stream is on standby. */
export const decidesAccess = (id: RowId): boolean =>
  id.startsWith("key/") || id.startsWith("agent/") || id.startsWith("namespace/");

/** `agent/{ns}/{name}`, `key/{ns}/{name}`, `endpoints/{ns}/{service}/{port}`, `credential/{ns}/{secret}/{key}`, `namespace/{name}`, `gateway`. */
export type RowId = string;

/** Behaviours that this release knows. A row that requires another one is refused: a key is denied, an agent keeps its last good row. */
export const KNOWN_BEHAVIOURS: ReadonlySet<string> = new Set([
  "agents.selector",
  "allowedKeys.selector",
  "expiresAt",
  "logging.redact",
  "loopbackOnly",
  "operations",
]);

/** metav1.LabelSelector; an empty selector matches everything, as in Kubernetes. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values?: readonly string[];
  }[];
}

export type Binding = "JSONRPC" | "HTTP+JSON";

/** What an agent's card said of one interface: where under the backend it is. Only the path is taken; the host never. */
export interface BackendInterface {
  readonly binding: Binding;
  /** Major.Minor, as "1.0" or "0.3". */
  readonly version: string;
  /** Absolute path with no trailing slash but for the root "/". */
  readonly path: string;
}

export interface AgentBackend {
  readonly name: string;
  /** 0 to 1,000,000; its share of new conversations. */
  readonly weight: number;
  /** Exactly one of `endpoints` (id of an endpoints row; with scheme and path) and `url` (absolute, no credentials, no fragment). */
  readonly endpoints?: RowId;
  /** "http" or "https", with `endpoints`. */
  readonly scheme?: "http" | "https";
  /** Base path of the agent, with `endpoints`; "/" at least. */
  readonly path?: string;
  /** Host header and TLS server name, with `endpoints`: `{service}.{namespace}.svc`. */
  readonly host?: string;
  readonly url?: string;
  /** Empty until the card was read: then both bindings are taken to be at the base path. */
  readonly interfaces: readonly BackendInterface[];
}

export interface AgentRow {
  readonly uid: string;
  readonly generation: number;
  readonly requires?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Absent when another agent holds the name; the long path serves all the same. */
  readonly publicName?: string;
  readonly allowedKeys:
    | { readonly from: "Same" | "All" }
    | { readonly from: "Selector"; readonly selector: LabelSelector };
  /** `path` absent: /.well-known/agent-card.json, then /.well-known/agent.json. */
  readonly card: { readonly path?: string; readonly visibility: "Public" | "Key" };
  readonly backends: readonly AgentBackend[];
  readonly loadBalancing: "LeastRequest" | "RoundRobin" | "Random";
  /** Milliseconds; 0 is none. */
  readonly timeouts: { readonly connect: number; readonly firstByte: number; readonly streamIdle: number };
  readonly maxRequestBytes: number;
  /** Header names are lower case. With `scheme` the value is sent as `{scheme} {value}`. */
  readonly credentials: readonly { readonly header: string; readonly scheme?: string; readonly credential: RowId }[];
  /** Decimal strings in the gateway's currency. */
  readonly pricePerRequest?: string;
  readonly pricePerSecond?: string;
  /** Of one unit of what the agent says that it used; `paths` absent: the built-in places of the unit. */
  readonly usagePrices?: readonly {
    readonly unit: string;
    readonly price: string;
    readonly paths?: readonly string[];
  }[];
  readonly logging: {
    readonly content: "None" | "Metadata" | "Full";
    readonly maxBytes: number;
    /** JSON paths of what is never shown; such rows require `logging.redact`. */
    readonly redact?: readonly string[];
  };
}

export interface KeyRow {
  readonly uid: string;
  readonly generation: number;
  readonly requires?: readonly string[];
  /** SHA-256 of the token, lower-case hex. */
  readonly sha256: string;
  readonly owner: { readonly user?: string; readonly team?: string };
  /** What it may reach. Empty: nothing. A selector reaches agents of the key's own namespace only. */
  readonly agents: readonly (
    | { readonly namespace: string; readonly name: string }
    | { readonly selector: LabelSelector }
  )[];
  /** 1.0 operation names; absent: all of the protocol. */
  readonly operations?: readonly string[];
  /** RFC 3339. */
  readonly expiresAt?: string;
  readonly disabled?: true;
  /** Honoured only on a loopback listener. */
  readonly loopbackOnly?: true;
}

export interface Endpoint {
  /** Pod UID, where a pod stands behind it. */
  readonly pod?: string;
  readonly address: string;
  readonly port: number;
  /** Takes new conversations. */
  readonly ready: boolean;
  /** Still answers, though it may be terminating: follow-ups of its conversations go on. */
  readonly serving: boolean;
}

/** Sorted by address, then port. */
export interface EndpointsRow {
  readonly endpoints: readonly Endpoint[];
}

/** Never logged, never dumped. */
export interface CredentialRow {
  readonly value: string;
}

/** Only for namespaces that hold a key of this gateway; read by `allowedKeys: Selector`. */
export interface NamespaceRow {
  readonly labels: Readonly<Record<string, string>>;
}

export interface GatewayRow {
  readonly name: string;
  /** Scheme and authority (and a path prefix, if any) under which clients reach the gateway; no trailing slash. */
  readonly publicUrl?: string;
  /** CIDRs whose X-Forwarded-Proto/-Host/-Prefix are believed. */
  readonly trustedProxies: readonly string[];
  /** CIDRs that `url` backends may reach although they are loopback, link-local or private. */
  readonly allowedUpstreams: readonly string[];
}

export interface RowKinds {
  readonly agent: AgentRow;
  readonly key: KeyRow;
  readonly endpoints: EndpointsRow;
  readonly credential: CredentialRow;
  readonly namespace: NamespaceRow;
  readonly gateway: GatewayRow;
}
export type RowKind = keyof RowKinds;
export type Row = RowKinds[RowKind];

/** One change to the table. `row: null` removes. */
export interface RowChange {
  readonly id: RowId;
  readonly row: Row | null;
}

/**
 * How far an operator has read what decides access: of each of its watches the resourceVersion that it has come to. Those of one watch rise,
 * and are the same for every operator, so that of two tables it is known which one has seen what the other has.
 */
export type Reach = Readonly<Record<string, number>>;

/** What a proxy asks for. */
export interface Subscription {
  readonly gateway: string;
  /** The proxy's instance id: the pod UID in a cluster. */
  readonly proxy: string;
  /**
   * Another operator's stream is applied: this one begins with HELLO and HEARTBEAT, no rows, and its batches hold only rows that
   * decide access (`decidesAccess`), so that what is taken away is known from whoever sees it first. A change to such a row that
   * changes no access may come with the next heartbeat.
   */
  readonly standby?: true;
  /** Of the table that is held, once it is whole: if it is ours too, the stream begins with an empty batch. */
  readonly version?: string;
  /**
   * With a version: the first BUCKET_PREFIX bytes of the digest of each bucket, in order, in base64. If the version is another, only the
   * buckets that differ are sent, each whole.
   */
  readonly buckets?: string;
}

/**
 * Lines of the stream, in the order in which they come: HELLO once; then batches, each BATCH, its PUTs and REMOVEs, COMMIT;
 * HEARTBEAT between batches. A batch applies whole or not at all. On standby a HEARTBEAT follows HELLO.
 */
export type StreamLine =
  /** First line. `holder`: replica id of the Lease holder, if known; an operator whose last renewal failed does not name itself. */
  | { readonly type: "HELLO"; readonly gateway: string; readonly replica: string; readonly holder?: string }
  /**
   * `reset`: the batch is the whole table; what it does not put is gone. `buckets`: it is the whole of these buckets; what they hold and it
   * does not put is gone. `sequence` rises from batch to batch of a replica; a consumer that fell behind gets several in one, so there may
   * be gaps.
   */
  | {
      readonly type: "BATCH";
      readonly replica: string;
      readonly sequence: number;
      readonly reset: boolean;
      readonly buckets?: readonly number[];
    }
  /** The whole line is canonical JSON (members sorted by name at every depth, no white space): its bytes are what is hashed. */
  | { readonly id: RowId; readonly row: Row; readonly type: "PUT" }
  | { readonly id: RowId; readonly type: "REMOVE" }
  /**
   * `lines`: PUTs and REMOVEs since BATCH; `version`: of the whole table after this batch, also on standby; `rows`: its size. `reach`:
   * all up to there is in that table, and nothing later; absent while more was read than was made into rows, or when it cannot be said.
   */
  | {
      readonly type: "COMMIT";
      readonly replica: string;
      readonly sequence: number;
      readonly lines: number;
      readonly rows: number;
      readonly version: string;
      readonly reach?: Reach;
    }
  /** `reach`: as in COMMIT; it goes on although the table stays the same. */
  | {
      readonly type: "HEARTBEAT";
      readonly replica: string;
      readonly sequence: number;
      readonly version: string;
      readonly holder?: string;
      readonly reach?: Reach;
    };

/**
 * What a proxy says after it applied a batch: that it serves everything up to (replica, sequence). Of a standby stream it is said when the
 * table has come to the version that a COMMIT or HEARTBEAT of that stream named, so that a new holder knows who serves what.
 */
export interface Ack {
  /** The proxy's instance id: the pod UID in a cluster. */
  readonly proxy: string;
  readonly replica: string;
  readonly sequence: number;
  readonly version: string;
  /** Rows that the proxy does not serve as they were sent, and why. At most 100; `refusedRows` counts all. */
  readonly refused: readonly { readonly id: RowId; readonly reason: string }[];
  readonly refusedRows: number;
}

export const agentRowId = (namespace: string, name: string): RowId => `agent/${namespace}/${name}`;
/** Joined, since what a template gives is kept as the pieces that it was made of, and of keys there are many. */
export const keyRowId = (namespace: string, name: string): RowId => ["key", namespace, name].join("/");
export const endpointsRowId = (namespace: string, service: string, port: string | number): RowId =>
  `endpoints/${namespace}/${service}/${port}`;
export const credentialRowId = (namespace: string, secret: string, key: string): RowId =>
  `credential/${namespace}/${secret}/${key}`;
export const namespaceRowId = (name: string): RowId => `namespace/${name}`;
export const GATEWAY_ROW_ID: RowId = "gateway";
