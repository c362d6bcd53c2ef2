// Leases of operators in a namespace, as `status` and `confirm` find them. In: the API server, a namespace. Out: those on which a leader
// has told of itself, or why they cannot be read.
import type { KubeClient } from "../operator/kube/client.ts";
import { leasesPath } from "../operator/kube/lease.ts";
import { SUMMARY_ANNOTATION, readSummary } from "../operator/summary.ts";
import type { Summary } from "../operator/summary.ts";
import { option } from "../process/option-table.ts";
import * as value from "../process/option-values.ts";
import { CLUSTER_GROUP } from "./api-server.ts";
import { listAll } from "./list-all.ts";

/** The chart's own namespace first: an operator outside of a cluster has its Lease in `default` unless it was told otherwise. */
export const leaseNamespaceOption = option(value.dnsLabel, {
  group: CLUSTER_GROUP,
  default: "parley",
  help: "Where Parley is installed: the namespace of the operators' Lease.",
});

export interface OperatorLease {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Empty: nobody holds it. The part before the first dot is the pod's UID. */
  readonly holder: string;
  /** Milliseconds since the epoch. */
  readonly renewedAt: number;
  /** Milliseconds. */
  readonly duration: number;
  readonly summary: Summary;
}

interface LeaseItem {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
  };
}

/** `fault`: why there may be more. */
export async function readOperatorLeases(
  client: Pick<KubeClient, "request">,
  namespace: string,
): Promise<{ readonly leases: readonly OperatorLease[]; readonly fault: string | undefined }> {
  const { items, fault } = await listAll(client, leasesPath(namespace));
  return { leases: (items as readonly LeaseItem[]).flatMap((item) => leaseOf(item) ?? []), fault };
}

/** What is said where none is. */
export const noOperatorIn = (namespace: string): string =>
  `no operator of Parley has run in the namespace ${namespace}: give --namespace=NAMESPACE of its Lease ` +
  "(the chart's is where Helm installed it, that of an operator outside of a cluster is default; kubectl get leases -A shows all)";

function leaseOf({ metadata, spec }: LeaseItem): OperatorLease | undefined {
  const { name, annotations = {} } = metadata;
  const summary = readSummary(annotations[SUMMARY_ANNOTATION]);
  if (summary === undefined) return undefined;
  return {
    name,
    annotations,
    holder: spec?.holderIdentity ?? "",
    renewedAt: Date.parse(spec?.renewTime ?? ""),
    duration: (spec?.leaseDurationSeconds ?? 0) * 1000,
    summary,
  };
}
