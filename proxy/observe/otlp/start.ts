// Whether and what a process exports. In: its environment. Out: an exporter, loaded only when it is asked for.
import type { Registry } from "prom-client";
import type { FinishedRequest } from "../record.ts";
import type { Sampling } from "../trace.ts";
import { type Environment, readOtlpSettings } from "./settings.ts";

export interface StartedOtlp {
  /** Absent: no traces are exported. */
  readonly sampling: Sampling | undefined;
  readonly finished: (record: FinishedRequest) => void;
  readonly close: () => Promise<void>;
}

/** How long the end of the process waits for a collector; milliseconds. */
const CLOSE_LIMIT = 3000;

/** Undefined: nothing is to be exported. Faults of the environment are logged; what they leave clear is exported. */
export async function startOtlp(deps: {
  env: Environment;
  service: string;
  instance: string;
  version: string;
  registry: Registry;
  clock: { now(): number; setTimeout(run: () => void, milliseconds: number): { cancel(): void } };
  log: { warn(fields: object, message: string): void };
}): Promise<StartedOtlp | undefined> {
  const { env, clock, log } = deps;
  const { settings, faults } = readOtlpSettings(env, deps);
  for (const fault of faults) log.warn({ fault }, "telemetry is not exported as asked");
  if (settings === undefined) return undefined;
  const { createOtlp } = await import("./export.ts");
  let otlp: Awaited<ReturnType<typeof createOtlp>>;
  try {
    otlp = await createOtlp({ ...deps, settings });
  } catch (error) {
    // Its message may hold what the variables hold, and headers are credentials.
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    log.warn(
      { fault: `the exporter does not take what OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS or _CERTIFICATE say${code}` },
      "telemetry is not exported as asked",
    );
    return undefined;
  }
  return {
    sampling: settings.traces?.sampling,
    finished: (record) => otlp.finished(record),
    close: () =>
      Promise.race([otlp.close(), new Promise<void>((resolve) => void clock.setTimeout(resolve, CLOSE_LIMIT))]),
  };
}
