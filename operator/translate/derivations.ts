// Keeps what was derived, while somebody reads it. In: which one is wanted, what changed. Out: states, and rows that may differ.
import { isDeepStrictEqual } from "node:util";
import type { Row, RowId } from "../../proxy/table/contract.ts";
import type { Derived, DerivedLookup } from "./derived.ts";
import type { Reads } from "./reads.ts";

export interface Derivations {
  /** The state of a derivation, which is made if it is not there yet. */
  state<State>(derived: Derived<State>): State;
  has(id: string): boolean;
  /** Makes it again. True if those who read it would see another state. */
  remake(id: string): boolean;
  drop(id: string): void;
  clear(): void;
}

export interface DerivationsDeps {
  readonly reads: Reads;
  /** A look-up that notes into `facts` what is read. */
  lookup(facts: Set<string>): DerivedLookup;
  /** Told of every row that was made or dropped; it may be equal to what it was. */
  onRow(id: RowId, row: Row | null): void;
}

interface Kept {
  readonly derived: Derived<unknown>;
  readonly state: unknown;
}

export function createDerivations(deps: DerivationsDeps): Derivations {
  const kept = new Map<string, Kept>();

  const make = (derived: Derived<unknown>): unknown => {
    const facts = new Set<string>();
    const { state, row } = derived.make(deps.lookup(facts));
    deps.reads.set(derived.id, facts);
    kept.set(derived.id, { derived, state });
    deps.onRow(derived.id, row);
    return state;
  };

  return {
    // The state was made by the same `derived`, so it is of its type.
    state: <State>(derived: Derived<State>) =>
      (kept.has(derived.id) ? kept.get(derived.id)?.state : make(derived)) as State,
    has: (id) => kept.has(id),
    remake(id) {
      const before = kept.get(id);
      return before !== undefined && !isDeepStrictEqual(make(before.derived), before.state);
    },
    drop(id) {
      if (!kept.delete(id)) return;
      deps.reads.set(id, new Set());
      deps.onRow(id, null);
    },
    clear: () => kept.clear(),
  };
}
