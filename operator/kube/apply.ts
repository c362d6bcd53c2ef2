// Writes statuses by server-side apply. In: an object's identity and its whole status. Out: what became of the write.
import type { A2AAgentStatus, VirtualKeyStatus } from "../../crds/types.ts";
import { causeOf } from "./cause.ts";
import type { KubeClient } from "./client.ts";
import { isRawObject } from "./reduce.ts";
import { objectPath } from "./resources.ts";
import { refusalOf } from "./refusal.ts";

/** Owner of the fields that we write: what we stop sending goes away. */
const FIELD_MANAGER = "parley-operator";

export interface StatusTarget {
  readonly kind: "A2AAgent" | "VirtualKey";
  readonly namespace: string;
  readonly name: string;
  /** Guards against an object of the same name that came after this one. */
  readonly uid: string;
}

export type ApplyResult =
  /** `resourceVersion`: of the object after the write. */
  | { readonly ok: true; readonly resourceVersion: string }
  /** The object is gone, or another one has its name. */
  | { readonly ok: false; readonly reason: "Gone" }
  /** Trying again is no use until something changes. */
  | { readonly ok: false; readonly reason: "Refused"; readonly message: string }
  /** Trying again later may help. */
  | { readonly ok: false; readonly reason: "Unavailable"; readonly message: string };

export type ApplyStatus = (
  target: StatusTarget,
  status: A2AAgentStatus | VirtualKeyStatus,
  signal: AbortSignal,
) => Promise<ApplyResult>;

/** Applies with force: the status is ours alone. Never throws. */
export function createApplyStatus(client: Pick<KubeClient, "request">): ApplyStatus {
  return async ({ kind, namespace, name, uid }, status, signal) => {
    try {
      const answer = await client.request({
        method: "PATCH",
        path: `${objectPath(kind, namespace, name)}/status`,
        query: { fieldManager: FIELD_MANAGER, force: "true" },
        contentType: "application/apply-patch+yaml",
        body: { apiVersion: "parley.dev/v1alpha1", kind, metadata: { namespace, name, uid }, status },
        timeout: 10_000,
        signal,
      });
      if (answer.status === 200 && isRawObject(answer.body)) {
        return { ok: true, resourceVersion: answer.body.metadata.resourceVersion };
      }
      const refusal = refusalOf(answer.status, answer.body);
      const message = `${refusal.reason}: ${refusal.message}`;
      // Applying to an object that is gone answers 404; a uid that differs answers 409, which forcing does not mend.
      if (answer.status === 404 || answer.status === 409) return { ok: false, reason: "Gone" };
      if (answer.status === 400 || answer.status === 422) return { ok: false, reason: "Refused", message };
      return { ok: false, reason: "Unavailable", message };
    } catch (error) {
      return { ok: false, reason: "Unavailable", message: causeOf(error) };
    }
  };
}
