// Makes the Secret of a VirtualKey that names none. In: the key. Out: a Secret `{name}-key` that the key owns, or why not.
// A Secret of that name which somebody else made is never taken over. The token is made here and leaves only to the API server.
import { randomBytes } from "node:crypto";
import { CREDENTIAL_LABEL } from "../../crds/secret.ts";
import type { KeyObject } from "../objects.ts";
import { secretRefOf } from "../secret-ref.ts";
import { causeOf } from "./cause.ts";
import type { KubeClient } from "./client.ts";
import { isRawObject } from "./reduce.ts";
import type { RawObject } from "./reduce.ts";
import { collectionPath, objectPath } from "./resources.ts";
import { refusalOf } from "./refusal.ts";

export type EnsureResult =
  /** It was made now, or is there and ours. */
  | { readonly ok: true; readonly made: boolean }
  /** Somebody else's: the user must act. */
  | { readonly ok: false; readonly reason: "NotOwned" }
  /** The API server does not let us (rights, quota, a Namespace that ends): somebody must act. */
  | { readonly ok: false; readonly reason: "Refused"; readonly message: string }
  /** No answer, or one that says to come again. */
  | { readonly ok: false; readonly reason: "Unavailable"; readonly message: string };

/** Sees to it that the Secret of a key without `secretRef` is there, labelled and owned. Throws nothing. */
export async function ensureKeySecret(
  client: Pick<KubeClient, "request">,
  key: KeyObject,
  signal: AbortSignal,
): Promise<EnsureResult> {
  const { namespace, name, uid } = key.metadata;
  const { name: secret, key: field } = secretRefOf(key);
  const path = objectPath("Secret", namespace, secret);
  try {
    const made = await client.request({
      method: "POST",
      path: collectionPath("Secret", namespace),
      body: {
        apiVersion: "v1",
        kind: "Secret",
        type: "Opaque",
        metadata: {
          name: secret,
          labels: { [CREDENTIAL_LABEL]: "key" },
          ownerReferences: [
            {
              apiVersion: "parley.dev/v1alpha1",
              kind: "VirtualKey",
              name,
              uid,
              controller: true,
              blockOwnerDeletion: false,
            },
          ],
        },
        // 256 random bits (crypto.randomBytes), in letters that need no quoting anywhere.
        data: { [field]: Buffer.from(`sk-${randomBytes(32).toString("base64url")}`).toString("base64") },
      },
      signal,
    });
    if (made.status === 201) return { ok: true, made: true };
    if (made.status !== 409) return refused(made.status, made.body);
    const answer = await client.request({ method: "GET", path, signal });
    if (answer.status !== 200 || !isRawObject(answer.body)) return refused(answer.status, answer.body);
    if (!isOwnedBy(answer.body, uid)) return { ok: false, reason: "NotOwned" };
    if (answer.body.metadata.labels?.[CREDENTIAL_LABEL] === "key") return { ok: true, made: false };
    // Ours, but its label was taken off: put it back. Labels may change in an immutable Secret too.
    const labelled = await client.request({
      method: "PATCH",
      path,
      contentType: "application/merge-patch+json",
      body: {
        metadata: {
          resourceVersion: answer.body.metadata.resourceVersion,
          labels: { [CREDENTIAL_LABEL]: "key" },
        },
      },
      signal,
    });
    return labelled.status === 200 ? { ok: true, made: false } : refused(labelled.status, labelled.body);
  } catch (error) {
    return { ok: false, reason: "Unavailable", message: causeOf(error) };
  }
}

function isOwnedBy(raw: RawObject, uid: string): boolean {
  return raw.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === uid) ?? false;
}

function refused(status: number, body: unknown): EnsureResult {
  const { reason, message } = refusalOf(status, body);
  const ours = status >= 400 && status < 500 && status !== 401 && status !== 429;
  return { ok: false, reason: ours ? "Refused" : "Unavailable", message: `${reason}: ${message}` };
}
