// Task states in one spelling. In: a state as 0.3, 1.0 or protobuf JSON spell it. Out: `completed`, `input-required` and the like.

const STATES: ReadonlySet<string> = new Set([
  "submitted",
  "working",
  "input-required",
  "completed",
  "canceled",
  "failed",
  "rejected",
  "auth-required",
  "unknown",
]);
/** As 0.3 names them. */
export const STATE_NAMES: readonly string[] = [...STATES];
const TERMINAL: ReadonlySet<string> = new Set(["completed", "canceled", "failed", "rejected"]);
const PREFIX = "TASK_STATE_";

/** Every state that a protocol version knows: 0.3 by its name, 1.0 without prefix in lower case with hyphens; else undefined. */
export function taskState(state: string): string | undefined {
  if (STATES.has(state)) return state;
  if (!state.startsWith(PREFIX)) return undefined;
  const name = state.slice(PREFIX.length).toLowerCase().replaceAll("_", "-");
  // The 0.3 protobuf has two l.
  if (name === "cancelled") return "canceled";
  if (name === "unspecified") return "unknown";
  return STATES.has(name) ? name : undefined;
}

/** No event comes after it (A2A 1.0 section 4.1.3). */
export function isTerminal(state: string | undefined): boolean {
  return state !== undefined && TERMINAL.has(state);
}
