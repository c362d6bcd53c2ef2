// Agents, keys and Secrets as texts, which is how they are kept: as objects each would be two dozen values in the heap, held for the few
// moments in which somebody reads them. In: an object as it was read. Out: one text of it, and from that the object again, equal to what went in.
import type { AgentObject, KeyObject, Metadata, SecretObject } from "./objects.ts";

export type PackedObject = AgentObject | KeyObject | SecretObject;

export interface Packer {
  pack(object: PackedObject): string;
  /** @param kind, namespace, name are not part of the text */
  unpack<K extends PackedObject["kind"]>(
    kind: K,
    namespace: string,
    name: string,
    text: string,
  ): PackedObject & { readonly kind: K };
}

type Condition = NonNullable<NonNullable<(AgentObject | KeyObject)["status"]>["conditions"]>[number];
/** What a condition says, as the number under which it is known, and what varies from object to object; or the condition as it is. */
type PackedCondition = readonly [said: number, observedGeneration: number, lastTransitionTime: string] | Condition;
type Parts = readonly [
  uid: string,
  resourceVersion: string,
  metadata: readonly [
    generation: number,
    creationTimestamp: string,
    labels: Metadata["labels"],
    deletionTimestamp?: string,
  ],
  members: Readonly<Record<string, unknown>>,
  conditions?: readonly PackedCondition[],
];

/** So many wordings are known by number: nearly all conditions of all objects say the same few things. */
const MOST_WORDINGS = 1024;

export function createPacker(): Packer {
  const numbers = new Map<string, number>();
  const wordings: Readonly<Record<string, unknown>>[] = [];

  const packCondition = (condition: Condition): PackedCondition => {
    const { observedGeneration, lastTransitionTime, ...wording } = condition;
    if (observedGeneration === undefined) return condition;
    const text = JSON.stringify(wording);
    let number = numbers.get(text);
    if (number === undefined) {
      if (wordings.length === MOST_WORDINGS) return condition;
      number = wordings.push(wording) - 1;
      numbers.set(text, number);
    }
    return [number, observedGeneration, lastTransitionTime];
  };
  const unpackCondition = (packed: PackedCondition): Condition => {
    if (!isNumbered(packed)) return packed;
    const [said, observedGeneration, lastTransitionTime] = packed;
    return { ...wordings[said], observedGeneration, lastTransitionTime } as Condition;
  };

  return {
    pack(object) {
      const { kind: _, metadata, ...members } = object;
      const { uid, resourceVersion, generation, creationTimestamp, labels, deletionTimestamp } = metadata;
      const own = [generation, creationTimestamp, labels] as const;
      const status = "status" in members ? members.status : undefined;
      const parts: Parts = [
        uid,
        resourceVersion,
        deletionTimestamp === undefined ? own : [...own, deletionTimestamp],
        // Conditions come after all else.
        status?.conditions === undefined ? members : { ...members, status: { ...status, conditions: undefined } },
        ...(status?.conditions === undefined ? ([] as const) : ([status.conditions.map(packCondition)] as const)),
      ];
      return JSON.stringify(parts);
    },
    unpack<K extends PackedObject["kind"]>(kind: K, namespace: string, name: string, text: string) {
      const [uid, resourceVersion, own, members, conditions] = JSON.parse(text) as Parts;
      const [generation, creationTimestamp, labels, deletionTimestamp] = own;
      const metadata = { namespace, name, uid, generation, resourceVersion, creationTimestamp, labels };
      const { status } = members;
      // A text comes from `pack` alone.
      return {
        kind,
        metadata: deletionTimestamp === undefined ? metadata : { ...metadata, deletionTimestamp },
        ...members,
        ...(conditions === undefined
          ? {}
          : { status: { ...(status as object), conditions: conditions.map(unpackCondition) } }),
      } as unknown as PackedObject & { readonly kind: K };
    },
  };
}

/** Whether a text is of the object with this uid and resourceVersion: seen from its beginning. */
export const isOf = (text: string, { uid, resourceVersion }: Pick<Metadata, "uid" | "resourceVersion">): boolean =>
  text.startsWith(`${JSON.stringify([uid, resourceVersion]).slice(0, -1)},`);

const isNumbered = (packed: PackedCondition): packed is Extract<PackedCondition, readonly unknown[]> =>
  Array.isArray(packed);
