// Keeping the table current. In: operators, a table, a last-good log. Out: a table that follows one operator's stream, what other streams
// take away withheld meanwhile, and a state that says how far it can be trusted. It runs until it is aborted and never fails.
import { once } from "node:events";
import { createAccess, type Access } from "./access.ts";
import { backoff, pause } from "./backoff.ts";
import { choose } from "./choose.ts";
import type { Clock } from "./clock.ts";
import type { Table } from "./compiled.ts";
import { createFallback } from "./fallback.ts";
import { createFollow } from "./follow.ts";
import type { LastGood } from "./last-good.ts";
import { createLink, type Greeting, type Link, type LinkEnd, type Lost, type Role, type Told } from "./link.ts";
import type { Log } from "./log.ts";
import { resolveAll, watchPlaces, type Place, type Resolve } from "./places.ts";
import { createResync } from "./resync.ts";
import { startState, type SubscribeState } from "./subscribe-state.ts";
import type { TableWriter } from "./table.ts";
import type { Withheld } from "./withheld.ts";

export interface SubscribeDeps {
  readonly table: Table & TableWriter;
  /** Told of what streams take away. It looks at the same table. */
  readonly withheld: Withheld;
  /** Base URLs. A name that has several addresses stands for one operator at each. */
  readonly operators: readonly string[];
  readonly gateway: string;
  /** Instance id: the pod UID in a cluster. */
  readonly proxy: string;
  readonly lastGood?: LastGood | undefined;
  readonly clock: Clock;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** TLS and authentication towards the operators; by default the system's CAs and no token. */
  readonly access?: Access | undefined;
  readonly resolve?: Resolve | undefined;
  onState(state: SubscribeState): void;
}

/** An operator that is found at two addresses is looked at again after so long; milliseconds. */
const TWIN_MS = 5000;

/**
 * Streams lost in a row that make the wait for the next longer, to 0.8 s: one that stands by is to be there again before the operator hangs
 * whose stream is applied.
 */
const SOON = 5;

/** Resolves once the signal has aborted and everything it began has ended. */
export async function subscribe(deps: SubscribeDeps): Promise<void> {
  const { table, withheld, gateway, clock, random, log, signal } = deps;
  let state = startState;
  const update = (change: Partial<SubscribeState>): void => {
    state = { ...state, ...change };
    deps.onState(state);
  };
  const fallback = createFallback(deps, (writtenAt) => update({ source: "last-good", writtenAt }));
  const resync = createResync({ table, clock, random });
  const follow = createFollow({
    ...deps,
    access: deps.access ?? createAccess({ clock }),
    lastGood: deps.lastGood,
    onHeard: () => update({ heardAt: clock.now() }),
  });
  const links = new Map<string, Link>();
  const ending = new Set<Promise<void>>();
  let applied: string | undefined;

  const confirmed = (how: "Applied" | "Current"): void => {
    resync.confirmed();
    if (how === "Applied" || state.source !== "stream") update({ source: "stream", writtenAt: undefined });
  };

  /** Whether the operator is heard already, at another address. */
  const isTwin = (place: Place, replica: string): boolean =>
    [...links.values()].some((link) => link.id !== place.id && link.state === "Live" && link.replica === replica);

  const addLink = (place: Place, role: Role): void => {
    /** Streams lost in a row. */
    let losses = 0;
    let begun = false;
    /** Its replica, if that is heard at another address. */
    let twin: string | undefined;
    const isHeardElsewhere = (): boolean => twin !== undefined && isTwin(place, twin);

    const open = async (as: Role, told: Told, life: AbortSignal): Promise<LinkEnd> => {
      // To ask would make the operator end the stream that it has with us.
      while (isHeardElsewhere() && !life.aborted) await pause(clock, TWIN_MS, life);
      if (begun) update({ reconnects: state.reconnects + 1 });
      begun = true;
      twin = undefined;
      const left = new AbortController();
      const stream = {
        place,
        signal: AbortSignal.any([life, left.signal]),
        heard(greeting: Greeting) {
          if (isTwin(place, greeting.replica)) {
            twin = greeting.replica;
            return left.abort();
          }
          if (as === "applied") fallback.answered();
          return told.heard(greeting);
        },
      };
      const confirm = (how: "Applied" | "Current"): void => {
        losses = 0;
        confirmed(how);
        told.inStep();
      };
      const streamed = as === "standby" ? follow.standby(stream) : follow.applied(stream, resync.ask(), confirm);
      const end = await streamed;
      return left.signal.aborted && !life.aborted ? { end: "Twin" } : end;
    };

    const ended = (as: Role, end: Lost): number => {
      withheld.lost(place.id);
      places.refresh();
      if (end.end === "Twin") {
        log.debug({ operator: place.id }, "this operator is heard at another address");
        return TWIN_MS;
      }
      if (end.end === "Fault") {
        log.warn({ operator: place.id, fault: end.fault, version: table.version }, "stream cannot be trusted: resync");
        const faults = new Map(state.faults).set(end.fault, (state.faults.get(end.fault) ?? 0) + 1);
        update({ resyncs: state.resyncs + 1, faults });
        const wait = backoff(losses, random);
        if (as === "applied") return Math.max(resync.fault(), wait);
        losses += 1;
        return wait;
      }
      if (end.end === "OtherGateway") {
        log.error({ operator: place.id, gateway, theirs: end.gateway }, "operator serves another gateway: refused");
      } else if (losses === 0) {
        log.warn({ operator: place.id, end: end.end, detail: "detail" in end ? end.detail : undefined }, "stream lost");
      }
      losses += 1;
      return backoff(Math.min(losses, SOON) - 1, random);
    };

    const link = createLink({
      place,
      role,
      clock,
      signal,
      open,
      ended,
      onChange() {
        if (link.state === "Live" && link.role === "standby") losses = 0;
        reconsider();
      },
    });
    links.set(place.id, link);
    const end = link.done.then(() => void ending.delete(end));
    ending.add(end);
  };

  /** Gives each stream its role. */
  const reconsider = (): void => {
    const next = choose([...links.values()], applied);
    if (next !== applied && next !== undefined) {
      if (applied !== undefined) {
        log.warn({ from: applied, to: next }, "another operator's stream is applied from now on");
        update({ switches: state.switches + 1 });
      }
      const before = links.get(applied ?? "");
      applied = next;
      before?.become("standby");
      links.get(next)?.become("applied");
    }
    const current = [...links.values()];
    const live = current.filter((link) => link.state === "Live");
    const connected = live.some((link) => link.role === "applied");
    const standby = live.filter((link) => link.role === "standby").length;
    update({ connected, standby, lost: current.length - live.length });
    if (current.every((link) => link.state === "Lost")) fallback.unanswered();
  };

  const places = watchPlaces({
    operators: deps.operators,
    resolve: deps.resolve ?? resolveAll,
    clock,
    log,
    signal,
    onPlaces(now) {
      const wanted = new Set(now.map(({ id }) => id));
      for (const [id, link] of links) {
        if (wanted.has(id)) continue;
        links.delete(id);
        withheld.lost(id);
        link.stop();
      }
      for (const place of now) {
        if (links.has(place.id)) continue;
        const first = applied === undefined;
        if (first) applied = place.id;
        addLink(place, first ? "applied" : "standby");
      }
      reconsider();
    },
  });

  if (links.size === 0) fallback.unanswered();
  // Without an operator there is still the log.
  if (!signal.aborted) await once(signal, "abort");
  await places.end();
  await Promise.all(ending);
  if (state.connected) update({ connected: false });
  await fallback.end();
}
