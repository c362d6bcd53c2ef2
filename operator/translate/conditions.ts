// Every reason that translation and discovery give, with the condition it belongs to and its sentence.
// In: a reason and names. Out: a finding. A reason stands for one state; its message says what to do.
import type { Finding } from "./result.ts";

interface Entry {
  readonly type: Finding["type"];
  readonly status: Finding["status"];
  readonly message: (...values: readonly string[]) => string;
}

const agentReasons = {
  Accepted: { type: "Accepted", status: "True", message: () => "The spec is valid." },
  UnsupportedUrl: {
    type: "Accepted",
    status: "False",
    message: (backend: string, why: string) => `Backend ${backend}: ${why}.`,
  },
  InvalidValue: {
    type: "Accepted",
    status: "False",
    message: (field: string, form: string) => `${field} cannot be read: write it as ${form}.`,
  },
  AboveCeiling: {
    type: "Accepted",
    status: "False",
    message: (field: string, ceiling: string) =>
      `${field} is above what the administrator allows: write ${ceiling} or less.`,
  },
  InvalidSelector: {
    type: "Accepted",
    status: "False",
    message: () => "allowedKeys.namespaces.from is Selector, but there is no selector.",
  },
  SelectorUnavailable: {
    type: "Accepted",
    status: "False",
    message: () =>
      "allowedKeys.namespaces.from: Selector needs Namespaces, which cannot be read here. Use Same or All, or give the operator a ClusterRole.",
  },
  ResolvedRefs: { type: "ResolvedRefs", status: "True", message: () => "All Services and Secrets were found." },
  ServiceNotFound: {
    type: "ResolvedRefs",
    status: "False",
    message: (backend: string, service: string) => `Backend ${backend}: there is no Service ${service}.`,
  },
  PortNotFound: {
    type: "ResolvedRefs",
    status: "False",
    message: (backend: string, service: string, port: string) =>
      `Backend ${backend}: Service ${service} has no port ${port}.`,
  },
  ExternalNameService: {
    type: "ResolvedRefs",
    status: "False",
    message: (backend: string, service: string) =>
      `Backend ${backend}: Service ${service} is of type ExternalName, which is not followed. Use url.`,
  },
  SecretNotFound: {
    type: "ResolvedRefs",
    status: "False",
    message: (header: string, secret: string) =>
      `Credential ${header}: no Secret ${secret} with the label parley.dev/credential: upstream was found.`,
  },
  SecretNotLabelled: {
    type: "ResolvedRefs",
    status: "False",
    message: (header: string, secret: string) =>
      `Credential ${header}: Secret ${secret} holds a virtual key. Upstream credentials need the label parley.dev/credential: upstream.`,
  },
  CredentialKeyMissing: {
    type: "ResolvedRefs",
    status: "False",
    message: (header: string, secret: string, key: string) =>
      `Credential ${header}: Secret ${secret} has no key ${key}, or it is empty.`,
  },
  CredentialInvalid: {
    type: "ResolvedRefs",
    status: "False",
    message: (header: string, secret: string, key: string) =>
      `Credential ${header}: key ${key} of Secret ${secret} has blanks around it, a line break or a character that no header may hold.`,
  },
  CardsRead: { type: "Discovered", status: "True", message: () => "The cards of all backends were read." },
  Pending: {
    type: "Discovered",
    status: "Unknown",
    message: (backends: string) => `No card was read yet of: ${backends}.`,
  },
  CardUnreachable: {
    type: "Discovered",
    status: "False",
    message: (backend: string, why: string) => `Backend ${backend}: its card could not be read: ${why}.`,
  },
  CardInvalid: {
    type: "Discovered",
    status: "False",
    message: (backend: string, why: string) => `Backend ${backend}: its card cannot be used: ${why}.`,
  },
  UpstreamRefused: {
    type: "Discovered",
    status: "False",
    message: (backend: string, why: string) =>
      `Backend ${backend}: ${why}. If it is meant to be reached, the administrator allows its range with --allowed-upstreams=CIDR (parley serve allows loopback already).`,
  },
  PublicNameTaken: {
    type: "Conflicted",
    status: "True",
    message: (name: string, holder: string) =>
      `The public name ${name} belongs to ${holder}, which comes first. The long path serves all the same.`,
  },
  TranslationFailed: {
    type: "Accepted",
    status: "False",
    message: () => "The operator failed on this object, which is a fault of the operator. It is not published.",
  },
} as const satisfies Readonly<Record<string, Entry>>;

