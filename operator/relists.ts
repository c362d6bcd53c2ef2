// Lists as they are read, piece by piece, and the guard over them. In: pieces of a list and its end. Out: what changed in the store.
// A list that would drop most of what it covers is more likely wrong than true: what it brings is taken, what vanished is held until an
// administrator confirms it, or it is seen again.
import { hash } from "node:crypto";
import type { Kind, Ref, StoredObject } from "./objects.ts";
import { refOf } from "./objects.ts";
import type { Store } from "./store.ts";

/** A list that drops no more than so many objects is believed. */
const FEW = 20;
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
  take(objects: readonly StoredObject[]): Taken;
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

export function createRelists(store: Store): Relists {
  /** Of each list that is being read, how many objects there were when it began, but for those held. */
  const listings = new Map<string, number>();
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
      const prefix = namespace === undefined ? "" : refOf(kind, namespace, "");
      const held = Array.from(heldByKind.get(kind) ?? []).filter((ref) => ref.startsWith(prefix)).length;
      listings.set(scopeId(scope), store.unsee(kind, namespace) - held);
    },
    take(objects) {
      const changed: Ref[] = [];
      const stored: Ref[] = [];
      const released: Ref[] = [];
      for (const object of objects) {
        const ref = refOf(object.kind, object.metadata.namespace, object.metadata.name);
        store.see(ref);
        if (release(ref)) released.push(ref);
        if (store.has(object)) continue;
        if (store.set(object)) changed.push(ref);
        stored.push(ref);
      }
      return { changed, stored, released };
    },
    end(scope) {
      const { kind, namespace } = scope;
      const covered = listings.get(scopeId(scope));
      if (covered === undefined) return { dropped: [], held: [] };
      listings.delete(scopeId(scope));
      const known = heldOf(kind);
      // What is held already stays so, whatever this list is like.
      const vanished = store.unseen(kind, namespace).filter((ref) => !known.has(ref));
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

function describe(kind: Kind, refs: ReadonlySet<Ref>): HeldKind {
  const names = Array.from(refs, (ref) => ref.slice(kind.length + 1)).sort();
  const id = hash("sha256", `${kind}\n${names.join("\n")}`, "hex").slice(0, 12);
  return { id, kind, count: names.length, names: names.slice(0, SHOWN) };
}
