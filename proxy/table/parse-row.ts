// What a row may be. In: a row's id and its parsed JSON. Out: the typed row, a refusal with its reason, or "unknown kind".
// Members that this release does not know are passed over; behaviours that a row requires and this release lacks are not.
import { isIP } from "node:net";
import {
  KNOWN_BEHAVIOURS,
  type AgentBackend,
  type AgentRow,
  type BackendInterface,
  type CredentialRow,
  type Endpoint,
  type EndpointsRow,
  type GatewayRow,
  type KeyRow,
  type LabelSelector,
  type NamespaceRow,
  type RowId,
  type RowKind,
  type RowKinds,
} from "./contract.ts";
import {
  choose,
  flag,
  integer,
  invalid,
  isObject,
  list,
  object,
  oneOf,
  optional,
  shaped,
  text,
  texts,
  where,
} from "./shape.ts";
import type { Read } from "./shape.ts";

export type TypedRow = { readonly [K in RowKind]: { readonly kind: K; readonly row: RowKinds[K] } }[RowKind];

export type ParsedRow =
  | ({ readonly outcome: "Row"; /** The id without its kind. */ readonly names: readonly string[] } & TypedRow)
  /** `uid`: of the object that the row was made from, where that much could be read. */
  | { readonly outcome: "Refused"; readonly reason: string; readonly uid: string | undefined }
  | { readonly outcome: "UnknownKind" };

/** Judges a row. Never throws; a reason names a member and a rule, and holds no value but the names of unknown behaviours. */
export function parseRow(id: RowId, row: unknown): ParsedRow {
  const [kind = "", ...names] = id.split("/");
  if (!isRowKind(kind)) return { outcome: "UnknownKind" };
  const uid = isObject(row) && typeof row["uid"] === "string" ? row["uid"] : undefined;
  const refused = (reason: string): ParsedRow => ({ outcome: "Refused", reason, uid });

  if (names.length !== NAMES[kind] || names.includes("")) return refused("the id is not of its kind's form");
  const lacking = lackingBehaviours(row);
  if (lacking !== undefined) return refused(lacking);
  const typed = readRow(kind, row);
  return typed.ok ? { outcome: "Row", names, ...typed.value } : refused(typed.reason);
}

function lackingBehaviours(row: unknown): string | undefined {
  const requires = isObject(row) ? row["requires"] : undefined;
  if (requires === undefined) return undefined;
  if (!Array.isArray(requires)) return "requires: must be a list";
  const lacking: unknown[] = requires.filter((name) => !KNOWN_BEHAVIOURS.has(name));
  if (lacking.length === 0) return undefined;
  const names = lacking.slice(0, 5).map((name) => (typeof name === "string" ? name.slice(0, 64) : typeof name));
  return `requires what this release does not know: ${names.join(", ")}`;
}

function readRow(kind: RowKind, row: unknown): { ok: true; value: TypedRow } | { ok: false; reason: string } {
  const read = READERS[kind] as Read<RowKinds[RowKind]>;
  const result = shaped(read, row);
  return result.ok ? { ok: true, value: { kind, row: result.value } as TypedRow } : result;
}

const isRowKind = (kind: string): kind is RowKind => Object.hasOwn(NAMES, kind);

/** How many names follow the kind in an id. */
const NAMES: Readonly<Record<RowKind, number>> = {
  agent: 2,
  key: 2,
  endpoints: 3,
  credential: 3,
  namespace: 1,
  gateway: 0,
};

