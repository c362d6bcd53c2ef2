// Who has what only one may have: public names, tokens. In: claims of objects. Out: the holder, the oldest of the claimants.
import type { Metadata, Ref } from "../objects.ts";
import type { ObjectName } from "./lookup.ts";

export interface Claims {
  /** What an object claims now; undefined: nothing. Gives the claims that have another holder than before. */
  set(claimant: Ref, claim: string | undefined, metadata: Metadata | undefined): string[];
  holder(claim: string): ObjectName | undefined;
  /** All who claim it, the holder first. */
  claimants(claim: string): readonly Ref[];
  clear(): void;
}

interface Claimant {
  readonly ref: Ref;
  readonly claim: string;
  readonly created: number;
}

/** The oldest wins by creationTimestamp, then the first by `{namespace}/{name}`. */
export function createClaims(): Claims {
  const byRef = new Map<Ref, Claimant>();
  /** Nearly every claim has one claimant, which then stands here without a list. Lists are in order of precedence. */
  const byClaim = new Map<string, Claimant | readonly Claimant[]>();

  const listOf = (claim: string): readonly Claimant[] => {
    const found = byClaim.get(claim);
    if (found === undefined) return [];
    return "ref" in found ? [found] : found;
  };
  const keep = (claim: string, list: readonly Claimant[]): void => {
    const [only] = list;
    if (only === undefined) byClaim.delete(claim);
    else byClaim.set(claim, list.length === 1 ? only : list);
  };
  /** True if the claim has another holder then. */
  const change = (claim: string, list: readonly Claimant[]): boolean => {
    const [before] = listOf(claim);
    keep(claim, list);
    return before?.ref !== list[0]?.ref;
  };

  return {
    set(ref, claim, metadata) {
      const before = byRef.get(ref);
      const changed: string[] = [];
      const created = metadata === undefined ? 0 : createdAt(metadata);
      if (before?.claim === claim && before?.created === created) return changed;
      const next = claim === undefined || metadata === undefined ? undefined : { ref, claim, created };
      if (before !== undefined && before.claim !== claim) {
        if (change(before.claim, without(listOf(before.claim), ref))) changed.push(before.claim);
      }
      if (next === undefined) byRef.delete(ref);
      else {
        byRef.set(ref, next);
        if (change(next.claim, withOne(without(listOf(next.claim), ref), next))) changed.push(next.claim);
      }
      return changed;
    },
    holder: (claim) => {
      const [holder] = listOf(claim);
      if (holder === undefined) return undefined;
      const [, namespace = "", name = ""] = holder.ref.split("/");
      return { namespace, name };
    },
    claimants: (claim) => listOf(claim).map(({ ref }) => ref),
    clear() {
      byRef.clear();
      byClaim.clear();
    },
  };
}

/** Seconds since the epoch, which is as exact as the API server's times, and a number that takes no memory of its own. A time that cannot be read wins nothing from one that can. */
function createdAt({ creationTimestamp }: Metadata): number {
  const parsed = Date.parse(creationTimestamp);
  return Number.isNaN(parsed) ? Number.POSITIVE_INFINITY : parsed / 1000;
}

const without = (list: readonly Claimant[], ref: Ref): readonly Claimant[] => list.filter((one) => one.ref !== ref);

function withOne(list: readonly Claimant[], one: Claimant): readonly Claimant[] {
  const at = list.findIndex((other) => precedes(one, other));
  return list.toSpliced(at === -1 ? list.length : at, 0, one);
}

function precedes(a: Claimant, b: Claimant): boolean {
  if (a.created !== b.created) return a.created < b.created;
  // Of one kind, so it is the names that differ.
  return a.ref < b.ref;
}
