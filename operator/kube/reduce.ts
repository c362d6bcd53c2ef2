// What the API server sends, cut down to what the operator uses, while it is read: managed fields and annotations are
// never kept, nor conditions of others. In: one object as parsed JSON. Out: its reduced form, or undefined if it is none of ours.
import { CONDITION_TYPES } from "../../crds/conditions.ts";
import { CREDENTIAL_LABEL } from "../../crds/secret.ts";
import type { A2AAgentSpec, A2AAgentStatus, VirtualKeySpec, VirtualKeyStatus } from "../../crds/types.ts";
import type {
  AgentObject,
  EndpointSliceObject,
  KeyObject,
  Kind,
  Metadata,
  NamespaceObject,
  SecretObject,
  ServiceObject,
  StoredObject,
} from "../objects.ts";
import { listTokens } from "../token-facts.ts";

const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

interface RawMetadata {
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  readonly generation?: number;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly uid: string; readonly controller?: boolean }[];
}

/** One object as the API server writes it; only metadata is told apart here. */
export interface RawObject {
  readonly metadata: RawMetadata;
  readonly [member: string]: unknown;
}

/** Whether a value is an object with the metadata that every API object has. */
export function isRawObject(value: unknown): value is RawObject {
  if (typeof value !== "object" || value === null || !("metadata" in value)) return false;
  const { metadata } = value;
  return (
    typeof metadata === "object" &&
    metadata !== null &&
    "name" in metadata &&
    typeof metadata.name === "string" &&
    "resourceVersion" in metadata &&
    typeof metadata.resourceVersion === "string"
  );
}

/** Reads an object of a kind. The API server has validated it against its schema. */
export function reduce(kind: Kind, raw: RawObject): StoredObject | undefined {
  switch (kind) {
    case "A2AAgent":
      return reduceAgent(raw);
    case "VirtualKey":
      return reduceKey(raw);
    case "Secret":
      return reduceSecret(raw);
    case "Service":
      return reduceService(raw);
    case "EndpointSlice":
      return reduceEndpointSlice(raw);
    case "Namespace":
      return {
        kind: "Namespace",
        metadata: reduceMetadata(raw.metadata, raw.metadata.labels),
      } satisfies NamespaceObject;
  }
}

/** Labels are kept where something is made of them: of agents and Namespaces. */
function reduceMetadata(raw: RawMetadata, labels: Metadata["labels"] = NONE): Metadata {
  return {
    namespace: raw.namespace ?? "",
    name: raw.name,
    uid: raw.uid,
    generation: raw.generation ?? 0,
    resourceVersion: raw.resourceVersion,
    creationTimestamp: raw.creationTimestamp,
    ...(raw.deletionTimestamp === undefined ? {} : { deletionTimestamp: raw.deletionTimestamp }),
    labels,
  };
}

const NONE: Readonly<Record<string, never>> = Object.freeze({});

function reduceAgent(raw: RawObject): AgentObject {
  const { spec, status } = raw as unknown as { spec: A2AAgentSpec; status?: A2AAgentStatus };
  return {
    kind: "A2AAgent",
    metadata: reduceMetadata(raw.metadata, raw.metadata.labels),
    spec,
    ...(status === undefined ? {} : { status: reduceStatus(status) }),
  };
}

function reduceKey(raw: RawObject): KeyObject {
  const { spec, status } = raw as unknown as { spec: VirtualKeySpec; status?: VirtualKeyStatus };
  return {
    kind: "VirtualKey",
    metadata: reduceMetadata(raw.metadata),
    spec,
    ...(status === undefined ? {} : { status: reduceStatus(status) }),
  };
}

const OURS: ReadonlySet<string> = new Set(CONDITION_TYPES);

/** A condition of somebody else is none of our status: it differs from nothing that we would write. */
function reduceStatus<T extends A2AAgentStatus | VirtualKeyStatus>(status: T): T {
  const ours = status.conditions?.filter(({ type }) => OURS.has(type));
  return ours?.length === status.conditions?.length ? status : { ...status, conditions: ours };
}

function reduceSecret(raw: RawObject): SecretObject | undefined {
  const credential = raw.metadata.labels?.[CREDENTIAL_LABEL];
  if (credential === undefined) return undefined;
  const { data } = raw as unknown as { data?: Readonly<Record<string, string>> };
  const values = Object.entries(data ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")] as const,
  );
  const isKey = credential === "key";
  return {
    kind: "Secret",
    metadata: reduceMetadata(raw.metadata),
    credential,
    controller: raw.metadata.ownerReferences?.find((owner) => owner.controller === true)?.uid ?? "",
    data: isKey ? NONE : Object.fromEntries(values),
    // An empty value is no token.
    ...(isKey ? { tokens: listTokens(Object.fromEntries(values.filter(([, value]) => value !== ""))) } : {}),
  };
}

function reduceService(raw: RawObject): ServiceObject {
  const { spec } = raw as unknown as {
    spec?: { type?: string; ports?: readonly { name?: string; port: number }[] };
  };
  return {
    kind: "Service",
    metadata: reduceMetadata(raw.metadata),
    type: spec?.type ?? "ClusterIP",
    ports: (spec?.ports ?? []).map(({ name, port }) => ({ name: name ?? "", port })),
  };
}

interface RawEndpoint {
  readonly addresses?: readonly string[];
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly uid?: string };
}

function reduceEndpointSlice(raw: RawObject): EndpointSliceObject | undefined {
  const service = raw.metadata.labels?.[SERVICE_NAME_LABEL];
  // A slice that belongs to no Service is nobody's business here.
  if (service === undefined) return undefined;
  const slice = raw as unknown as {
    addressType: string;
    ports?: readonly { name?: string; port?: number }[] | null;
    endpoints?: readonly RawEndpoint[] | null;
  };
  return {
    kind: "EndpointSlice",
    metadata: reduceMetadata(raw.metadata),
    service,
    addressType: slice.addressType,
    ports: (slice.ports ?? []).flatMap(({ name, port }) => (port === undefined ? [] : [{ name: name ?? "", port }])),
    endpoints: (slice.endpoints ?? []).map(reduceEndpoint),
  };
}

/** Conditions that are absent mean "ready", "as ready as `ready` says" and "not terminating" (discovery.k8s.io/v1). */
function reduceEndpoint(raw: RawEndpoint): EndpointSliceObject["endpoints"][number] {
  const ready = raw.conditions?.ready ?? true;
  const { uid: pod, name: podName } = raw.targetRef?.kind === "Pod" ? raw.targetRef : {};
  return {
    addresses: raw.addresses ?? [],
    ready,
    serving: raw.conditions?.serving ?? ready,
    terminating: raw.conditions?.terminating ?? false,
    ...(pod === undefined ? {} : { pod }),
    ...(podName === undefined ? {} : { podName }),
  };
}
