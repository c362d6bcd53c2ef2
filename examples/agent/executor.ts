// Joins the behaviours to the SDK. In: requests and cancellations from the SDK. Out: each run to its end, and a way to wait for all.
import { setTimeout as delay } from "node:timers/promises";
import { TaskState } from "@a2a-js/sdk";
import { STATE_HEADERS_KEY } from "@a2a-js/sdk/server";
import type { AgentExecutor, RequestContext, RequestHeaders } from "@a2a-js/sdk/server";
import { behaviourFor } from "./behaviours.ts";
import type { Settings } from "./behaviours.ts";
import { createTurn, textOf } from "./events.ts";
import type { Turn } from "./events.ts";

export interface ExampleExecutor extends AgentExecutor {
  /** Resolves when no task runs. */
  idle(): Promise<void>;
}

/** Shown by name only: what could be a credential. */
const hidden = /auth|cookie|key|token|secret|credential|session/i;

function shownHeaders(context: RequestContext): ReadonlyMap<string, string> {
  const headers = (context.context.state.get(STATE_HEADERS_KEY) ?? {}) as RequestHeaders;
  return new Map(
    Object.entries(headers)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([name, value]) => [name, hidden.test(name) ? "(hidden)" : String(value)]),
  );
}

/** With `showHeaders` the message `headers` tells which request headers arrived, credentials aside. */
export function createExecutor(settings: Settings, options: { readonly showHeaders: boolean }): ExampleExecutor {
  /** Tasks that run or wait for an answer. */
  const open = new Map<string, { readonly turn: Turn; readonly controller: AbortController; running: boolean }>();
  const runs = new Set<Promise<void>>();

  async function run(context: RequestContext, turn: Turn, signal: AbortSignal): Promise<void> {
    const request = {
      text: textOf(context.userMessage),
      asked: context.task?.status?.state === TaskState.TASK_STATE_INPUT_REQUIRED,
      headers: options.showHeaders ? shownHeaders(context) : undefined,
    };
    const wait = (ms: number): Promise<void> => delay(ms, undefined, { signal });
    try {
      await behaviourFor(request)(request, turn, settings, wait);
    } catch (error) {
      if (!signal.aborted) throw error;
      turn.status(TaskState.TASK_STATE_CANCELED, `Copy ${settings.copy} stopped.`);
    }
  }

  return {
    async execute(context, bus) {
      const controller = new AbortController();
      const turn = createTurn(context, bus, () => new Date());
      const entry = { turn, controller, running: true };
      open.set(context.taskId, entry);
      const running = run(context, turn, controller.signal);
      runs.add(running);
      try {
        await running;
      } finally {
        runs.delete(running);
        entry.running = false;
        if (!turn.waits) open.delete(context.taskId);
      }
    },
    async cancelTask(taskId) {
      const entry = open.get(taskId);
      if (entry === undefined) return;
      if (entry.running) {
        entry.controller.abort();
        return;
      }
      open.delete(taskId);
      entry.turn.status(TaskState.TASK_STATE_CANCELED, `Copy ${settings.copy} stopped.`);
    },
    async idle() {
      while (runs.size > 0) await Promise.allSettled(runs);
    },
  };
}
