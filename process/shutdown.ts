// The one place where a process ends. In: SIGTERM, SIGINT or a call of stop, and steps. Out: the steps run in order, then exit.
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { createSignalEcho } from "./signal-echo.ts";

/** What of `process` is used: tests bring an emitter of their own. */
export interface SignalSource {
  on(signal: "SIGTERM" | "SIGINT", listener: (signal: "SIGTERM" | "SIGINT") => void): unknown;
  off(signal: "SIGTERM" | "SIGINT", listener: (signal: "SIGTERM" | "SIGINT") => void): unknown;
}

export interface ShutdownDeps {
  readonly log: Log;
  readonly clock: Clock;
  readonly signals: SignalSource;
  readonly exit: (code: number) => void;
  /** Milliseconds that all steps may take together; then the process exits with 1. */
  readonly limit: number;
}

export interface Shutdown {
  /** Adds a step; steps run in the order in which they were added. Added while steps run, it runs last. */
  step(name: string, run: () => void | Promise<void>): void;
  /** Aborted once the process is to end, before the first step. */
  readonly signal: AbortSignal;
  /** Ends the process: 0 is a wanted end. Resolves after exit was called; a second call waits for the first. */
  stop(cause: string, code?: number): Promise<void>;
}

const numbers = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Exit codes: 0 after a clean end, 1 when a step failed or the limit passed, 128 + signal number when a second signal came (one that is
 * no echo of the first: signal-echo.ts).
 */
export function createShutdown({ log, clock, signals, exit, limit }: ShutdownDeps): Shutdown {
  const steps: { readonly name: string; readonly run: () => void | Promise<void> }[] = [];
  const controller = new AbortController();
  const isEcho = createSignalEcho(clock);
  let ending: Promise<void> | undefined;
  let exited = false;

  function exitOnce(code: number): void {
    if (exited) return;
    exited = true;
    exit(code);
  }

  async function runSteps(wanted: number): Promise<void> {
    let code = wanted;
    const timer = clock.setTimeout(() => {
      log.error({ limit_ms: limit }, "shutdown took too long: exit");
      exitOnce(1);
    }, limit);
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
      try {
        await step.run();
        log.debug({ step: step.name }, "shutdown step done");
      } catch (error) {
        code ||= 1;
        log.error({ step: step.name, err: error }, "shutdown step failed");
      }
    }
    timer.cancel();
    signals.off("SIGTERM", onSignal);
    signals.off("SIGINT", onSignal);
    exitOnce(code);
  }

  function stop(cause: string, code = 0): Promise<void> {
    if (ending === undefined) {
      log.info({ cause }, "shutdown");
      controller.abort();
      ending = runSteps(code);
    }
    return ending;
  }

  function onSignal(signal: "SIGTERM" | "SIGINT"): void {
    if (isEcho(signal)) return;
    if (ending === undefined) void stop(signal);
    else exitOnce(128 + numbers[signal]);
  }
  signals.on("SIGTERM", onSignal);
  signals.on("SIGINT", onSignal);

  return {
    step: (name, run) => {
      steps.push({ name, run });
    },
    signal: controller.signal,
    stop,
  };
}
