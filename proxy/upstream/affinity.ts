// Which endpoint holds a task or a context. In: ids seen in requests, answers and events. Out: the endpoint of the first who had it.
import { hash } from "node:crypto";

export interface Owner {
  readonly identity: string;
  readonly backend: string;
  /** False while the owner was only chosen: no answer was seen yet, so another may still be chosen. */
  confirmed: boolean;
}

export type IdKind = "task" | "context";

export interface Affinity {
  find(agentId: string, kind: IdKind, id: string): Owner | undefined;
  /** An answer of this endpoint named the id. Whoever answered for it first keeps it. */
  learn(agentId: string, kind: IdKind, id: string, identity: string, backend: string): void;
  /** A context of the client's own making goes to this endpoint; before its first request leaves. */
  claim(agentId: string, contextId: string, identity: string, backend: string): void;
  /** Takes a claim back that no answer confirmed: the endpoint could not be reached. */
  release(agentId: string, contextId: string, identity: string): void;
  /** Entries held. */
  readonly size: number;
}

/** Longer ids are kept as their hash: memory is bounded by the number of entries alone. */
const MAX_ID = 96;

/**
 * A bounded map in two generations: what was used since the last turn is young; at a turn the old generation is dropped. That is a
 * least-recently-used cache without a list to mend at each hit.
 *
 * @param capacity entries held at most
 */
export function createAffinity(capacity: number): Affinity {
  const half = Math.max(1, Math.floor(capacity / 2));
  let young = new Map<string, Owner>();
  let old = new Map<string, Owner>();

  const keyOf = (agentId: string, kind: IdKind, id: string): string =>
    `${agentId}\n${kind}\n${id.length > MAX_ID ? `#${hash("sha256", id)}` : id}`;

  function put(key: string, owner: Owner): void {
    if (young.size >= half) {
      old = young;
      young = new Map();
    }
    young.set(key, owner);
  }

  function get(key: string): Owner | undefined {
    const owner = young.get(key);
    if (owner !== undefined) return owner;
    const older = old.get(key);
    if (older === undefined) return undefined;
    old.delete(key);
    put(key, older);
    return older;
  }

  return {
    find: (agentId, kind, id) => get(keyOf(agentId, kind, id)),
    learn(agentId, kind, id, identity, backend) {
      const key = keyOf(agentId, kind, id);
      const owner = get(key);
      if (owner === undefined) put(key, { identity, backend, confirmed: true });
      else if (owner.identity === identity) owner.confirmed = true;
      else if (!owner.confirmed) young.set(key, { identity, backend, confirmed: true });
    },
    claim(agentId, contextId, identity, backend) {
      const key = keyOf(agentId, "context", contextId);
      const owner = get(key);
      if (owner === undefined) put(key, { identity, backend, confirmed: false });
      // Found, so it is young. Its endpoint was chosen once and never answered.
      else if (!owner.confirmed && owner.identity !== identity) young.set(key, { identity, backend, confirmed: false });
    },
    release(agentId, contextId, identity) {
      const key = keyOf(agentId, "context", contextId);
      const owner = get(key);
      if (owner !== undefined && !owner.confirmed && owner.identity === identity) young.delete(key);
    },
    get size() {
      return young.size + old.size;
    },
  };
}
