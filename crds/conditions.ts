// The conditions of the API. In: nothing. Out: the types that Parley writes; any other in a status belongs to somebody else.

export const CONDITION_TYPES = [
  "Accepted",
  "Conflicted",
  "Discovered",
  "Held",
  "Programmed",
  "Ready",
  "ResolvedRefs",
  "SecretReady",
] as const;

export type ConditionType = (typeof CONDITION_TYPES)[number];
