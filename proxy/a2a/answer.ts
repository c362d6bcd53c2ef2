// What an agent's answer says. In: the bytes of a JSON answer, as they pass. Out: the ids and the state of the task it speaks of.
// Nothing is kept but these; one reader serves both bindings and both versions, since their members do not collide.
import type { Binding } from "../table/contract.ts";
import { compileShape, FACT } from "./json-shape.ts";
import type { Position } from "./json-shape.ts";
import { createJsonScan } from "./json-scan.ts";
import type { JsonScan } from "./json-scan.ts";
import type { Operation } from "./operation.ts";
import { isTerminal, STATE_NAMES, taskState } from "./task-state.ts";

export interface Seen {
  readonly taskId?: string | undefined;
  readonly contextId?: string | undefined;
  /** As `FinishedRequest.state`: `completed`, `input-required`. */
  readonly state?: string | undefined;
  /** JSON-RPC binding only. */
  readonly rpcCode?: number | undefined;
}

export interface AnswerReader {
  push(chunk: Uint8Array): void;
  /** Undefined: not one JSON text in UTF-8. */
  end(): Seen | undefined;
}

/** What one JSON text of an answer or of a stream says. */
export interface Reading {
  readonly seen: Seen;
  /** Nothing comes after it in a stream: a terminal state, `final: true`, a message, an error. */
  readonly terminal: boolean;
}

const ROOT = 0;
const RESULT = 1;
const ERROR = 2;
const CODE = 3;
/** Every object that may speak of a task has these seven slots, from its first one on. */
const OBJECT_SLOTS = 7;
const AT_ID = 0;
const AT_TASK_ID = 1;
const AT_CONTEXT_ID = 2;
const AT_STATE = 3;
const AT_FINAL = 4;
const AT_KIND = 5;
const AT_STATUS = 6;
const BARE = 4;
const WRAPPED = BARE + OBJECT_SLOTS;
/** Members of a oneof, in all spellings; `id` of a task is its own, of the others there is none. */
const WRAPPERS = [
  ["task"],
  ["message", "msg"],
  ["statusUpdate", "status_update"],
  ["artifactUpdate", "artifact_update"],
];
const TASK = 0;
const MESSAGE = 1;

/** What a 0.3 result or event calls itself. */
const KINDS = ["task", "message", "status-update", "artifact-update"];

const object = (first: number): readonly Position[] => [
  { slot: first + AT_ID, names: ["id"], keep: "text" },
  { slot: first + AT_TASK_ID, names: ["taskId", "task_id"], keep: "text" },
  { slot: first + AT_CONTEXT_ID, names: ["contextId", "context_id"], keep: "text" },
  {
    slot: first + AT_STATUS,
    names: ["status"],
    members: [{ slot: first + AT_STATE, names: ["state"], keep: "text", values: STATE_NAMES }],
  },
  { slot: first + AT_FINAL, names: ["final"] },
  { slot: first + AT_KIND, names: ["kind"], keep: "text", values: KINDS },
];
const wrapper = (index: number): number => WRAPPED + index * (OBJECT_SLOTS + 1);
const payload: readonly Position[] = [
  ...object(BARE),
  ...WRAPPERS.map((names, index) => ({ slot: wrapper(index), names, members: object(wrapper(index) + 1) })),
];
const error: Position = { slot: ERROR, names: ["error"], members: [{ slot: CODE, names: ["code"], keep: "raw" }] };

const SHAPES = {
  JSONRPC: compileShape([error, { slot: RESULT, names: ["result"], members: payload }]),
  "HTTP+JSON": compileShape([error, ...payload]),
} as const;

/** Reads a JSON answer of any size in bounded memory. */
export function createAnswerReader(binding: Binding, operation: Operation): AnswerReader {
  return new Reader(binding, operation);
}

class Reader implements AnswerReader {
  readonly #binding: Binding;
  readonly #operation: Operation;
  readonly #scan: JsonScan;

  constructor(binding: Binding, operation: Operation) {
    this.#binding = binding;
    this.#operation = operation;
    this.#scan = createJsonScan(SHAPES[binding]);
  }

  push(chunk: Uint8Array): void {
    this.#scan.push(chunk);
  }

  end(): Seen | undefined {
    return this.#scan.end() === undefined ? read(this.#scan, this.#binding, this.#operation).seen : undefined;
  }
}

/** A scanner for the events of a stream: SSE decoding replaces what is not UTF-8, so that is no fault here. */
export function createEventScan(binding: Binding): JsonScan {
  return createJsonScan(SHAPES[binding], { utf8: false });
}

/** What a scanned answer says; the scan has ended well. */
export function read(scan: JsonScan, binding: Binding, operation: Operation): Reading {
  if (scan.facts(ROOT) !== FACT.object) return NOTHING;
  if ((scan.facts(ERROR) & FACT.object) !== 0) return readError(scan, binding);
  for (let index = 0; index < WRAPPERS.length; index++) {
    if ((scan.facts(wrapper(index)) & FACT.object) === 0) continue;
    return readObject(scan, wrapper(index) + 1, index === TASK, index === MESSAGE);
  }
  const kind = scan.text(BARE + AT_KIND);
  const isTask = kind === "task" || operation.name === "GetTask" || operation.name === "CancelTask";
  return readObject(scan, BARE, isTask, kind === "message");
}

const NOTHING: Reading = { seen: {}, terminal: false };

function readObject(scan: JsonScan, first: number, isTask: boolean, isMessage: boolean): Reading {
  const taskId = scan.text(first + (isTask ? AT_ID : AT_TASK_ID));
  const contextId = scan.text(first + AT_CONTEXT_ID);
  const stateText = scan.text(first + AT_STATE);
  const state = stateText === undefined ? undefined : taskState(stateText);
  const seen: Seen = {
    taskId: taskId === "" ? undefined : taskId,
    contextId: contextId === "" ? undefined : contextId,
    state,
    rpcCode: undefined,
  };
  const final = (scan.facts(first + AT_FINAL) & FACT.true) !== 0;
  return { seen, terminal: isMessage || final || isTerminal(state) };
}

function readError(scan: JsonScan, binding: Binding): Reading {
  const code = binding === "JSONRPC" ? Number(scan.text(CODE)) : Number.NaN;
  const rpcCode = Number.isSafeInteger(code) ? code : undefined;
  return { seen: { taskId: undefined, contextId: undefined, state: undefined, rpcCode }, terminal: true };
}
