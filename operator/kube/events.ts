// Events for people (events.k8s.io/v1). In: what changed about which object. Out: Events at the API server, equal ones counted
// up instead of repeated, few enough to harm nobody; they are told on a best-effort basis and never waited for.
import type { Clock } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import type { KubeClient } from "./client.ts";
import { microTime } from "./micro-time.ts";
import type { StatusTarget } from "./apply.ts";
import { isRawObject } from "./reduce.ts";

const API = "/apis/events.k8s.io/v1/namespaces";
const CONTROLLER = "parley.dev/operator";

const LIMITS = {
  /** Events sent at once, and regained each second, over all objects. */
  burst: 50,
  perSecond: 5,
  /** Events that wait to be sent; more are dropped. */
  queued: 500,
  /** Milliseconds in which an equal Event is counted up rather than made anew. */
  window: 600_000,
  /** Equal Events remembered. */
  remembered: 2_000,
};

/** What an Event is about. */
export type EventTarget = Omit<StatusTarget, "kind"> & { readonly kind: StatusTarget["kind"] | "Lease" };

export interface ObjectEvent {
  readonly about: EventTarget;
  readonly type: "Normal" | "Warning";
  /** CamelCase. */
  readonly reason: string;
  /** What was done, CamelCase. */
  readonly action: string;
  readonly note: string;
}

export interface EventsDeps {
  readonly client: Pick<KubeClient, "request">;
  readonly replica: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly observe: (result: "sent" | "dropped" | "failed") => void;
  readonly limits?: Partial<typeof LIMITS>;
}

interface Series {
  readonly path: string;
  count: number;
  /** Of `clock.elapsed()`. */
  at: number;
}

export interface Events {
  emit(event: ObjectEvent): void;
  /** Resolves when what was emitted before has been sent, dropped or given up. */
  idle(): Promise<void>;
}

/** Sends one Event after another, in the background. */
export function createEvents(deps: EventsDeps): Events {
  const { client, clock, random, log, signal, observe } = deps;
  const limits = { ...LIMITS, ...deps.limits };
  const queue: ObjectEvent[] = [];
  const series = new Map<string, Series>();
  let tokens = limits.burst;
  let refilledAt = clock.elapsed();
  let running = false;
  let done = Promise.resolve();

  const take = (): boolean => {
    const now = clock.elapsed();
    tokens = Math.min(limits.burst, tokens + ((now - refilledAt) / 1000) * limits.perSecond);
    refilledAt = now;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };

  const send = async (event: ObjectEvent): Promise<void> => {
    const { about } = event;
    const now = clock.now();
    const elapsed = clock.elapsed();
    const key = JSON.stringify([about.uid, event.type, event.reason, event.note]);
    const before = series.get(key);
    if (before !== undefined && elapsed - before.at < limits.window) {
      before.count++;
      before.at = elapsed;
      const counted = await client.request({
        method: "PATCH",
        path: before.path,
        contentType: "application/merge-patch+json",
        body: { series: { count: before.count, lastObservedTime: microTime(now) } },
        signal,
      });
      if (counted.status === 200) return;
    }
    series.delete(key);
    const collection = `${API}/${encodeURIComponent(about.namespace)}/events`;
    const suffix = Math.floor(random() * 2 ** 40).toString(16);
    const made = await client.request({
      method: "POST",
      path: collection,
      body: {
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        metadata: { namespace: about.namespace, name: `${about.name.slice(0, 200)}.${now.toString(16)}${suffix}` },
        eventTime: microTime(now),
        reportingController: CONTROLLER,
        reportingInstance: deps.replica.slice(0, 128),
        action: event.action,
        reason: event.reason,
        type: event.type,
        note: event.note.slice(0, 1024),
        regarding: {
          apiVersion: about.kind === "Lease" ? "coordination.k8s.io/v1" : "parley.dev/v1alpha1",
          kind: about.kind,
          namespace: about.namespace,
          name: about.name,
          uid: about.uid,
        },
      },
      signal,
    });
    if (made.status !== 201 || !isRawObject(made.body)) throw new Error(`the API server answered ${made.status}`);
    if (series.size >= limits.remembered) {
      const oldest = series.keys().next();
      if (oldest.done !== true) series.delete(oldest.value);
    }
    series.set(key, { path: `${collection}/${made.body.metadata.name}`, count: 1, at: elapsed });
  };

  const run = async (): Promise<void> => {
    for (let event = queue.shift(); event !== undefined && !signal.aborted; event = queue.shift()) {
      try {
        await send(event);
        observe("sent");
      } catch (error) {
        observe("failed");
        log.debug({ err: error, reason: event.reason }, "event could not be sent");
      }
    }
    running = false;
  };

  return {
    emit: (event) => {
      if (queue.length >= limits.queued || !take()) {
        observe("dropped");
        return;
      }
      queue.push(event);
      if (running) return;
      running = true;
      done = run();
    },
    idle: () => done,
  };
}
