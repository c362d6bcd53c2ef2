// One key of an upstream Secret. In: the Secret. Out: the row with its value, or why there is none.
import type { CredentialRow } from "../../proxy/table/contract.ts";
import type { SecretObject } from "../objects.ts";
import type { CredentialState } from "./lookup.ts";

export interface TranslatedCredential {
  readonly state: CredentialState;
  readonly row: CredentialRow | null;
}

/** What may stand in a header (RFC 9110, section 5.5), in ASCII and without blanks at its ends. */
const FIELD_VALUE = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;

export function translateCredential(secret: SecretObject | undefined, key: string): TranslatedCredential {
  if (secret === undefined) return missing("SecretNotFound");
  // A virtual key must never go to a URL that somebody else chose.
  if (secret.credential !== "upstream") return missing("SecretNotLabelled");
  const value = Object.hasOwn(secret.data, key) ? secret.data[key] : undefined;
  if (value === undefined || value === "") return missing("CredentialKeyMissing");
  if (!FIELD_VALUE.test(value)) return missing("CredentialInvalid");
  return { state: { ok: true }, row: { value } };
}

const missing = (reason: Exclude<CredentialState, { ok: true }>["reason"]): TranslatedCredential => ({
  state: { ok: false, reason },
  row: null,
});
