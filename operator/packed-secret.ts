// Secrets of virtual keys as they are kept: of a hundred thousand, objects and strings of their own would take five times as much.
// In: a Secret as it was read. Out: one text of all that is its own, and from that the Secret again, equal to what went in.
import type { Ref, SecretObject } from "./objects.ts";
import type { TokenFacts } from "./token-facts.ts";

/** JSON, as whoever owns a Secret may write what they like into it. */
export type PackedSecret = string;

type Parts = readonly [
  uid: string,
  generation: number,
  resourceVersion: string,
  creationTimestamp: string,
  controller: string,
  tokens: readonly (readonly [key: string, sha256: string, fault?: TokenFacts["fault"]])[],
];

/** Tokens that a Secret may have: it is unpacked anew for each key that reads one of them. */
const MOST_TOKENS = 4;

/** Undefined: it is to be kept as it is, since more is known of it, or other things, or many keys read it. */
export function packSecret({ metadata, credential, controller, data, tokens }: SecretObject): PackedSecret | undefined {
  if (tokens === undefined || controller === undefined || credential !== "key") return undefined;
  if (metadata.deletionTimestamp !== undefined || !isEmpty(metadata.labels) || !isEmpty(data)) return undefined;
  const entries = Object.entries(tokens);
  if (entries.length > MOST_TOKENS) return undefined;
  const { uid, generation, resourceVersion, creationTimestamp } = metadata;
  const facts = entries.map(
    ([key, { sha256, fault }]) => (fault === undefined ? [key, sha256] : [key, sha256, fault]) as Parts[5][number],
  );
  return JSON.stringify([uid, generation, resourceVersion, creationTimestamp, controller, facts] satisfies Parts);
}

/** @param ref of the Secret */
export function unpackSecret(ref: Ref, packed: PackedSecret): SecretObject {
  const [, namespace = "", name = ""] = ref.split("/");
  const [uid, generation, resourceVersion, creationTimestamp, controller, facts] = JSON.parse(packed) as Parts;
  return {
    kind: "Secret",
    metadata: { namespace, name, uid, generation, resourceVersion, creationTimestamp, labels: NONE },
    credential: "key",
    controller,
    data: NONE,
    // Not by assignment: a key may be called `__proto__`.
    tokens: Object.fromEntries(
      facts.map(([key, sha256, fault]) => [key, fault === undefined ? { sha256 } : { sha256, fault }]),
    ),
  };
}

const NONE: Readonly<Record<string, never>> = Object.freeze({});
const isEmpty = (record: Readonly<Record<string, string>>): boolean => Object.keys(record).length === 0;
