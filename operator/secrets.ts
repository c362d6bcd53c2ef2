// The leader's care for Secrets that translation misses. In: results. Out: a Secret made for a key that names none; and, for one
// that was named, whether it is missing or only lacks the label, told in the condition. When to look is schedule.ts's to say.
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../process/clock.ts";
import type { Log } from "../process/log.ts";
import { createSchedule } from "./discover/schedule.ts";
import type { StatusTarget } from "./kube/apply.ts";
import type { EnsureResult } from "./kube/key-secrets.ts";
import type { SecretLook } from "./kube/look-at-secret.ts";
import { refOf } from "./objects.ts";
import type { AgentObject, KeyObject, Ref } from "./objects.ts";
import { secretRefOf } from "./secret-ref.ts";
import type { ReadableStore } from "./store.ts";
import { agentFinding, keyFinding } from "./translate/conditions.ts";
import type { Finding, ObjectResult } from "./translate/result.ts";

export interface SecretsDeps {
  readonly store: Pick<ReadableStore, "get" | "find">;
  readonly ensure: (key: KeyObject, signal: AbortSignal) => Promise<EnsureResult>;
  readonly look: (namespace: string, secret: string, signal: AbortSignal) => Promise<SecretLook>;
  readonly override: (target: StatusTarget, type: string, finding: Finding | undefined) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export interface Secrets {
  /** What was translated, and all refs that changed in the store, also of objects that are gone. */
  turn(refs: Iterable<Ref>, results: readonly ObjectResult[]): void;
  lead(holding: boolean): void;
}

/** An object that misses a Secret, and what translation said of it. */
interface Missing {
  readonly target: StatusTarget;
  readonly finding: Finding;
}

/** The condition in which each kind says that a Secret was not found. */
const CONDITION = { A2AAgent: "ResolvedRefs", VirtualKey: "SecretReady" } as const;

export function createSecrets(deps: SecretsDeps): Secrets {
  const { store, clock, random, log } = deps;
  const missing = new Map<Ref, Missing>();
  let leading: AbortController | undefined;

  const schedule = createSchedule({
    clock,
    random,
    many: () => missing.size,
    run: async (ref) => {
      const entry = missing.get(ref);
      const object = store.get(ref);
      if (entry === undefined || leading === undefined || object?.metadata.uid !== entry.target.uid) return true;
      if (object.metadata.deletionTimestamp !== undefined) return true;
      const { signal } = leading;
      try {
        if (object.kind === "VirtualKey") return await attendKey(object, entry, signal);
        return object.kind === "A2AAgent" ? await attendAgent(object, entry, signal) : true;
      } catch (error) {
        log.error({ object: ref, err: error }, "care for a Secret failed");
        return false;
      }
    },
  });

  /** Gives false where it should come back soon: what is looked at here no watch tells. */
  const attendKey = async (key: KeyObject, entry: Missing, signal: AbortSignal): Promise<boolean> => {
    const { target } = entry;
    const { name } = secretRefOf(key);
    if (key.spec.secretRef !== undefined) {
      const look = await deps.look(target.namespace, name, signal);
      if (look === "unknown" || signal.aborted) return false;
      const hidden = look === "not-labelled";
      const { type } = entry.finding;
      say(entry, hidden ? { type, ...NOT_LABELLED, message: notLabelled(name, "key") } : undefined);
      return hidden;
    }
    const result = await deps.ensure(key, signal);
    if (signal.aborted) return false;
    if (result.ok) {
      if (result.made) log.info({ namespace: target.namespace, key: target.name }, "token made for a VirtualKey");
      say(entry, undefined);
      return true;
    }
    if (result.reason === "NotOwned") say(entry, keyFinding("SecretNotOwned", name));
    else {
      log.warn({ namespace: target.namespace, key: target.name, cause: result.message }, "token could not be made");
      if (result.reason === "Refused") say(entry, keyFinding("SecretNotMade", name, result.message));
    }
    return false;
  };

  const attendAgent = async (agent: AgentObject, entry: Missing, signal: AbortSignal): Promise<boolean> => {
    const { namespace } = entry.target;
    const hidden = new Set<string>();
    let missed = false;
    for (const name of unreadSecrets(agent)) {
      const look = await deps.look(namespace, name, signal);
      if (look === "unknown" || signal.aborted) return false;
      if (look === "not-labelled") hidden.add(name);
      else missed = true;
    }
    say(entry, hidden.size === 0 ? undefined : withHidden(entry.finding, agent, hidden));
    return !missed;
  };

  /** Only while the finding that it is about still stands. */
  const say = (entry: Missing, finding: Finding | undefined): void => {
    const { kind, namespace, name } = entry.target;
    if (missing.get(refOf(kind, namespace, name)) === entry) deps.override(entry.target, CONDITION[kind], finding);
  };

  const unreadSecrets = ({ spec, metadata: { namespace } }: AgentObject): ReadonlySet<string> =>
    new Set(
      (spec.credentials ?? [])
        .map(({ secretRef }) => secretRef.name)
        .filter((name) => store.find("Secret", namespace, name) === undefined),
    );

  const missesSecret = (ref: Ref, finding: Finding): boolean => {
    if (finding.status !== "False") return false;
    // Of an agent another fault may come first.
    const object = store.get(ref);
    return object?.kind === "A2AAgent" ? unreadSecrets(object).size > 0 : finding.reason === "SecretNotFound";
  };

  const forget = (ref: Ref): void => {
    missing.delete(ref);
    schedule.forget(ref);
  };

  return {
    turn: (refs, results) => {
      for (const { kind, namespace, name, uid, conditions } of results) {
        const ref = refOf(kind, namespace, name);
        const target = { kind, namespace, name, uid };
        const before = missing.get(ref);
        const finding = conditions.find(({ type }) => type === CONDITION[kind]);
        if (finding !== undefined && missesSecret(ref, finding)) {
          if (before?.target.uid === uid && isDeepStrictEqual(before.finding, finding)) continue;
          missing.set(ref, { target, finding });
          if (leading !== undefined) schedule.now(ref);
        } else if (before !== undefined) {
          forget(ref);
          deps.override(target, CONDITION[kind], undefined);
        }
      }
      for (const ref of refs) if (missing.has(ref) && store.get(ref) === undefined) forget(ref);
    },
    lead: (holding) => {
      if (holding === (leading !== undefined)) return;
      leading?.abort();
      leading = holding ? new AbortController() : undefined;
      schedule.clear();
      if (holding) for (const ref of missing.keys()) schedule.now(ref);
    },
  };
}

const NOT_LABELLED = { status: "False", reason: "SecretNotLabelled" } as const;
const notLabelled = (secret: string, label: "key" | "upstream"): string =>
  `Secret ${secret} is there but may not be read: label it with parley.dev/credential: ${label}.`;

/** The finding with another sentence for each Secret that is there; what else it says stays. */
function withHidden(finding: Finding, { spec }: AgentObject, hidden: ReadonlySet<string>): Finding {
  let { reason, message } = finding;
  for (const { header, secretRef } of spec.credentials ?? []) {
    if (!hidden.has(secretRef.name)) continue;
    const before = agentFinding("SecretNotFound", header, secretRef.name).message;
    if (message.startsWith(before)) ({ reason } = NOT_LABELLED);
    message = message.replace(before, () => `Credential ${header}: ${notLabelled(secretRef.name, "upstream")}`);
  }
  return { ...finding, reason, message };
}