const nonEmpty = text((value) => value !== "", "must not be empty");
const absolutePath = text((value) => value.startsWith("/"), "must start with /");
const milliseconds = integer(0);
const price = text((value) => /^\d{1,30}(\.\d{1,30})?$/.test(value), "must be a decimal");
const jsonPath = text(
  (value) => /^\$((\.\.?([A-Za-z_][A-Za-z0-9_-]*|\*))|\[(\*|[0-9]{1,6}|'[^'\\]*')\])+$/.test(value),
  "must be a JSON path",
);
const plainUrl = text(isPlainUrl, "must be an http or https URL without credentials or fragment");

const selector = object<LabelSelector>({
  matchLabels: optional(texts),
  matchExpressions: optional(
    list(
      object<NonNullable<LabelSelector["matchExpressions"]>[number]>({
        key: text(),
        // An operator that is not known selects nothing (selector.ts); refusing the row would leave an agent's older, wider one.
        operator: text() as Read<"In">,
        values: optional(list(text())),
      }),
    ),
  ),
});

const backendInterface = object<BackendInterface>({
  binding: oneOf("JSONRPC", "HTTP+JSON"),
  version: text((value) => /^\d{1,4}\.\d{1,4}$/.test(value), "must be Major.Minor"),
  path: absolutePath,
});

const backend = where(
  object<AgentBackend>({
    name: nonEmpty,
    weight: integer(0, 1_000_000),
    endpoints: optional(text((value) => value.startsWith("endpoints/"), "must be the id of an endpoints row")),
    scheme: optional(oneOf("http", "https")),
    path: optional(absolutePath),
    host: optional(nonEmpty),
    url: optional(plainUrl),
    interfaces: list(backendInterface),
  }),
  ({ endpoints, url, scheme, path, host }) => {
    if ((endpoints === undefined) === (url === undefined)) return "must have exactly one of endpoints and url";
    if (endpoints === undefined) return undefined;
    return scheme === undefined || path === undefined || host === undefined
      ? "must have scheme, path and host with endpoints"
      : undefined;
  },
);

function isPlainUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return false;
  return url.username === "" && url.password === "" && !value.includes("#");
}

type AllowedKeys = AgentRow["allowedKeys"];
const byNamespace = object<Exclude<AllowedKeys, { from: "Selector" }>>({ from: oneOf("Same", "All") });
const bySelector = object<Extract<AllowedKeys, { from: "Selector" }>>({ from: oneOf("Selector"), selector });
const allowedKeys = choose<AllowedKeys>((value) => (value["from"] === "Selector" ? bySelector : byNamespace));

const agent = object<AgentRow>({
  uid: nonEmpty,
  generation: integer(0),
  requires: optional(list(text())),
  labels: texts,
  publicName: optional(nonEmpty),
  allowedKeys,
  card: object<AgentRow["card"]>({ path: optional(absolutePath), visibility: oneOf("Public", "Key") }),
  backends: list(backend),
  loadBalancing: oneOf("LeastRequest", "RoundRobin", "Random"),
  timeouts: object<AgentRow["timeouts"]>({
    connect: milliseconds,
    firstByte: milliseconds,
    streamIdle: milliseconds,
  }),
  maxRequestBytes: integer(0),
  credentials: list(
    object<AgentRow["credentials"][number]>({
      header: text((value) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(value), "must be a header name in lower case"),
      scheme: optional(nonEmpty),
      credential: text((value) => value.startsWith("credential/"), "must be the id of a credential row"),
    }),
  ),
  pricePerRequest: optional(price),
  pricePerSecond: optional(price),
  usagePrices: optional(
    list(
      object<NonNullable<AgentRow["usagePrices"]>[number]>({
        unit: text((value) => /^[A-Za-z][A-Za-z0-9]*$/.test(value), "must be a name of letters and digits"),
        price,
        paths: optional(list(jsonPath)),
      }),
    ),
  ),
  logging: object<AgentRow["logging"]>({
    content: oneOf("None", "Metadata", "Full"),
    maxBytes: integer(0),
    redact: optional(list(jsonPath)),
  }),
});

type Grant = KeyRow["agents"][number];
const namedGrant = object<Extract<Grant, { name: string }>>({ namespace: nonEmpty, name: nonEmpty });
const selectorGrant = object<Extract<Grant, { selector: LabelSelector }>>({ selector });
const mixedGrant: Read<Grant> = (_value, place) => invalid(place, "must be a name or a selector, not both");
const grant = choose<Grant>((value) => {
  if (!("selector" in value)) return namedGrant;
  // Taking either half of a mixed one would be a guess at what it grants.
  return "name" in value || "namespace" in value ? mixedGrant : selectorGrant;
});

const key = object<KeyRow>({
  uid: nonEmpty,
  generation: integer(0),
  requires: optional(list(text())),
  sha256: text((value) => /^[0-9a-f]{64}$/.test(value), "must be 64 hex digits in lower case"),
  owner: object<KeyRow["owner"]>({ user: optional(text()), team: optional(text()) }),
  agents: list(grant),
  operations: optional(list(text())),
  expiresAt: optional(text((value) => !Number.isNaN(parseTime(value)), "must be an RFC 3339 time")),
  disabled: optional(oneOf(true)),
  loopbackOnly: optional(oneOf(true)),
});

/** RFC 3339, section 5.6, to milliseconds since the epoch; NaN when it is not one. */
export function parseTime(time: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(time) ? Date.parse(time) : Number.NaN;
}

const READERS: { readonly [K in RowKind]: Read<RowKinds[K]> } = {
  agent,
  key,
  endpoints: object<EndpointsRow>({
    endpoints: list(
      object<Endpoint>({
        pod: optional(nonEmpty),
        address: text((value) => isIP(value) !== 0 && !value.includes("%"), "must be an IP address without a zone"),
        port: integer(1, 65_535),
        ready: flag,
        serving: flag,
      }),
    ),
  }),
  credential: object<CredentialRow>({ value: text() }),
  namespace: object<NamespaceRow>({ labels: texts }),
  gateway: object<GatewayRow>({
    name: nonEmpty,
    publicUrl: optional(plainUrl),
    trustedProxies: list(text()),
    allowedUpstreams: list(text()),
  }),
};
