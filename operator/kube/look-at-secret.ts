// Tells a Secret that is missing from one that only lacks the label. In: its name. Out: which of the two, by one GET.
import { CREDENTIAL_LABEL } from "../../crds/secret.ts";
import type { KubeClient } from "./client.ts";
import { isRawObject } from "./reduce.ts";
import { objectPath } from "./resources.ts";

export type SecretLook = "missing" | "not-labelled" | "labelled" | "unknown";

/** Nothing of the Secret but its labels is kept. Never throws: `unknown` when the API server did not say. */
export async function lookAtSecret(
  client: Pick<KubeClient, "request">,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<SecretLook> {
  try {
    const answer = await client.request({ method: "GET", path: objectPath("Secret", namespace, name), signal });
    if (answer.status === 404) return "missing";
    if (answer.status !== 200 || !isRawObject(answer.body)) return "unknown";
    return answer.body.metadata.labels?.[CREDENTIAL_LABEL] === undefined ? "not-labelled" : "labelled";
  } catch {
    return "unknown";
  }
}
