// The objects that the operator reads, reduced on reading to what it uses.
// In: whatever the API server or a folder of YAML holds. Out: the shapes that store and translate know.
import type { A2AAgentSpec, A2AAgentStatus, VirtualKeySpec, VirtualKeyStatus } from "../crds/types.ts";
import type { TokenList } from "./token-facts.ts";

export interface Metadata {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  /** RFC 3339 */
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface AgentObject {
  readonly kind: "A2AAgent";
  readonly metadata: Metadata;
  readonly spec: A2AAgentSpec;
  readonly status?: A2AAgentStatus;
}

export interface KeyObject {
  readonly kind: "VirtualKey";
  readonly metadata: Metadata;
  readonly spec: VirtualKeySpec;
  readonly status?: VirtualKeyStatus;
}

/** Only Secrets labelled `parley.dev/credential`. Values of upstream credentials are decoded; they never leave store and translate but in rows. */
export interface SecretObject {
  readonly kind: "Secret";
  readonly metadata: Metadata;
  readonly credential: string;
  /** UID of the controlling owner (`ownerReferences` with `controller: true`), "" if there is none; absent: it comes from a file. */
  readonly controller?: string;
  readonly data: Readonly<Record<string, string>>;
  /** Of virtual keys, in place of `data`: a token is not kept. Absent: it comes from a file, and `data` has it. */
  readonly tokens?: TokenList;
}

export interface ServiceObject {
  readonly kind: "Service";
  readonly metadata: Metadata;
  readonly type: string;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

export interface EndpointSliceObject {
  readonly kind: "EndpointSlice";
  readonly metadata: Metadata;
  /** Of the label `kubernetes.io/service-name`. */
  readonly service: string;
  readonly addressType: string;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly ready: boolean;
    readonly serving: boolean;
    readonly terminating: boolean;
    readonly pod?: string;
    readonly podName?: string;
  }[];
}

export interface NamespaceObject {
  readonly kind: "Namespace";
  /** `namespace` is "". */
  readonly metadata: Metadata;
}

export type StoredObject =
  | AgentObject
  | KeyObject
  | SecretObject
  | ServiceObject
  | EndpointSliceObject
  | NamespaceObject;
export type Kind = StoredObject["kind"];

/** `{Kind}/{namespace}/{name}`; a Namespace is `Namespace//{name}`. */
export type Ref = string;
/** Joined, since what a template gives is kept as the pieces that it was made of: of a hundred thousand refs that is several megabytes. */
export const refOf = (kind: Kind, namespace: string, name: string): Ref => [kind, namespace, name].join("/");
