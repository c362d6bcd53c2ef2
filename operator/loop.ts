// The one loop of the operator. In: changes of all kinds as they are read. Out: the store kept up to them, and, once every kind has been
// read, what changed translated, published and handed to statuses. Changes that arrive together are translated together.
import type { Log } from "../process/log.ts";
import type { RowChange } from "../proxy/table/contract.ts";
import type { KindChange } from "./kube/reflector.ts";
import { refOf } from "./objects.ts";
import type { Kind, Ref, StoredObject } from "./objects.ts";
import type { Store } from "./store.ts";
import type { ObjectResult, TranslateOutput } from "./translate/result.ts";

/** One list and watch: a kind in one namespace, or in all. */
export interface Scope {
  readonly kind: Kind;
  readonly namespace?: string | undefined;
}

export interface LoopDeps {
  readonly store: Store;
  readonly translation: { update(refs: Iterable<Ref>): TranslateOutput; rebuild(lost?: boolean): TranslateOutput };
  readonly publisher: { apply(changes: readonly RowChange[]): number; open(): void };
  readonly status: {
    results(results: readonly ObjectResult[], sequence: number): void;
    removed(ref: Ref): void;
    stored(ref: Ref): void;
  };
  /** Told what changed in the store, after it was translated. */
  readonly onTurn: (refs: ReadonlySet<Ref>, results: readonly ObjectResult[]) => void;
  /** Everything that must have been listed before anything is published. */
  readonly scopes: readonly Scope[];
  /** Milliseconds of a clock that never steps. */
  readonly now: () => number;
  readonly log: Log;
  readonly translated: (seconds: number) => void;
}

export interface Loop {
  take(scope: Scope, change: KindChange): void;
  isSynced(kind: Kind): boolean;
  /** Every kind has been read. */
  readonly synced: boolean;
  /** Kinds that have not been read yet. */
  readonly missing: readonly Kind[];
}

export function createLoop(deps: LoopDeps): Loop {
  const { store, translation, publisher, status, log, now } = deps;
  const unsynced = new Set(deps.scopes.map(scopeId));
  let dirty = new Set<Ref>();
  let scheduled = false;
  /** What the next turn begins from: nothing was translated yet; what the last turn gave has arrived; it failed half way. */
  let before: "nothing" | "turn" | "failure" = "nothing";

  const turn = (): void => {
    scheduled = false;
    if (unsynced.size > 0) return;
    const refs = dirty;
    dirty = new Set();
    const startedAt = now();
    try {
      const output = before === "turn" ? translation.update(refs) : translation.rebuild(before === "failure");
      const sequence = publisher.apply(output.changes);
      for (const { kind, namespace, name } of output.removed) status.removed(refOf(kind, namespace, name));
      status.results(output.results, sequence);
      deps.onTurn(refs, output.results);
      if (before !== "turn") publisher.open();
      before = "turn";
    } catch (error) {
      // A bug. What is published stays. Everything is made anew and handed over once more: now, and if that fails too, with the next change.
      for (const ref of refs) dirty.add(ref);
      if (before === "turn") schedule();
      before = "failure";
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
    for (const ref of refs) dirty.add(ref);
    if (dirty.size > 0) schedule();
  };

  const replace = ({ kind, namespace }: Scope, objects: readonly StoredObject[]): void => {
    // A relist that would drop most of the rows is held here, once there are guards.
    const others =
      namespace === undefined ? [] : [...store.list(kind)].filter((o) => o.metadata.namespace !== namespace);
    mark(store.replace(kind, [...others, ...objects]));
    for (const { metadata } of objects) status.stored(refOf(kind, metadata.namespace, metadata.name));
  };

  return {
    take: (scope, change) => {
      switch (change.type) {
        case "replaced":
          replace(scope, change.objects);
          if (unsynced.delete(scopeId(scope)) && unsynced.size === 0) schedule();
          return;
        case "upsert": {
          const { kind, metadata } = change.object;
          const ref = refOf(kind, metadata.namespace, metadata.name);
          if (store.set(change.object)) mark([ref]);
          status.stored(ref);
          return;
        }
        case "delete": {
          const ref = refOf(scope.kind, change.namespace, change.name);
          if (store.delete(ref)) mark([ref]);
        }
      }
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

const scopeId = ({ kind, namespace = "" }: Scope): string => `${kind}/${namespace}`;
