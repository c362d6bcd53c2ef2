// What a cluster says of Parley. In: the API server, a namespace. Out: Leases, endpoints and objects as they stand, or why they cannot
// be read. Only what `view` lets people read: no Secret, no pod, no way into a process.
import type { Condition } from "../crds/types.ts";
import type { KubeClient } from "../operator/kube/client.ts";
import { listAll } from "./list-all.ts";
import { readOperatorLeases } from "./operator-leases.ts";
import type { OperatorLease } from "./operator-leases.ts";

export interface PodFact {
  readonly service: string;
  readonly instance: string;
  readonly component: string;
  readonly pod: string;
  readonly uid: string;
  readonly ready: boolean;
  /** It was told to go, and lets what runs come to its end. */
  readonly ending: boolean;
}

export interface ObjectFact {
  readonly kind: "A2AAgent" | "VirtualKey";
  readonly namespace: string;
  readonly name: string;
  readonly gateway: string;
  readonly generation: number;
  readonly conditions: readonly Condition[];
}

export interface Facts {
  readonly leases: readonly OperatorLease[];
  readonly pods: readonly PodFact[];
  readonly objects: readonly ObjectFact[];
  /** What could not be read, in words. */
  readonly unread: readonly string[];
}

interface Item {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}
interface SliceItem extends Item {
  readonly endpoints?: readonly {
    readonly conditions?: { readonly ready?: boolean; readonly terminating?: boolean };
    readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly uid?: string };
  }[];
}
interface ObjectItem extends Item {
  readonly spec?: { readonly gatewayName?: string };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** @param namespaces of the objects; none: all */
export async function readFacts(
  client: Pick<KubeClient, "request">,
  namespace: string,
  namespaces: readonly string[],
): Promise<Facts> {
  const unread: string[] = [];
  const list = async <T>(what: string, path: string, query?: Record<string, string>): Promise<readonly T[]> => {
    const { items, fault } = await listAll(client, path, query);
    if (fault !== undefined) unread.push(`${what}: ${fault}`);
    return items as readonly T[];
  };
  const inNamespace = `namespaces/${encodeURIComponent(namespace)}`;
  const { leases, fault } = await readOperatorLeases(client, namespace);
  if (fault !== undefined) unread.push(`Leases: ${fault}`);
  const slices = await list<SliceItem>("EndpointSlices", `/apis/discovery.k8s.io/v1/${inNamespace}/endpointslices`, {
    labelSelector: "app.kubernetes.io/part-of=parley",
  });
  const objectsOf = async (kind: ObjectFact["kind"], plural: string): Promise<ObjectFact[]> => {
    const api = "/apis/parley.dev/v1alpha1";
    const places = namespaces.length === 0 ? [""] : namespaces.map((one) => `namespaces/${encodeURIComponent(one)}/`);
    const lists = await Promise.all(places.map((place) => list<ObjectItem>(`${kind}s`, `${api}/${place}${plural}`)));
    return lists.flat().map((item) => factOf(kind, item));
  };
  return {
    leases,
    pods: slices.flatMap(podsOf),
    objects: [...(await objectsOf("A2AAgent", "a2aagents")), ...(await objectsOf("VirtualKey", "virtualkeys"))],
    unread,
  };
}

function podsOf({ metadata: { labels = {} }, endpoints = [] }: SliceItem): readonly PodFact[] {
  return endpoints.flatMap(({ conditions, targetRef }) =>
    targetRef?.kind !== "Pod" || targetRef.uid === undefined
      ? []
      : [
          {
            service: labels["kubernetes.io/service-name"] ?? "",
            instance: labels["app.kubernetes.io/instance"] ?? "",
            component: labels["app.kubernetes.io/component"] ?? "",
            pod: targetRef.name ?? targetRef.uid,
            uid: targetRef.uid,
            ready: conditions?.ready !== false,
            ending: conditions?.terminating === true,
          },
        ],
  );
}

function factOf(kind: ObjectFact["kind"], { metadata, spec, status }: ObjectItem): ObjectFact {
  return {
    kind,
    namespace: metadata.namespace,
    name: metadata.name,
    gateway: spec?.gatewayName ?? "default",
    generation: metadata.generation ?? 0,
    conditions: status?.conditions ?? [],
  };
}
