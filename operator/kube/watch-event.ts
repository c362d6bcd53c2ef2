// One line of a watch. In: its text. Out: what changed, and the version at which the watch can go on; or why it cannot be read.
import type { Kind, StoredObject } from "../objects.ts";
import type { WatchError } from "./pages.ts";
import { isRawObject, reduce } from "./reduce.ts";
import type { RawObject } from "./reduce.ts";
import { refusalOf } from "./refusal.ts";

export type ObjectChange =
  | { readonly type: "upsert"; readonly object: StoredObject }
  | { readonly type: "delete"; readonly namespace: string; readonly name: string };

export type WatchEvent =
  | {
      readonly type: "event";
      readonly version: string;
      /** Undefined: a bookmark. */
      readonly change: ObjectChange | undefined;
      /** All objects that were there when the watch began have been sent. */
      readonly endsList: boolean;
    }
  | { readonly type: "error"; readonly error: WatchError; readonly cause: string };

/** What a bookmark has that ends the list at the beginning of a watch (KEP-3157). */
const LIST_ENDS = "k8s.io/initial-events-end";

export function readEvent(kind: Kind, line: string): WatchEvent {
  let parsed: { readonly type?: unknown; readonly object?: unknown } | null;
  try {
    parsed = JSON.parse(line);
  } catch {
    return { type: "error", error: "malformed", cause: "a line of the watch is not JSON" };
  }
  const object = parsed?.object;
  if (parsed?.type === "ERROR") {
    const refusal = refusalOf(0, object);
    const expired = refusal.code === 410 || refusal.reason === "Expired" || refusal.reason === "Gone";
    return {
      type: "error",
      error: expired ? "expired" : "refused",
      cause: `${refusal.reason}: ${refusal.message}`,
    };
  }
  if (parsed?.type === "BOOKMARK") {
    const { resourceVersion: version, annotations } =
      (object as { metadata?: { resourceVersion?: unknown; annotations?: Record<string, unknown> } } | undefined)
        ?.metadata ?? {};
    return typeof version === "string"
      ? { type: "event", version, change: undefined, endsList: annotations?.[LIST_ENDS] === "true" }
      : { type: "error", error: "malformed", cause: "a bookmark without a resourceVersion" };
  }
  if (!isRawObject(object)) return { type: "error", error: "malformed", cause: "an event without an object" };
  return {
    type: "event",
    version: object.metadata.resourceVersion,
    change: changeOf(kind, parsed?.type, object),
    endsList: false,
  };
}

function changeOf(kind: Kind, type: unknown, raw: RawObject): ObjectChange {
  const object = type === "DELETED" ? undefined : reduce(kind, raw);
  return object === undefined
    ? { type: "delete", namespace: raw.metadata.namespace ?? "", name: raw.metadata.name }
    : { type: "upsert", object };
}
