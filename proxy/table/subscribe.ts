// Keeping the table current. In: operators, a table, a last-good log. Out: a table that follows the stream, acknowledgements, and
// a state that says how far it can be trusted. It runs until it is aborted and never fails.
import { once } from "node:events";
import { createAccess, type Access } from "./access.ts";
import { createAcks, type Acks } from "./acks.ts";
import { backoff, pause } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import type { Table } from "./compiled.ts";
import { ACKS_PATH, STREAM_PATH } from "./contract.ts";
import { createFallback } from "./fallback.ts";
import type { LastGood } from "./last-good.ts";
import type { Log } from "./log.ts";
import { readStream, type StreamEnd } from "./stream.ts";
import { createStreamReader, type Step } from "./stream-reader.ts";
import type { TableWriter } from "./table.ts";

export interface SubscribeState {
  /** Whether an operator of our gateway is sending. */
  readonly connected: boolean;
  /** When the last line was heard, milliseconds since the epoch. */
  readonly heardAt: number | undefined;
  /** What the table was last confirmed by. */
  readonly source: "stream" | "last-good" | "none";
  /** Batches and lines that could not be trusted, since the start. */
  readonly resyncs: number;
  /** Streams that ended and were tried again, since the start. */
  readonly reconnects: number;
}

export interface SubscribeDeps {
  readonly table: Table & TableWriter;
  /** Base URLs, tried in turn. One stream is held; a stream to each, with the others on standby, comes in at `follow`. */
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
  onState(state: SubscribeState): void;
}

/** Faults this far apart do not make the next wait longer. */
const CALM_MS = 60_000;

/** Resolves once the signal has aborted and everything it began has ended. */
export async function subscribe(deps: SubscribeDeps): Promise<void> {
  const { table, operators, gateway, proxy, lastGood, clock, random, log, signal } = deps;
  const access = deps.access ?? createAccess({ clock });
  let state: SubscribeState = { connected: false, heardAt: undefined, source: "none", resyncs: 0, reconnects: 0 };
  const update = (change: Partial<SubscribeState>): void => {
    state = { ...state, ...change };
    deps.onState(state);
  };
  const fallback = createFallback(deps, () => update({ source: "last-good" }));

  /** Streams lost in a row, and faults in a row. */
  let losses = 0;
  let faults = 0;
  let faultAt = Number.NEGATIVE_INFINITY;
  let whole = false;

  let refusedRows = 0;

  const follow = async (base: string): Promise<StreamEnd> => {
    if (!URL.canParse(base)) return { end: "Lost", detail: "the operator's address is not a URL" };
    const opened = await access.open();
    if (!opened.ok) return { end: "Lost", detail: opened.fault };
    const { session } = opened;
    const ended = new AbortController();
    const life = AbortSignal.any([signal, ended.signal]);
    const acks = createAcks({ url: urlOf(base, ACKS_PATH), session, clock, random, log, signal: life });
    const confirm = (): void => {
      losses = 0;
      whole = false;
      if (state.source !== "stream") update({ source: "stream" });
    };
    const onStep = (step: Step): void => {
      if (step.step === "Greeted") {
        fallback.answered();
        log.info({ operator: base, replica: step.replica, holder: step.holder }, "operator answers");
        update({ connected: true });
      } else if (step.step === "Applied") {
        confirm();
        const { at, refused } = step;
        log.debug({ sequence: at.sequence, version: at.version, rows: table.rows }, "batch applied");
        if (step.refusedRows > refusedRows) log.warn({ rows: step.refusedRows, first: refused[0] }, "rows are refused");
        ({ refusedRows } = step);
        void acknowledge(acks, { proxy, ...at, refused, refusedRows }, step.durable);
      } else if (step.step === "Current") {
        confirm();
      }
    };
    const url = urlOf(base, STREAM_PATH);
    url.searchParams.set("gateway", gateway);
    url.searchParams.set("proxy", proxy);
    if (table.complete && !whole) url.searchParams.set("version", table.version);
    const reader = createStreamReader({ table, lastGood, gateway });
    const end = await readStream({
      url,
      session,
      clock,
      signal,
      reader,
      onStep,
      onHeard: () => update({ heardAt: clock.now() }),
    });
    ended.abort();
    await session.close();
    return end;
  };

  /** Counts and tells the end of a stream. Gives how long to wait before the next, in milliseconds. */
  const judge = (end: StreamEnd, base: string): number => {
    if (end.end === "Fault") {
      faults = clock.now() - faultAt > CALM_MS ? 0 : faults + 1;
      faultAt = clock.now();
      whole = true;
      log.warn({ operator: base, fault: end.fault, version: table.version }, "stream cannot be trusted: resync");
      update({ connected: false, resyncs: state.resyncs + 1 });
      return Math.max(backoff(faults, random), backoff(losses, random));
    }
    if (end.end === "OtherGateway") {
      log.error({ operator: base, gateway, theirs: end.gateway }, "operator serves another gateway: refused");
    } else if (losses === 0) {
      log.warn({ operator: base, end: end.end, detail: "detail" in end ? end.detail : undefined }, "stream lost");
    }
    update({ connected: false });
    losses += 1;
    return backoff(losses - 1, random);
  };

  for (let turn = 0; !signal.aborted && operators.length > 0; turn += 1) {
    if (turn > 0) update({ reconnects: state.reconnects + 1 });
    const base = operators[turn % operators.length] ?? "";
    const end = await follow(base);
    if (end.end === "Aborted") break;
    if (end.end === "Renewed") {
      turn -= 1;
      continue;
    }
    const wait = judge(end, base);
    fallback.unanswered();
    await pause(clock, wait, signal);
  }
  // Without an operator there is still the log.
  if (!signal.aborted) await once(signal, "abort");
  if (state.connected) update({ connected: false });
  await fallback.end();
}

async function acknowledge(acks: Acks, ack: Parameters<Acks["send"]>[0], durable: Promise<boolean>): Promise<void> {
  if (await durable) acks.send(ack);
}

function urlOf(base: string, path: string): URL {
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/$/, "") + path;
  return url;
}
