// Who has what only one may have: public names, tokens. In: claims of objects. Out: the holder, the oldest of the claimants.
import type { Metadata, Ref } from "../objects.ts";
import { hashOfName } from "../../proxy/table/name-hash.ts";
import { createTextMap } from "../text-map.ts";
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

/** The oldest wins by creationTimestamp, then the first by `{namespace}/{name}`. Claimants of one kind only. */
export function createClaims(): Claims {
  /** `{created} {claim}` of each claimant. */
  const byRef = createTextMap();
  /** Who claims something with this hash, in order of precedence: nearly always one, who then stands here without a list. */
  const byHash = new Map<number, Ref | readonly Ref[]>();

  const claimantOf = (ref: Ref): Claimant | undefined => {
    const text = byRef.get(ref);
    if (text === undefined) return undefined;
    const end = text.indexOf(" ");
    return { ref, claim: text.slice(end + 1), created: Number(text.slice(0, end)) };
  };
  const refsOf = (hash: number): readonly Ref[] => {
    const found = byHash.get(hash) ?? [];
    return typeof found === "string" ? [found] : found;
  };
  const isClaimedBy = (claim: string, ref: Ref): boolean => claimantOf(ref)?.claim === claim;
  /** Looks at no more than it must: of a claim that thousands make it is asked for each of them. */
  const holderOf = (claim: string): Ref | undefined => refsOf(shortHash(claim)).find((ref) => isClaimedBy(claim, ref));
  const enter = (one: Claimant): void => {
    const hash = shortHash(one.claim);
    const others = refsOf(hash);
    let [low, high] = [0, others.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = claimantOf(others[middle] ?? "");
      if (other !== undefined && precedes(other, one)) low = middle + 1;
      else high = middle;
    }
    byHash.set(hash, others.length === 0 ? one.ref : others.toSpliced(low, 0, one.ref));
    byRef.set(one.ref, `${one.created} ${one.claim}`);
  };
  const leave = ({ ref, claim }: Claimant): void => {
    const hash = shortHash(claim);
    const others = refsOf(hash).filter((other) => other !== ref);
    const [only] = others;
    if (only === undefined) byHash.delete(hash);
    else byHash.set(hash, others.length === 1 ? only : others);
    byRef.delete(ref);
  };

  return {
    set(ref, claim, metadata) {
      const before = claimantOf(ref);
      const created = metadata === undefined ? 0 : createdAt(metadata);
      if (before?.claim === claim && before?.created === created) return [];
      const next = claim === undefined || metadata === undefined ? undefined : { ref, claim, created };
      const claims = [...new Set([before?.claim, next?.claim])].filter((one) => one !== undefined);
      const holders = claims.map(holderOf);
      if (before !== undefined) leave(before);
      if (next !== undefined) enter(next);
      return claims.filter((one, index) => holderOf(one) !== holders[index]);
    },
    holder: (claim) => {
      const holder = holderOf(claim);
      if (holder === undefined) return undefined;
      const [, namespace = "", name = ""] = holder.split("/");
      return { namespace, name };
    },
    claimants: (claim) => refsOf(shortHash(claim)).filter((ref) => isClaimedBy(claim, ref)),
    clear() {
      byRef.clear();
      byHash.clear();
    },
  };
}

/** Of 32 bits with a sign, which takes no memory of its own. */
const shortHash = (claim: string): number => hashOfName(claim) | 0;

/** Seconds since the epoch, which is as exact as the API server's times, and a number that takes no memory of its own. A time that cannot be read wins nothing from one that can. */
function createdAt({ creationTimestamp }: Metadata): number {
  const parsed = Date.parse(creationTimestamp);
  return Number.isNaN(parsed) ? Number.POSITIVE_INFINITY : parsed / 1000;
}

function precedes(a: Claimant, b: Claimant): boolean {
  return a.created === b.created ? a.ref < b.ref : a.created < b.created;
}
