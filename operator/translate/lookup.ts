// How a translation reads what its object refers to. In: names. Out: objects and states; the engine notes what was read, so
// that a change redoes just the objects that read it.
import type { LabelSelector } from "../../proxy/table/contract.ts";
import type { EndpointSliceObject, NamespaceObject, SecretObject, ServiceObject } from "../objects.ts";

export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** Of one port of one Service: how many endpoints, or why none can be had. */
export type EndpointsState =
  | { readonly ok: true; readonly ready: number; readonly known: number }
  | { readonly ok: false; readonly reason: "ServiceNotFound" | "PortNotFound" | "ExternalNameService" };

/** Of one key of one upstream Secret. */
export type CredentialState =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: "SecretNotFound" | "SecretNotLabelled" | "CredentialKeyMissing" | "CredentialInvalid";
    };

/** Whose keys an agent lets in. */
export type Admission =
  | { readonly from: "Same" | "All" }
  | { readonly from: "Selector"; readonly selector: LabelSelector };

/** Objects as they were read. */
export interface ObjectLookup {
  secret(namespace: string, name: string): SecretObject | undefined;
  service(namespace: string, name: string): ServiceObject | undefined;
  slices(namespace: string, service: string): Iterable<EndpointSliceObject>;
  namespace(name: string): NamespaceObject | undefined;
}

/** Objects, and what was made of other objects: less of them is seen, so less of their change matters. */
export interface Lookup extends ObjectLookup {
  endpoints(namespace: string, service: string, port: string | number): EndpointsState;
  credential(namespace: string, secret: string, key: string): CredentialState;
  /** Undefined: there is no such agent. */
  admission(namespace: string, name: string): Admission | undefined;
  /** The agent that has the public name. */
  publicNameHolder(publicName: string): ObjectName | undefined;
  /** The VirtualKey that has the token. */
  tokenHolder(sha256: string): ObjectName | undefined;
}
