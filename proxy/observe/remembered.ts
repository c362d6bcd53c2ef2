// Parts of what is written of a request that most requests share. In: a record's fields. Out: what was made of the same values before.
import type { FinishedRequest } from "./record.ts";

/** Parts that are remembered at once; then all are forgotten. */
const MAX_REMEMBERED = 1024;
/** Of one value of the first field, the oldest goes first. */
const MAX_VARIANTS = 8;

type Field = keyof FinishedRequest;

/** The fields that a part is made of. Written out one by one: fields by variable names cost several times as much. */
export interface Fields<F extends Field> {
  /** What most tells requests apart. */
  readonly first: (record: Pick<FinishedRequest, F>) => unknown;
  readonly pick: (record: FinishedRequest) => Pick<FinishedRequest, F>;
  readonly same: (picked: Pick<FinishedRequest, F>, record: FinishedRequest) => boolean;
}

/** Makes a part of these fields alone. */
export function remember<F extends Field, T>(
  { first, pick, same }: Fields<F>,
  make: (record: Pick<FinishedRequest, F>) => T,
): (record: FinishedRequest) => T {
  const known = new Map<unknown, { readonly picked: Pick<FinishedRequest, F>; readonly made: T }[]>();
  let size = 0;
  return (record) => {
    const variants = known.get(first(record));
    if (variants !== undefined) {
      for (const variant of variants) if (same(variant.picked, record)) return variant.made;
    }
    const variant = { picked: pick(record), made: make(record) };
    if (variants !== undefined && variants.length >= MAX_VARIANTS) {
      variants.shift();
      variants.push(variant);
      return variant.made;
    }
    if (size >= MAX_REMEMBERED) {
      known.clear();
      size = 0;
    }
    size++;
    if (known.get(first(record))?.push(variant) === undefined) known.set(first(record), [variant]);
    return variant.made;
  };
}

export const agentFields: Fields<"agent"> = {
  first: ({ agent }) => agent,
  pick: ({ agent }) => ({ agent }),
  same: (a, b) => a.agent === b.agent,
};

export const callerFields: Fields<"fingerprint" | "key" | "user" | "team"> = {
  first: ({ fingerprint }) => fingerprint,
  pick: ({ fingerprint, key, user, team }) => ({ fingerprint, key, user, team }),
  same: (a, b) => a.fingerprint === b.fingerprint && a.key === b.key && a.user === b.user && a.team === b.team,
};

export const callFields: Fields<"operation" | "method" | "binding" | "version" | "streaming" | "logging"> = {
  first: ({ operation }) => operation,
  pick: ({ operation, method, binding, version, streaming, logging }) => ({
    operation,
    method,
    binding,
    version,
    streaming,
    logging,
  }),
  same: (a, b) =>
    a.operation === b.operation &&
    a.method === b.method &&
    a.binding === b.binding &&
    a.version === b.version &&
    a.streaming === b.streaming &&
    a.logging === b.logging,
};

export const endFields: Fields<"endpoint" | "backend" | "status" | "outcome" | "reason" | "keyFault" | "rpcCode"> = {
  first: ({ endpoint }) => endpoint,
  pick: ({ endpoint, backend, status, outcome, reason, keyFault, rpcCode }) => ({
    endpoint,
    backend,
    status,
    outcome,
    reason,
    keyFault,
    rpcCode,
  }),
  same: (a, b) =>
    a.endpoint === b.endpoint &&
    a.backend === b.backend &&
    a.status === b.status &&
    a.outcome === b.outcome &&
    a.reason === b.reason &&
    a.keyFault === b.keyFault &&
    a.rpcCode === b.rpcCode,
};

export const costFields: Fields<"cost" | "costSource"> = {
  first: ({ cost }) => cost,
  pick: ({ cost, costSource }) => ({ cost, costSource }),
  same: (a, b) => a.cost === b.cost && a.costSource === b.costSource,
};
