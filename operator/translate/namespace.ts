// A Namespace that holds a key of ours. In: the object. Out: its row.
import type { NamespaceRow } from "../../proxy/table/contract.ts";
import type { NamespaceObject } from "../objects.ts";

/** Null while the Namespace is unknown: no selector admits its keys then. */
export function translateNamespace(namespace: NamespaceObject | undefined): NamespaceRow | null {
  return namespace === undefined ? null : { labels: namespace.metadata.labels };
}
