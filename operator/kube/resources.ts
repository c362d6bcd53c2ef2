// Where each kind lives in the API, and how it is asked for. In: a kind, a namespace. Out: paths and queries.
import type { Kind } from "../objects.ts";
import { CREDENTIAL_LABEL } from "../../crds/secret.ts";

interface Resource {
  /** Path of the group and version. */
  readonly api: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly labelSelector?: string;
}

export const RESOURCES: Readonly<Record<Kind, Resource>> = {
  Namespace: { api: "/api/v1", plural: "namespaces", namespaced: false },
  // A VirtualKey finds its Secret, an A2AAgent its Service and Secrets: kinds are in an order in which the referred come first.
  Secret: { api: "/api/v1", plural: "secrets", namespaced: true, labelSelector: CREDENTIAL_LABEL },
  Service: { api: "/api/v1", plural: "services", namespaced: true },
  EndpointSlice: {
    api: "/apis/discovery.k8s.io/v1",
    plural: "endpointslices",
    namespaced: true,
    labelSelector: "kubernetes.io/service-name",
  },
  A2AAgent: { api: "/apis/parley.dev/v1alpha1", plural: "a2aagents", namespaced: true },
  VirtualKey: { api: "/apis/parley.dev/v1alpha1", plural: "virtualkeys", namespaced: true },
};

export const KINDS = Object.keys(RESOURCES) as readonly Kind[];

/** Path of all objects of a kind; `namespace` undefined: of all namespaces. */
export function collectionPath(kind: Kind, namespace: string | undefined): string {
  const { api, plural, namespaced } = RESOURCES[kind];
  return namespaced && namespace !== undefined
    ? `${api}/namespaces/${encodeURIComponent(namespace)}/${plural}`
    : `${api}/${plural}`;
}

/** Path of one namespaced object. */
export function objectPath(kind: Kind, namespace: string, name: string): string {
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
}
