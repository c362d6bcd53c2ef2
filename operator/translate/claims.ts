// Who has what only one may have: public names, tokens. In: claims of objects. Out: the holder, the oldest of the claimants.
import type { Metadata, Ref } from "../objects.ts";
import type { ObjectName } from "./lookup.ts";

export interface Claims {
  /** What an object claims now; undefined: nothing. Gives the claims that have another holder than before. */
  set(claimant: Ref, claim: string | undefined, metadata: Metadata | undefined): string[];
  holder(claim: string): ObjectName | undefined;
  clear(): void;
}

interface Claimant {
  readonly created: number;
  readonly namespace: string;
  readonly name: string;
}

/** The oldest wins by creationTimestamp, then the first by `{namespace}/{name}`. */
export function createClaims(): Claims {
  const claimByRef = new Map<Ref, string>();
  const claimantsByClaim = new Map<string, Map<Ref, Claimant>>();
  const holders = new Map<string, Claimant>();

  /** Picks the holder anew. True if it is another one. */
  const decide = (claim: string): boolean => {
    const before = holders.get(claim);
    let first: Claimant | undefined;
    for (const claimant of claimantsByClaim.get(claim)?.values() ?? []) {
      if (first === undefined || precedes(claimant, first)) first = claimant;
    }
    if (first === undefined) holders.delete(claim);
    else holders.set(claim, first);
    return before?.namespace !== first?.namespace || before?.name !== first?.name;
  };

  return {
    set(ref, claim, metadata) {
      const before = claimByRef.get(ref);
      const touched = new Set<string>();
      if (before !== undefined && before !== claim) {
        const claimants = claimantsByClaim.get(before);
        claimants?.delete(ref);
        if (claimants?.size === 0) claimantsByClaim.delete(before);
        claimByRef.delete(ref);
        touched.add(before);
      }
      if (claim !== undefined && metadata !== undefined) {
        const { namespace, name, creationTimestamp } = metadata;
        // A time that cannot be read wins nothing from one that can.
        const parsed = Date.parse(creationTimestamp);
        const created = Number.isNaN(parsed) ? Number.POSITIVE_INFINITY : parsed;
        const claimants = claimantsByClaim.get(claim) ?? new Map<Ref, Claimant>();
        const own = claimants.get(ref);
        if (own?.created !== created) {
          claimantsByClaim.set(claim, claimants.set(ref, { created, namespace, name }));
          claimByRef.set(ref, claim);
          touched.add(claim);
        }
      }
      return [...touched].filter(decide);
    },
    holder: (claim) => holders.get(claim),
    clear() {
      claimByRef.clear();
      claimantsByClaim.clear();
      holders.clear();
    },
  };
}

function precedes(a: Claimant, b: Claimant): boolean {
  if (a.created !== b.created) return a.created < b.created;
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}`;
}
