// Telling the operator what is served. In: acknowledgements as batches are applied. Out: POST requests, one at a time and not too many, the
// newest wins.
import type { Session } from "./access.ts";
import { backoff, pause } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import type { Ack } from "./contract.ts";
import type { Log } from "./log.ts";
import { sendRequest } from "./send-request.ts";

/** Milliseconds for one request; then it is tried again, with what is newest by then. */
const ANSWER_MS = 2000;
/** Bytes of an answer, which nobody reads, that are worth keeping a connection for. */
const LONGEST = 64 * 1024;
/**
 * Milliseconds between two requests while changes go on and on: several are acknowledged together. Whoever stands by writes no statuses, and
 * needs to know only about where the proxies are if it takes over.
 */
const EVERY_MS = { applied: 50, standby: 500 };
/** The first few requests after a pause do not wait. */
const AT_ONCE = 5;

export interface Acks {
  /** Never waits. An acknowledgement that was not sent yet is replaced: it says less. */
  send(ack: Ack): void;
}

export interface AcksDeps {
  readonly url: URL;
  /** Of the stream. */
  readonly role: "applied" | "standby";
  readonly session: Pick<Session, "dispatcher" | "headers">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Aborts with the stream: what is not delivered by then is forgotten. */
  readonly signal: AbortSignal;
}

export function createAcks({ url, role, session, clock, random, log, signal }: AcksDeps): Acks {
  const every = EVERY_MS[role];
  let newest: Ack | undefined;
  let sending = false;
  /** When the next request is due if each takes its time, of `clock.elapsed()`. */
  let due = 0;

  const post = async (ack: Ack): Promise<boolean> => {
    try {
      const options = {
        origin: url.origin,
        path: url.pathname + url.search,
        method: "POST",
        headers: { "content-type": "application/json", ...session.headers },
        body: JSON.stringify(ack),
      } as const;
      const prepared = Promise.resolve({ dispatcher: session.dispatcher, options });
      const { status } = await sendRequest({
        prepared,
        timeout: ANSWER_MS,
        clock,
        signal,
        onStatus: () => undefined,
        longest: LONGEST,
      });
      if (status < 300) return true;
      log.debug({ status, sequence: ack.sequence }, "acknowledgement was not taken");
    } catch (error) {
      if (!signal.aborted) log.debug({ err: error, sequence: ack.sequence }, "acknowledgement was not delivered");
    }
    return false;
  };

  const deliver = async (): Promise<void> => {
    let failures = 0;
    for (;;) {
      const early = due - AT_ONCE * every - clock.elapsed();
      if (early > 0) await pause(clock, early, signal);
      const ack = newest;
      if (ack === undefined || signal.aborted) break;
      due = Math.max(due, clock.elapsed()) + every;
      if (await post(ack)) {
        failures = 0;
        if (newest === ack) newest = undefined;
      } else {
        await pause(clock, backoff(failures, random), signal);
        failures += 1;
      }
    }
    sending = false;
  };

  return {
    send(ack) {
      newest = ack;
      if (sending) return;
      sending = true;
      // It handles its own failures: none is left to reject with.
      void deliver();
    },
  };
}
