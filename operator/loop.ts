// The one loop of the operator. In: changes of all kinds as they are read. Out: the store kept up to them, and, once every kind has been
// read, what changed translated, published and handed to statuses: in slices of a few milliseconds, so that nothing else has to wait.
import type { Log } from "../process/log.ts";
import type { Reach } from "../proxy/table/contract.ts";
import type { KindChange } from "./kube/reflector.ts";
import { refOf } from "./objects.ts";
import type { Kind, Ref } from "./objects.ts";
import { scopeId } from "./relists.ts";
import type { HeldKind, Relists, Scope } from "./relists.ts";
import type { Store } from "./store.ts";
import type { Translation } from "./translate/engine.ts";
import type { EncodedChange, ObjectResult } from "./translate/result.ts";

/** Milliseconds of translation between two turns of everything else. */
const SLICE = 4;

export interface LoopDeps {
  readonly store: Store;
  readonly relists: Relists;
  readonly translation: Pick<Translation, "mark" | "reconsider" | "work" | "rebuild" | "idle">;
  readonly publisher: { apply(changes: readonly EncodedChange[]): number; settle(): boolean; open(): void };
  readonly status: {
    results(results: readonly ObjectResult[], sequence: number): void;
    removed(ref: Ref): void;
    stored(ref: Ref): void;
  };
  /** Told what changed in the store, after it was translated. */
  readonly onTurn: (refs: ReadonlySet<Ref>, results: readonly ObjectResult[]) => void;
  /** Told whenever other objects are held than before. */
  readonly onHeld: (held: readonly HeldKind[]) => void;
  /** Everything that must have been listed before anything is published. */
  readonly scopes: readonly Scope[];
  /** Milliseconds of a clock that never steps. */
  readonly now: () => number;
  readonly log: Log;
  readonly translated: (seconds: number) => void;
}

export interface Loop {
  take(scope: Scope, change: KindChange): void;
  /** All of a scope up to this resourceVersion was given to `take`. */
  reached(scope: Scope, version: string): void;
  /**
   * How far what decides access was read and is in what was given to the publisher, and nothing later; undefined while more was read than
   * was translated, while a list is read or held, and where resourceVersions are no numbers.
   */
  readonly reach: Reach | undefined;
  /** Drops what the ids of held relists name. */
  confirm(ids: readonly string[]): void;
  isSynced(kind: Kind): boolean;
  /** Every kind has been read. */
  readonly synced: boolean;
  /** Kinds that have not been read yet. */
  readonly missing: readonly Kind[];
}

export function createLoop(deps: LoopDeps): Loop {
  const { store, relists, translation, publisher, status, log, now } = deps;
  const unsynced = new Set(deps.scopes.map(scopeId));
  /** Changed, and not yet told. */
  const dirty = new Set<Ref>();
  let scheduled = false;
  let isOpen = false;
  /** What the last turn gave may not have arrived. */
  let failed = false;

  /** By scope; none of those that are being listed. */
  const reached = new Map<string, number>();
  const deciding = deps.scopes.filter(({ kind }) => kind !== "EndpointSlice").map(scopeId);

  const reach = (): Reach | undefined => {
    if (unsynced.size > 0 || scheduled || failed || !translation.idle || relists.held().length > 0) return undefined;
    const found: Record<string, number> = {};
    for (const id of deciding) {
      const version = reached.get(id);
      if (version === undefined) return undefined;
      found[id] = version;
    }
    return found;
  };

  const turn = (): void => {
    scheduled = false;
    if (unsynced.size > 0) return;
    const startedAt = now();
    try {
      const output = failed ? translation.rebuild(true) : translation.work(() => now() - startedAt >= SLICE);
      const refs = new Set(failed ? dirty : output.refs.filter((ref) => dirty.has(ref)));
      const sequence = publisher.apply(output.changes);
      for (const { kind, namespace, name } of output.removed) status.removed(refOf(kind, namespace, name));
      status.results(output.results, sequence);
      if (!isOpen && translation.idle && publisher.settle()) {
        publisher.open();
        isOpen = true;
      }
      deps.onTurn(refs, output.results);
      for (const ref of refs) dirty.delete(ref);
      failed = false;
      if (!translation.idle || !isOpen) schedule();
    } catch (error) {
      // A bug. What is published stays. Everything is made anew and handed over once more: now, and if that fails too, with the next change.
      if (!failed) schedule();
      failed = true;
      log.error({ err: error }, "translation failed; what is published stays as it is");
    }
    deps.translated((now() - startedAt) / 1000);
  };

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  };

  const mark = (refs: Iterable<Ref>): void => {
    let any = false;
    for (const ref of refs) {
      dirty.add(ref);
      any = true;
    }
    if (!any) return;
    translation.mark(refs);
    schedule();
  };

  /** Those that depend on what is held, or is so no longer, say so in their conditions. */
  const hold = (refs: readonly Ref[]): void => {
    if (refs.length === 0) return;
    translation.reconsider(refs);
    schedule();
    deps.onHeld(relists.held());
  };

  const end = (scope: Scope): void => {
    const { dropped, held } = relists.end(scope);
    mark(dropped);
    if (held.length > 0) {
      const { kind, namespace } = scope;
      log.error(
        { kind, ...(namespace === undefined ? {} : { namespace }), objects: held.length, kept: store.size(kind) },
        "a list lacks most of what was there: it is held until it is confirmed with parley confirm",
      );
    }
    hold(held);
    if (unsynced.delete(scopeId(scope)) && unsynced.size === 0) schedule();
  };

  return {
    take: (scope, change) => {
      switch (change.type) {
        case "listing":
          reached.delete(scopeId(scope));
          relists.begin(scope);
          return;
        case "listed": {
          const { changed, stored, released } = relists.take(change.objects);
          mark(changed);
          for (const ref of stored) status.stored(ref);
          hold(released);
          return;
        }
        case "replaced":
          end(scope);
          return;
        case "upsert": {
          const { kind, metadata } = change.object;
          const ref = refOf(kind, metadata.namespace, metadata.name);
          if (store.set(change.object)) mark([ref]);
          status.stored(ref);
          if (relists.release(ref)) hold([ref]);
          return;
        }
        case "delete": {
          const ref = refOf(scope.kind, change.namespace, change.name);
          if (store.delete(ref)) mark([ref]);
          if (relists.release(ref)) hold([ref]);
        }
      }
    },
    reached: (scope, version) => {
      if (/^[0-9]{1,15}$/.test(version)) reached.set(scopeId(scope), Number(version));
      else reached.delete(scopeId(scope));
    },
    get reach() {
      return reach();
    },
    confirm: (ids) => {
      const dropped = relists.confirm(ids);
      if (dropped.length === 0) return;
      log.warn({ ids, objects: dropped.length }, "a held relist was confirmed: its objects are dropped");
      mark(dropped);
      hold(dropped);
    },
    isSynced: (kind) => !deps.scopes.some((scope) => scope.kind === kind && unsynced.has(scopeId(scope))),
    get synced() {
      return unsynced.size === 0;
    },
    get missing() {
      return [...new Set(deps.scopes.filter((scope) => unsynced.has(scopeId(scope))).map(({ kind }) => kind))];
    },
  };
}
