// A subscription under test. In: operators. Out: a table that follows them under a clock that the test moves, and what was told.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFakeClock, type FakeClock } from "./clock.test-support.ts";
import type { Table } from "./compiled.ts";
import type { RowChange } from "./contract.ts";
import { openLastGood, type LastGood } from "./last-good.ts";
import { createBell, startTestOperator, type Bell, type TestOperator } from "./operator.test-support.ts";
import type { Resolve } from "./places.ts";
import { agentRow, keyRow } from "./rows.test-support.ts";
import { startState, type SubscribeState } from "./subscribe-state.ts";
import { subscribe } from "./subscribe.ts";
import { createTable, type TableWriter } from "./table.ts";
import { createWithheld, type Withheld } from "./withheld.ts";

export const travel: RowChange = { id: "agent/agents/travel", row: agentRow({ publicName: "travel" }) };
export const alice: RowChange = { id: "key/agents/alice", row: keyRow("sk-alice") };
export const bob: RowChange = { id: "key/agents/bob", row: keyRow("sk-bob") };

export interface Subscribed {
  readonly table: Table & TableWriter;
  /** What requests read is its table. */
  readonly withheld: Withheld;
  readonly clock: FakeClock;
  readonly states: readonly SubscribeState[];
  readonly state: SubscribeState;
  readonly logged: readonly string[];
  abort(): void;
  readonly done: Promise<void>;
  /** Waits until so many acknowledgements have come to the operator and been answered. */
  acknowledged(operator: TestOperator, count: number): Promise<void>;
  /** Waits until it pauses, then lets that much time pass. Gives how long it wanted to wait, in whole milliseconds. */
  retried(): Promise<number>;
  /** The same, once the stream is lost. */
  reconnected(): Promise<number>;
  /** Lets time pass through pauses until the condition holds. */
  retriedUntil(condition: () => boolean): Promise<void>;
}

export interface Scene {
  readonly bell: Bell;
  subscribe(operators: readonly string[], lastGood?: LastGood, resolve?: Resolve): Subscribed;
  operator(rows?: readonly RowChange[], replica?: string): Promise<TestOperator>;
  openLog(file: string): Promise<LastGood>;
  tempFile(): Promise<string>;
  /** Ends everything that was begun. */
  end(): Promise<void>;
}

/** So small that delays are what backoff() gives without chance, yet no whole number: so they are told from other timers. */
const HARDLY = 1e-6;

export function createScene(): Scene {
  const bell = createBell();
  const endings: (() => unknown)[] = [];

  const start = (operators: readonly string[], lastGood?: LastGood, resolve?: Resolve): Subscribed => {
    const controller = new AbortController();
    const table = createTable();
    table.onChange(() => bell.ring());
    const clock = createFakeClock();
    const withheld = createWithheld({ table, clock });
    withheld.table.onChange(() => bell.ring());
    const timers = new Set<number>();
    const states: SubscribeState[] = [startState];
    const logged: string[] = [];
    const note = (_fields: object, message: string): void => {
      logged.push(message);
      bell.ring();
    };
    const state = (): SubscribeState => states.at(-1) ?? never();
    const done = subscribe({
      table,
      withheld,
      operators,
      resolve,
      gateway: "default",
      proxy: "proxy-1",
      lastGood,
      clock: {
        now: () => clock.now(),
        elapsed: () => clock.elapsed(),
        setTimeout(fire, ms) {
          const timer = clock.setTimeout(() => {
            timers.delete(ms);
            fire();
          }, ms);
          timers.add(ms);
          bell.ring();
          return {
            cancel() {
              timer.cancel();
              timers.delete(ms);
              bell.ring();
            },
          };
        },
      },
      random: () => HARDLY,
      log: { debug: () => undefined, info: note, warn: note, error: note },
      signal: controller.signal,
      onState(now) {
        states.push(now);
        bell.ring();
      },
    });
    const pause = (): number | undefined => [...timers].find((ms) => !Number.isInteger(ms));
    const retried = async (when: () => boolean = () => true): Promise<number> => {
      await bell.until(() => pause() !== undefined && when());
      const wait = pause() ?? never();
      clock.advance(wait);
      return Math.floor(wait);
    };
    endings.push(async () => {
      controller.abort();
      withheld.end();
      await done;
      await lastGood?.close();
    });
    return {
      table,
      withheld,
      clock,
      states,
      get state() {
        return state();
      },
      logged,
      abort: () => controller.abort(),
      done,
      acknowledged: (operator, count) => bell.until(() => operator.acks.length === count && !timers.has(2000)),
      retried: () => retried(),
      reconnected: () => retried(() => !state().connected),
      async retriedUntil(condition) {
        for (;;) {
          await bell.until(() => pause() !== undefined || condition());
          if (condition()) return;
          clock.advance(pause() ?? 0);
        }
      },
    };
  };

  return {
    bell,
    subscribe: start,
    async operator(rows = [travel, alice], replica = "r-1") {
      const operator = await startTestOperator(bell, replica);
      endings.push(() => operator.close());
      operator.apply(rows);
      return operator;
    },
    openLog(file) {
      const ignore = (): void => undefined;
      return openLastGood({
        file,
        gateway: "default",
        random: () => 0,
        log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
      });
    },
    async tempFile() {
      const folder = await mkdtemp(join(tmpdir(), "subscribe-"));
      endings.unshift(() => rm(folder, { recursive: true, force: true }));
      return join(folder, "table.log");
    },
    async end() {
      for (const end of endings.splice(0).toReversed()) await end();
    },
  };
}

function never(): never {
  throw new Error("cannot be");
}
