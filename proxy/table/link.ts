// One operator's stream, kept up. In: what opens it once, and how long to wait after it ended. Out: a state for choosing; it runs until it is
// stopped and never fails.
import { pause } from "./backoff.ts";
import type { Candidate } from "./choose.ts";
import type { Clock } from "./clock.ts";
import { HEARTBEAT_MS } from "./contract.ts";
import type { Place } from "./places.ts";
import { QUIET_BEATS, type StreamEnd } from "./stream.ts";

export type Role = "applied" | "standby";

/** What a stream that is open says of its operator. */
export interface Greeting {
  readonly replica: string;
  readonly holder: string | undefined;
}

/** What a link is to be told of its stream. */
export interface Told {
  /** The greeting, and each heartbeat. */
  heard(greeting: Greeting): void;
  /** The table is what the stream says it is. */
  inStep(): void;
}

/** "Twin": the operator is heard at another address already. */
export type LinkEnd = StreamEnd | { readonly end: "Twin" };

/** It could not be had, or broke off. */
export type Lost = Exclude<LinkEnd, { end: "Aborted" | "Renewed" }>;

export interface LinkDeps {
  readonly place: Place;
  readonly role: Role;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Opens the stream and reads it to its end. */
  open(role: Role, told: Told, signal: AbortSignal): Promise<LinkEnd>;
  /** Tells the end of a stream, and gives how long to wait before the next; milliseconds. */
  ended(role: Role, end: Lost): number;
  /** Its state is another, or its role. */
  onChange(): void;
}

export interface Link extends Candidate {
  readonly place: Place;
  readonly role: Role;
  readonly replica: string | undefined;
  /** In another role, the stream is opened anew at once. */
  become(role: Role): void;
  stop(): void;
  /** Resolves once it was stopped, or the signal aborted, and its stream has ended. */
  readonly done: Promise<void>;
}

export function createLink(deps: LinkDeps): Link {
  const { place, clock } = deps;
  const stopped = new AbortController();
  const signal = AbortSignal.any([deps.signal, stopped.signal]);
  let { role } = deps;
  let state: Candidate["state"] = "Opening";
  let greeting: Greeting | undefined;
  let opened = new AbortController();
  let filling = false;

  const enter = (now: Candidate["state"]): void => {
    if (state === now) return;
    state = now;
    filling = now === "Live" && role === "applied";
    if (!signal.aborted) deps.onChange();
  };
  const inStep = (): void => {
    if (!filling) return;
    filling = false;
    if (!signal.aborted) deps.onChange();
  };

  const heard = (now: Greeting): void => {
    const known = greeting;
    greeting = now;
    if (state !== "Live") enter("Live");
    else if (known?.holder !== now.holder && !signal.aborted) deps.onChange();
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      opened = new AbortController();
      const late = clock.setTimeout(() => {
        if (state === "Opening") enter("Lost");
      }, QUIET_BEATS * HEARTBEAT_MS);
      const end = await deps.open(role, { heard, inStep }, AbortSignal.any([signal, opened.signal]));
      late.cancel();
      // Its role has changed, or its token.
      if (end.end === "Aborted" || end.end === "Renewed") continue;
      const wait = deps.ended(role, end);
      enter("Lost");
      await pause(clock, wait, signal);
    }
  };
  const done = run();

  return {
    id: place.id,
    place,
    get state() {
      return state;
    },
    get role() {
      return role;
    },
    get replica() {
      return greeting?.replica;
    },
    get filling() {
      return filling;
    },
    get namesItself() {
      return greeting !== undefined && greeting.holder === greeting.replica;
    },
    become(now) {
      if (now === role) return;
      role = now;
      if (state === "Live") state = "Opening";
      filling = false;
      opened.abort();
    },
    stop: () => stopped.abort(),
    done,
  };
}
