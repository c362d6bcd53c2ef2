// One stream in its role. In: a place, the table, what was seen of other streams. Out: batches in the table or rows withheld, and
// acknowledgements to that operator: never of what a restart could undo.
import type { Access } from "./access.ts";
import { createAcks, type Acks } from "./acks.ts";
import type { Clock } from "./clock.ts";
import type { Table } from "./compiled.ts";
import { ACKS_PATH, STREAM_PATH, type Subscription } from "./contract.ts";
import type { LastGood } from "./last-good.ts";
import type { Greeting } from "./link.ts";
import type { Log } from "./log.ts";
import type { Place } from "./places.ts";
import { seenRows } from "./seen-row.ts";
import { createStandbyReader, type StandbyStep } from "./standby-reader.ts";
import { readStream, type StreamEnd } from "./stream.ts";
import { createStreamReader, type Position, type Step } from "./stream-reader.ts";
import type { TableWriter } from "./table.ts";
import type { Withheld } from "./withheld.ts";

export interface FollowDeps {
  readonly table: Table & TableWriter;
  readonly withheld: Withheld;
  readonly lastGood: LastGood | undefined;
  readonly access: Access;
  readonly gateway: string;
  readonly proxy: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Something came on a stream. */
  readonly onHeard: () => void;
}

export interface OneStream {
  readonly place: Place;
  readonly signal: AbortSignal;
  readonly heard: (greeting: Greeting) => void;
}

export interface Follow {
  /** `ask`: what of the table is there already. `onConfirmed`: after each batch, and each heartbeat that agrees with the table. */
  applied(
    stream: OneStream,
    ask: Pick<Subscription, "version" | "buckets">,
    onConfirmed: (how: "Applied" | "Current") => void,
  ): Promise<StreamEnd>;
  standby(stream: OneStream): Promise<StreamEnd>;
}

export function createFollow(deps: FollowDeps): Follow {
  const { table, withheld, lastGood, access, gateway, proxy, clock, random, log, onHeard } = deps;
  /** Whether what the table holds is in the last-good log. */
  let durable: Promise<boolean> = Promise.resolve(true);
  let refusedRows = 0;
  /** Standby streams, to be looked at again when the table has changed. */
  const waiting = new Set<() => void>();

  const acknowledge = async (acks: Acks, at: Position): Promise<void> => {
    const refusals = table.refusals();
    if (await durable) acks.send({ proxy, ...at, ...refusals });
  };

  const run = async <S extends Step | StandbyStep>(
    { place, signal }: OneStream,
    ask: Partial<Subscription>,
    reader: { line(text: string): S | Promise<S>; end(): void },
    onStep: (step: S, acks: Acks) => void,
  ): Promise<StreamEnd> => {
    const opened = await access.open(place.address);
    if (!opened.ok) return { end: "Lost", detail: opened.fault };
    const { session } = opened;
    const ended = new AbortController();
    const life = AbortSignal.any([signal, ended.signal]);
    const role = ask.standby === true ? "standby" : "applied";
    const acks = createAcks({ url: urlOf(place.url, ACKS_PATH), role, session, clock, random, log, signal: life });
    const url = urlOf(place.url, STREAM_PATH);
    const subscription: Subscription = { gateway, proxy, ...ask };
    const end = await readStream<S>({
      url,
      subscription,
      session,
      clock,
      signal,
      reader,
      onStep: (step) => onStep(step, acks),
      onHeard,
    });
    ended.abort();
    await session.close();
    return end;
  };

  const applied: Follow["applied"] = async (stream, ask, onConfirmed) => {
    const { place, heard } = stream;
    let replica = "";
    const confirm = (how: "Applied" | "Current"): void => {
      for (const look of waiting) look();
      onConfirmed(how);
    };
    const onStep = (step: Step, acks: Acks): void => {
      if (step.step === "Greeted") {
        ({ replica } = step);
        log.info({ operator: place.id, replica, holder: step.holder }, "operator answers");
        heard({ replica, holder: step.holder });
      } else if (step.step === "Applied") {
        const { at } = step;
        ({ durable } = step);
        log.debug({ sequence: at.sequence, version: at.version, rows: table.rows }, "batch applied");
        withheld.applied(place.id, step.seen, step.reach, step.added);
        if (table.refusedRows > refusedRows) {
          log.warn({ rows: table.refusedRows, first: table.refusals().refused[0] }, "rows are refused");
        }
        ({ refusedRows } = table);
        void acknowledge(acks, at);
        confirm("Applied");
      } else if (step.step === "Current") {
        withheld.applied(place.id, seenRows(), step.reach);
        heard({ replica, holder: step.holder });
        confirm("Current");
      }
    };
    return run<Step>(stream, ask, createStreamReader({ table, lastGood, gateway }), onStep);
  };

  const standby: Follow["standby"] = async (stream) => {
    const { place, heard } = stream;
    let announced: Position | undefined;
    let acknowledged = -1;
    let replica = "";
    let toOperator: Acks | undefined;
    const look = (): void => {
      if (announced?.version !== table.version || !table.complete) return;
      withheld.inStep(place.id);
      if (toOperator === undefined || announced.sequence <= acknowledged) return;
      acknowledged = announced.sequence;
      void acknowledge(toOperator, announced);
    };
    const onStep = (step: StandbyStep, acks: Acks): void => {
      toOperator = acks;
      if (step.step === "Greeted") {
        ({ replica } = step);
        log.info({ operator: place.id, replica, holder: step.holder }, "operator stands by");
        heard({ replica, holder: step.holder });
      } else if (step.step === "Announced") {
        announced = step.at;
        withheld.seen(place.id, seenRows(), step.reach);
        heard({ replica, holder: step.holder });
        look();
      } else if (step.step === "Seen") {
        announced = step.at;
        withheld.seen(place.id, step.seen, step.reach);
        look();
      }
    };
    waiting.add(look);
    const reader = createStandbyReader({ gateway });
    const end = await run<StandbyStep>(stream, { standby: true }, reader, onStep);
    waiting.delete(look);
    return end;
  };

  return { applied, standby };
}

function urlOf(base: URL, path: string): URL {
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/$/, "") + path;
  return url;
}
