// The leader's care for Secrets that translation misses. In: results. Out: a Secret made for a key that names none; and, for one
// that was named, whether it is missing or only lacks the label, told in the condition.
import type { Clock } from "../process/clock.ts";
import type { Log } from "../process/log.ts";
import type { StatusTarget } from "./kube/apply.ts";
import type { EnsureResult } from "./kube/key-secrets.ts";
import type { SecretLook } from "./kube/not-labelled.ts";
import { refOf } from "./objects.ts";
import type { AgentObject, KeyObject, Ref } from "./objects.ts";
import type { ReadableStore } from "./store.ts";
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
  results(results: readonly ObjectResult[]): void;
  lead(holding: boolean): void;
}

/** Looked after at once. */
const CONCURRENCY = 4;
/** Milliseconds between two tries for one object, about. */
const RETRY = 5_000;
/** The condition in which each kind says that a Secret was not found. */
const CONDITION = { A2AAgent: "ResolvedRefs", VirtualKey: "SecretReady" } as const;

export function createSecrets(deps: SecretsDeps): Secrets {
  const { store, clock, random, log } = deps;
  /** Objects that miss a Secret. */
  const missing = new Map<Ref, StatusTarget>();
  const due = new Set<Ref>();
  let running = 0;
  let leading: AbortController | undefined;

  const pump = (): void => {
    for (const ref of due) {
      if (leading === undefined || running >= CONCURRENCY) return;
      due.delete(ref);
      const target = missing.get(ref);
      if (target === undefined) continue;
      running++;
      void attend(ref, target, leading.signal);
    }
  };

  const attend = async (ref: Ref, target: StatusTarget, signal: AbortSignal): Promise<void> => {
    const object = store.get(ref);
    let again = false;
    if (object !== undefined && object.metadata.uid === target.uid && object.metadata.deletionTimestamp === undefined) {
      if (object.kind === "VirtualKey") again = await attendKey(object, target, signal);
      if (object.kind === "A2AAgent") again = await attendAgent(object, target, signal);
    }
    running--;
    if (again && !signal.aborted) {
      clock.setTimeout(
        () => {
          due.add(ref);
          pump();
        },
        RETRY * (0.5 + random()),
      );
    }
    pump();
  };

  /** Gives whether to come back. */
  const attendKey = async (key: KeyObject, target: StatusTarget, signal: AbortSignal): Promise<boolean> => {
    const { secretRef } = key.spec;
    if (secretRef !== undefined) return await attendNamed([secretRef.name], "key", target, signal);
    const result = await deps.ensure(key, signal);
    if (result.ok) {
      if (result.made) log.info({ namespace: target.namespace, key: target.name }, "token made for a VirtualKey");
      deps.override(target, CONDITION.VirtualKey, undefined);
      return false;
    }
    if (result.retry) {
      log.warn({ namespace: target.namespace, key: target.name, cause: result.message }, "token could not be made");
      return true;
    }
    deps.override(target, CONDITION.VirtualKey, result.finding);
    // Whoever holds the name may let go of it, which no watch of ours would tell.
    return true;
  };

  const attendAgent = async (agent: AgentObject, target: StatusTarget, signal: AbortSignal): Promise<boolean> => {
    const named = (agent.spec.credentials ?? []).map(({ secretRef }) => secretRef.name);
    const unread = [...new Set(named)].filter((name) => store.find("Secret", target.namespace, name) === undefined);
    return await attendNamed(unread, "upstream", target, signal);
  };

  const attendNamed = async (
    names: readonly string[],
    label: string,
    target: StatusTarget,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const type = CONDITION[target.kind];
    for (const name of names) {
      const look = await deps.look(target.namespace, name, signal);
      if (look === "unknown") return true;
      if (look !== "not-labelled") continue;
      const message = `Secret ${name} is there but may not be read: label it with parley.dev/credential: ${label}.`;
      deps.override(target, type, { type, status: "False", reason: "SecretNotLabelled", message });
      return false;
    }
    deps.override(target, type, undefined);
    return false;
  };

  return {
    results: (results) => {
      for (const { kind, namespace, name, uid, conditions } of results) {
        const ref = refOf(kind, namespace, name);
        const finding = conditions.find(({ type }) => type === CONDITION[kind]);
        if (finding?.status === "False" && finding.reason === "SecretNotFound") {
          missing.set(ref, { kind, namespace, name, uid });
          due.add(ref);
        } else if (missing.delete(ref)) {
          due.delete(ref);
          deps.override({ kind, namespace, name, uid }, CONDITION[kind], undefined);
        }
      }
      pump();
    },
    lead: (holding) => {
      if (holding === (leading !== undefined)) return;
      leading?.abort();
      leading = holding ? new AbortController() : undefined;
      if (holding) for (const ref of missing.keys()) due.add(ref);
      pump();
    },
  };
}
