// How held relists are told to people, and how people's word comes back. In: what is held, the Lease as it is seen. Out: annotations of
// the Lease and an Event, by its holder; a note in readiness; what was confirmed, to every operator.
import type { Annotations } from "./kube/lease.ts";
import type { HeldKind } from "./relists.ts";

/** On the Lease, by its holder: what is held, as JSON. */
export const HELD_ANNOTATION = "parley.dev/held-relist";
/** On the Lease, by an administrator: ids of what may be dropped, separated by commas. */
export const CONFIRMED_ANNOTATION = "parley.dev/confirmed-relist";
/** Milliseconds after which a confirmation is taken off the Lease: every operator has seen it, and it must not speak for a later list. */
const CONFIRMED_FOR = 60_000;

export interface HeldDeps {
  readonly confirm: (ids: readonly string[]) => void;
  /** Where it is told, and confirmed. */
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Tells people, beside the Lease. */
  readonly warn: (note: string) => void;
  /** Milliseconds of a clock that never steps. */
  readonly now: () => number;
}

export interface Held {
  /** Other objects are held than before. */
  set(held: readonly HeldKind[]): void;
  /** The Lease was read or written. */
  seen(annotations: Annotations): void;
  /** What its holder writes in place of these annotations. */
  annotate(annotations: Annotations): Annotations;
  /** Short sentences. */
  notes(): readonly string[];
}

export function createHeld(deps: HeldDeps): Held {
  let held: readonly HeldKind[] = [];
  let confirmed: { readonly text: string; readonly at: number } | undefined;
  let warned = "";

  return {
    set: (now) => {
      held = now;
    },
    seen(annotations) {
      const text = annotations[CONFIRMED_ANNOTATION];
      if (text === undefined) confirmed = undefined;
      else if (text !== confirmed?.text) confirmed = { text, at: deps.now() };
      if (text !== undefined && held.length > 0) deps.confirm(text.split(","));
    },
    annotate(annotations) {
      const next: Record<string, string> = { ...annotations };
      delete next[HELD_ANNOTATION];
      if (held.length > 0) next[HELD_ANNOTATION] = JSON.stringify(held);
      if (confirmed !== undefined && deps.now() - confirmed.at >= CONFIRMED_FOR) delete next[CONFIRMED_ANNOTATION];
      const note = held.map(sentenceOf).join(" ");
      if (note !== warned && note !== "") {
        const { namespace, name } = deps.lease;
        deps.warn(`${note} See what it is, and drop it, with parley confirm --namespace=${namespace} --lease=${name}.`);
      }
      warned = note;
      return next;
    },
    notes: () => held.map(sentenceOf),
  };
}

const sentenceOf = ({ kind, count, id }: HeldKind): string =>
  `${count} objects of kind ${kind} are held: a list lacked them (${id}).`;

/** Reads HELD_ANNOTATION; undefined: it is of a form that this release does not know. */
export function parseHeld(text: string): readonly HeldKind[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every(isHeldKind) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isHeldKind(value: unknown): value is HeldKind {
  if (typeof value !== "object" || value === null) return false;
  const { id, kind, count, names } = value as Record<string, unknown>;
  return (
    typeof id === "string" &&
    /^[0-9a-f]{12}$/.test(id) &&
    typeof kind === "string" &&
    typeof count === "number" &&
    Array.isArray(names) &&
    names.every((name) => typeof name === "string")
  );
}
