// What is logged while the API server cannot be read. In: failures as they come, of every kind. Out: few lines, the first at once.
import type { Log } from "../../process/log.ts";
import type { Kind } from "../objects.ts";

/** Milliseconds between two lines about one kind. */
const EVERY = 30_000;

/** Kinds that the API server has only once somebody has applied them. */
const OWN: ReadonlySet<Kind> = new Set<Kind>(["A2AAgent", "VirtualKey"]);

export interface FailureLog {
  /** @param status HTTP status of the refusal; undefined: there was no answer */
  failed(kind: Kind, status: number | undefined, fields: object): void;
  /** The kind can be read. */
  recovered(kind: Kind): void;
}

/** @param deps.now milliseconds of a clock that never steps */
export function createFailureLog(deps: { readonly log: Log; readonly now: () => number }): FailureLog {
  const { log, now } = deps;
  const lastTold = new Map<Kind, number>();
  const missing = new Set<Kind>();
  return {
    failed(kind, status, fields) {
      if (status === 404 && OWN.has(kind)) {
        if (missing.size === 0) {
          log.error(
            fields,
            "the API server does not know Parley's kinds: apply crds/a2aagents.yaml and crds/virtualkeys.yaml first",
          );
        }
        missing.add(kind);
        return;
      }
      const last = lastTold.get(kind);
      if (last !== undefined && now() - last < EVERY) {
        log.debug(fields, "watch of the API server failed");
        return;
      }
      lastTold.set(kind, now());
      log.warn(fields, "watch of the API server failed");
    },
    recovered: (kind) => void missing.delete(kind),
  };
}