const keyReasons = {
  Accepted: { type: "Accepted", status: "True", message: () => "The spec is valid." },
  InvalidExpiry: {
    type: "Accepted",
    status: "False",
    message: () => "expiresAt is not a time: write it as 2027-01-01T00:00:00Z.",
  },
  TokenTooShort: {
    type: "Accepted",
    status: "False",
    message: (least: string) => `The token is too short to be safe: use ${least} characters or more.`,
  },
  TokenWhitespace: {
    type: "Accepted",
    status: "False",
    message: () => "The token has white space around it, such as a line break at its end: store it without.",
  },
  TokenInvalid: {
    type: "Accepted",
    status: "False",
    message: () => "The token has characters that no header can carry: use printable ASCII without blanks.",
  },
  DuplicateKey: {
    type: "Accepted",
    status: "False",
    message: (holder: string) => `${holder}, which comes first, has the same token. Give this key one of its own.`,
  },
  Disabled: {
    type: "Accepted",
    status: "False",
    message: () => "spec.disabled is true: every request with this key is refused.",
  },
  SecretReady: { type: "SecretReady", status: "True", message: () => "The token was read." },
  SecretNotFound: {
    type: "SecretReady",
    status: "False",
    message: (secret: string) => `No Secret ${secret} with the label parley.dev/credential: key was found.`,
  },
  SecretNotLabelled: {
    type: "SecretReady",
    status: "False",
    message: (secret: string) =>
      `Secret ${secret} holds an upstream credential. Virtual keys need the label parley.dev/credential: key.`,
  },
  SecretNotOwned: {
    type: "SecretReady",
    status: "False",
    message: (secret: string) =>
      `Secret ${secret} exists and does not belong to this VirtualKey, so it is not used. Name it in spec.secretRef to use it, or delete it and a new one is made.`,
  },
  SecretNotMade: {
    type: "SecretReady",
    status: "False",
    message: (secret: string, why: string) => `Secret ${secret} could not be made: ${why}`,
  },
  KeyMissing: {
    type: "SecretReady",
    status: "False",
    message: (secret: string, key: string) => `Secret ${secret} has no key ${key}, or it is empty.`,
  },
  ResolvedRefs: { type: "ResolvedRefs", status: "True", message: () => "All agents that are named were found." },
  AgentNotFound: {
    type: "ResolvedRefs",
    status: "False",
    message: (agents: string) => `No such agent: ${agents}.`,
  },
  NotAdmitted: {
    type: "ResolvedRefs",
    status: "False",
    message: (agents: string) => `Not open to keys of this namespace (allowedKeys): ${agents}.`,
  },
  TranslationFailed: {
    type: "Accepted",
    status: "False",
    message: () => "The operator failed on this object, which is a fault of the operator. It is not published.",
  },
} as const satisfies Readonly<Record<string, Entry>>;

export type AgentReason = keyof typeof agentReasons;
export type KeyReason = keyof typeof keyReasons;
export const AGENT_REASONS = Object.keys(agentReasons) as readonly AgentReason[];
export const KEY_REASONS = Object.keys(keyReasons) as readonly KeyReason[];

/** Findings that are the same for everybody exist once. */
const unvaried = (reasons: Readonly<Record<string, Entry>>): ReadonlyMap<string, Finding> =>
  new Map(
    Object.entries(reasons)
      .filter(([, { message }]) => message.length === 0)
      .map(([reason, entry]) => [reason, findingOf(reason, entry, [])]),
  );

/** What is to be said of an A2AAgent. The values are names; no secret may be among them. */
export function agentFinding<R extends AgentReason>(
  reason: R,
  ...values: Parameters<(typeof agentReasons)[R]["message"]>
): Finding {
  return plainOfAgents.get(reason) ?? findingOf(reason, agentReasons[reason], values);
}

/** What is to be said of a VirtualKey. The values are names; no secret may be among them. */
export function keyFinding<R extends KeyReason>(
  reason: R,
  ...values: Parameters<(typeof keyReasons)[R]["message"]>
): Finding {
  return plainOfKeys.get(reason) ?? findingOf(reason, keyReasons[reason], values);
}

const findingOf = (reason: string, entry: Entry, values: readonly string[]): Finding => ({
  type: entry.type,
  status: entry.status,
  reason,
  message: bounded(entry.message(...values)),
});

/** Said beside everything else of agents and keys of both kinds. `objects`: what they depend on and what was held. */
export const heldFinding = (objects: string): Finding => ({
  type: "Held",
  status: "True",
  reason: "RelistHeld",
  message: bounded(
    `The API server's last list lacked most objects of a kind, among them ${objects}: kept as before until seen again, or until an administrator drops it with parley confirm.`,
  ),
});

/** Several findings of one condition as one: the first's reason, everybody's message. */
export function merged(first: Finding, more: readonly Finding[]): Finding {
  const shown = [first, ...more].slice(0, MAX_MERGED).map(({ message }) => message);
  const hidden = more.length + 1 - shown.length;
  if (hidden > 0) shown.push(`And ${hidden} more.`);
  return { ...first, message: bounded(shown.join(" ")) };
}

/** At most five names, and how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_MERGED).join(", ");
  return names.length > MAX_MERGED ? `${shown} and ${names.length - MAX_MERGED} more` : shown;
}

const MAX_MERGED = 5;
/** The API takes 4,096 characters. */
const MAX_MESSAGE = 1024;

/** A message of a condition, cut where it is too long to read. */
export const bounded = (message: string): string =>
  message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE - 1)}…` : message;

const plainOfAgents = unvaried(agentReasons);
const plainOfKeys = unvaried(keyReasons);
