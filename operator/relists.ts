// Lists as they are read, piece by piece, and the guard over them. In: pieces of a list and its end. Out: what changed in the store.
// A list that would drop most of what it covers is more likely wrong than true: what it brings is taken, what vanished is held until an
// administrator confirms it, or it is seen again.
import { hash } from "node:crypto";
import type { Kind, Ref, StoredObject } from "./objects.ts";
import { refOf } from "./objects.ts";
import type { Store } from "./store.ts";
import { createTextMap } from "./text-map.ts";
import type { TextMap } from "./text-map.ts";

/** A list that drops no more than so many objects is believed. */
const FEW = 20;
/** References noted with each piece of a list: half a millisecond. */
const NOTED = 2_000;
/** Names that an administrator is shown of each kind. */
const SHOWN = 10;

/** One list and watch: a kind in one namespace, or in all. */
export interface Scope {
  readonly kind: Kind;
  readonly namespace?: string | undefined;
}

/** What is held of one kind. */
export interface HeldKind {
  /** Names exactly these objects: the same wherever the same are held. */
  readonly id: string;
  readonly kind: Kind;
  readonly count: number;
  /** `{namespace}/{name}` of the first. */
  readonly names: readonly string[];
}

export interface Taken {
  /** New, or changed in what matters. */
  readonly changed: readonly Ref[];
  /** Not as it was, be it in its status alone. */
  readonly stored: readonly Ref[];
  /** Held until now. */
  readonly released: readonly Ref[];
}

export interface Relists {
  /** A list begins; what came of one that did not end counts for nothing. */
  begin(scope: Scope): void;
  /** Takes a piece of a list into the store. */
  take(scope: Scope, objects: readonly StoredObject[]): Taken;
  /** The list is whole. `dropped`: deleted from the store; `held`: newly held. The first list of a scope drops nothing. */
  end(scope: Scope): { readonly dropped: readonly Ref[]; readonly held: readonly Ref[] };
  /** It is there, or a watch saw it go. True if it was held. */
  release(ref: Ref): boolean;
  isHeld(ref: Ref): boolean;
  count(kind: Kind): number;
  /** Sorted by kind. */
  held(): readonly HeldKind[];
  /** Drops what an id names. Gives what was dropped. */
  confirm(ids: readonly string[]): readonly Ref[];
}

/** What the store had when a list began, without what the list has brought so far. */
interface Listing {
  /** By reference, each an empty text. */
  readonly refs: TextMap;
  /** How many there were, but for those held. */
  readonly covered: number;
  /** Not noted in `refs` yet: a walk over the store. Undefined: everything is noted. */
  rest: Iterator<Ref> | undefined;
  /** What the list has brought while there was a rest, in which it may be; noted or not: one that is kept elsewhere since comes twice. */
  readonly brought: Set<Ref>;
}

export function createRelists(store: Store): Relists {
  const missing = new Map<string, Listing>();
  const heldByKind = new Map<Kind, Set<Ref>>();
  let told: readonly HeldKind[] | undefined;

  const heldOf = (kind: Kind): Set<Ref> => {
    const known = heldByKind.get(kind) ?? new Set<Ref>();
    heldByKind.set(kind, known);
    return known;
  };
  const release = (ref: Ref): boolean => {
    for (const refs of heldByKind.values()) {
      if (!refs.delete(ref)) continue;
      told = undefined;
      return true;
    }
    return false;
  };
  const held = (): readonly HeldKind[] =>
    (told ??= [...heldByKind]
      .filter(([, refs]) => refs.size > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, refs]) => describe(kind, refs)));

  return {
    begin(scope) {
      const { kind, namespace } = scope;
      const prefix = namespace === undefined ? undefined : refOf(kind, namespace, "");
      const isIn = (ref: Ref): boolean => prefix === undefined || ref.startsWith(prefix);
      const refs = createTextMap();
      if (prefix !== undefined) for (const ref of store.refs(kind)) if (isIn(ref)) refs.set(ref, "");
      const held = Array.from(heldByKind.get(kind) ?? []).filter(isIn).length;
      missing.set(scopeId(scope), {
        refs,
        covered: (prefix === undefined ? store.size(kind) : refs.size) - held,
        rest: prefix === undefined ? store.refs(kind)[Symbol.iterator]() : undefined,
        brought: new Set(),
      });
    },
    take(scope, objects) {
      const listing = missing.get(scopeId(scope));
      const changed: Ref[] = [];
      const stored: Ref[] = [];
      const released: Ref[] = [];
      for (const object of objects) {
        const ref = refOf(object.kind, object.metadata.namespace, object.metadata.name);
        listing?.refs.delete(ref);
        if (listing?.rest !== undefined) listing.brought.add(ref);
        if (release(ref)) released.push(ref);
        if (store.has(object)) continue;
        if (store.set(object)) changed.push(ref);
        stored.push(ref);
      }
      if (listing !== undefined) note(listing, NOTED);
      return { changed, stored, released };
    },
    end(scope) {
      const listing = missing.get(scopeId(scope));
      if (listing !== undefined) note(listing, Number.POSITIVE_INFINITY);
      const refs = listing?.refs.names() ?? [];
      const covered = listing?.covered ?? 0;
      missing.delete(scopeId(scope));
      const known = heldOf(scope.kind);
      // What is held already stays so, whatever this list is like.
      const vanished = [...refs].filter((ref) => !known.has(ref));
      if (vanished.length > FEW && vanished.length * 2 > covered) {
        for (const ref of vanished) known.add(ref);
        told = undefined;
        return { dropped: [], held: vanished };
      }
      for (const ref of vanished) store.delete(ref);
      return { dropped: vanished, held: [] };
    },
    release,
    isHeld: (ref) => heldByKind.get(ref.slice(0, ref.indexOf("/")) as Kind)?.has(ref) ?? false,
    count: (kind) => heldByKind.get(kind)?.size ?? 0,
    held,
    confirm(ids) {
      const dropped: Ref[] = [];
      for (const { id, kind } of held()) {
        if (!ids.includes(id)) continue;
        for (const ref of heldOf(kind)) {
          store.delete(ref);
          // A list that is being read began with it.
          for (const { refs } of missing.values()) refs.delete(ref);
          dropped.push(ref);
        }
        heldByKind.delete(kind);
      }
      told = undefined;
      return dropped;
    },
  };
}

/** By which a scope is told apart. */
export const scopeId = ({ kind, namespace = "" }: Scope): string => `${kind}/${namespace}`;

/** Notes so many of the rest. */
function note(listing: Listing, most: number): void {
  const { refs, brought } = listing;
  for (let left = most; left > 0 && listing.rest !== undefined; left -= 1) {
    const next = listing.rest.next();
    if (next.done === true) {
      listing.rest = undefined;
      brought.clear();
    } else if (!brought.has(next.value)) refs.set(next.value, "");
  }
}

function describe(kind: Kind, refs: ReadonlySet<Ref>): HeldKind {
  const names = Array.from(refs, (ref) => ref.slice(kind.length + 1)).sort();
  const id = hash("sha256", `${kind}\n${names.join("\n")}`, "hex").slice(0, 12);
  return { id, kind, count: names.length, names: names.slice(0, SHOWN) };
}
