// Agents, keys and Secrets as texts, which is how they are kept: as objects each would be two dozen values in the heap, held for the few
// moments in which somebody reads them. In: an object as it was read. Out: one text of it, and from that the object again, equal to what went in.
import type { AgentObject, KeyObject, Metadata, SecretObject } from "./objects.ts";
import { createNumbered } from "./numbered.ts";
import { createShapes } from "./shapes.ts";
import type { Json, Split } from "./shapes.ts";

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
type Wording = Omit<Condition, "observedGeneration" | "lastTransitionTime">;
/**
 * What a condition says, as the number under which it is known, and its generation and time; the number alone: these are as before it; or
 * the condition as it is.
 */
type PackedCondition =
  | readonly [said: number, observedGeneration: number, lastTransitionTime: string]
  | number
  | Condition;
/** What is packed but for uid and resourceVersion. */
type Parts = readonly [
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
  const shapes = createShapes();
  const wordings = createNumbered(MOST_WORDINGS, (text) => JSON.parse(text) as Wording);

  const packConditions = (conditions: readonly Condition[]): PackedCondition[] => {
    let last: Pick<Condition, "observedGeneration" | "lastTransitionTime"> | undefined;
    return conditions.map((condition) => {
      const { observedGeneration, lastTransitionTime, ...wording } = condition;
      const said = observedGeneration === undefined ? undefined : wordings.numberOf(JSON.stringify(wording));
      if (observedGeneration === undefined || said === undefined) return condition;
      const same = last?.observedGeneration === observedGeneration && last.lastTransitionTime === lastTransitionTime;
      last = { observedGeneration, lastTransitionTime };
      return same ? said : [said, observedGeneration, lastTransitionTime];
    });
  };
  const unpackConditions = (packed: readonly PackedCondition[]): Condition[] => {
    // The first that has a number alone comes behind one that has them.
    let last = { observedGeneration: 0, lastTransitionTime: "" };
    return packed.map((one) => {
      if (isNumbered(one)) last = { observedGeneration: one[1], lastTransitionTime: one[2] };
      else if (typeof one !== "number") return one;
      return { ...wordings.valueOf(typeof one === "number" ? one : one[0]), ...last };
    });
  };

  return {
    pack(object) {
      const { kind: _, metadata, ...members } = object;
      const { uid, resourceVersion, generation, creationTimestamp, labels, deletionTimestamp } = metadata;
      const own = [generation, creationTimestamp, labels] as const;
      const status = "status" in members ? members.status : undefined;
      const parts: Parts = [
        deletionTimestamp === undefined ? own : [...own, deletionTimestamp],
        // Conditions come after all else.
        status?.conditions === undefined ? members : { ...members, status: { ...status, conditions: undefined } },
        ...(status?.conditions === undefined ? ([] as const) : ([packConditions(status.conditions)] as const)),
      ];
      return `${identityOf({ uid, resourceVersion })}${encode(shapes.split(parts as unknown as Json))}`;
    },
    unpack<K extends PackedObject["kind"]>(kind: K, namespace: string, name: string, text: string) {
      // A text comes from `pack` alone.
      const begin = text.indexOf(BREAK);
      const identity = JSON.parse(text.slice(0, begin)) as string;
      const end = identity.lastIndexOf(" ");
      const [uid, resourceVersion] = [identity.slice(0, end), identity.slice(end + 1)];
      const [own, members, conditions] = shapes.join(decode(text.slice(begin + 1))) as unknown as Parts;
      const [generation, creationTimestamp, labels, deletionTimestamp] = own;
      const metadata = { namespace, name, uid, generation, resourceVersion, creationTimestamp, labels };
      const { status } = members;
      return {
        kind,
        metadata: deletionTimestamp === undefined ? metadata : { ...metadata, deletionTimestamp },
        ...members,
        ...(conditions === undefined
          ? {}
          : { status: { ...(status as object), conditions: unpackConditions(conditions) } }),
      } as unknown as PackedObject & { readonly kind: K };
    },
  };
}

/** Whether a text is of the object with this uid and resourceVersion: seen from its beginning. */
export const isOf = (text: string, identity: Pick<Metadata, "uid" | "resourceVersion">): boolean =>
  text.startsWith(identityOf(identity));

/** Between two parts, and before a number: JSON has neither as it is. */
const [BREAK, NUMBER] = ["\u001f", "\u0001"];
/** What cannot stand in a text as it is: those, and half of a surrogate pair, which has no bytes. */
// oxlint-disable-next-line no-control-regex -- They are what is looked for.
const MARKS = /[\u0001\u001f\ud800-\udfff]/u;

const identityOf = ({ uid, resourceVersion }: Pick<Metadata, "uid" | "resourceVersion">): string =>
  `${JSON.stringify(`${uid} ${resourceVersion}`)}${BREAK}`;

/** Not as JSON, where it can be: that is longer, and V8 enters each short text that it reads in JSON into a table of its own. */
function encode(split: Split): string {
  const parts: string[] = [];
  for (const part of split) {
    if (typeof part === "number") parts.push(`${NUMBER}${part}`);
    else if (typeof part === "string" && !MARKS.test(part)) parts.push(part);
    else return JSON.stringify(split);
  }
  return parts.join(BREAK);
}

/** The number of a shape comes first where it is not JSON. */
function decode(text: string): Split {
  if (!text.startsWith(NUMBER)) return JSON.parse(text) as Split;
  const parts = text.split(BREAK).map((part) => (part.startsWith(NUMBER) ? Number(part.slice(1)) : part));
  return parts as unknown as Split;
}

const isNumbered = (packed: PackedCondition): packed is Extract<PackedCondition, readonly unknown[]> =>
  Array.isArray(packed);
