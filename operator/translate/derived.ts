// What is made on demand of objects that several agents or keys refer to: rows of endpoints, credentials and namespaces, and
// what keys need to know of agents. In: an id. Out: the row, and the little of it that dependants see.
import { credentialRowId, endpointsRowId, namespaceRowId } from "../../proxy/table/contract.ts";
import type { Row, RowId } from "../../proxy/table/contract.ts";
import type { AgentObject } from "../objects.ts";
import { admissionOf } from "./accept-agent.ts";
import { translateCredential } from "./credential.ts";
import { translateEndpoints } from "./endpoints.ts";
import type { Admission, CredentialState, EndpointsState, ObjectLookup } from "./lookup.ts";
import { translateNamespace } from "./namespace.ts";

/** Objects, and agents as a whole: only what is derived of them may be seen by others. */
export interface DerivedLookup extends ObjectLookup {
  agent(namespace: string, name: string): AgentObject | undefined;
}

export interface Derived<State> {
  /** Row id, or `admission/{namespace}/{name}`, which is no row. */
  readonly id: RowId;
  make(lookup: DerivedLookup): { readonly state: State; readonly row: Row | null };
}

export const endpointsOf = (namespace: string, service: string, port: string | number): Derived<EndpointsState> => ({
  id: endpointsRowId(namespace, service, port),
  make: (lookup) => translateEndpoints(lookup.service(namespace, service), port, lookup.slices(namespace, service)),
});

export const credentialOf = (namespace: string, secret: string, key: string): Derived<CredentialState> => ({
  id: credentialRowId(namespace, secret, key),
  make: (lookup) => translateCredential(lookup.secret(namespace, secret), key),
});

export const namespaceOf = (name: string): Derived<null> => ({
  id: namespaceRowId(name),
  make: (lookup) => ({ state: null, row: translateNamespace(lookup.namespace(name)) }),
});

/** An agent that is being deleted admits nobody: it is as good as gone. */
export const admissionOfAgent = (namespace: string, name: string): Derived<Admission | undefined> => ({
  id: `admission/${namespace}/${name}`,
  make(lookup) {
    const agent = lookup.agent(namespace, name);
    const exists = agent !== undefined && agent.metadata.deletionTimestamp === undefined;
    return { state: exists ? (admissionOf(agent.spec) ?? { from: "Same" }) : undefined, row: null };
  },
});
