// What the example agent does with a message. In: its text and the turn to write to. Out: events; every behaviour ends its turn.
import { TaskState } from "@a2a-js/sdk";
import type { Turn } from "./events.ts";

export interface Settings {
  readonly copy: string;
  /** Milliseconds between two words of a stream. */
  readonly pace: number;
  /** Seconds that `long` works. */
  readonly seconds: number;
}

export interface Request {
  readonly text: string;
  /** The task waits for an answer, and this is it. */
  readonly asked: boolean;
  /** Request headers that may be shown, if showing them is switched on. */
  readonly headers: ReadonlyMap<string, string> | undefined;
}

/** Resolves after `ms` milliseconds; rejects when the task is cancelled before. */
export type Wait = (ms: number) => Promise<void>;

type Behaviour = (request: Request, turn: Turn, settings: Settings, wait: Wait) => Promise<void>;

/** Says hello and repeats the text. */
const answer: Behaviour = async ({ text }, turn, { copy }) => {
  turn.open(TaskState.TASK_STATE_WORKING);
  turn.write(`Hello from copy ${copy}: ${text}`, true);
  turn.status(TaskState.TASK_STATE_COMPLETED);
};

/** `stream one two three`: the words come one by one. */
const stream: Behaviour = async ({ text }, turn, { copy, pace }, wait) => {
  const said = text.split(/\s+/).slice(1);
  const words = said.length > 0 ? said : "every word of this comes in a piece of its own".split(" ");
  turn.open(TaskState.TASK_STATE_WORKING);
  turn.write(`Copy ${copy} streams:`, false);
  for (const [index, word] of words.entries()) {
    await wait(pace);
    turn.write(` ${word}`, index === words.length - 1);
  }
  turn.status(TaskState.TASK_STATE_COMPLETED);
};

/** `long` or `long 5`: works for so many seconds and says each second how far it is. */
const long: Behaviour = async ({ text }, turn, { copy, seconds }, wait) => {
  const asked = Number(text.split(/\s+/)[1]);
  const steps = Number.isFinite(asked) && asked > 0 ? Math.min(Math.ceil(asked), 3_600) : seconds;
  turn.open(TaskState.TASK_STATE_WORKING);
  turn.status(TaskState.TASK_STATE_WORKING, `Copy ${copy} works: 0 of ${steps} seconds`);
  for (let step = 1; step <= steps; step++) {
    await wait(1_000);
    if (step < steps) turn.status(TaskState.TASK_STATE_WORKING, `Copy ${copy} works: ${step} of ${steps} seconds`);
  }
  turn.write(`Copy ${copy} worked for ${steps} seconds.`, true);
  turn.status(TaskState.TASK_STATE_COMPLETED);
};

/** `ask`: the task waits until its next message. */
const ask: Behaviour = async (_request, turn, { copy }) => {
  turn.open(TaskState.TASK_STATE_WORKING);
  turn.status(TaskState.TASK_STATE_INPUT_REQUIRED, `Copy ${copy} asks: what is your favourite colour?`);
};

/** The answer to what `ask` asked. */
const thank: Behaviour = async ({ text }, turn, { copy }) => {
  turn.open(TaskState.TASK_STATE_WORKING);
  turn.write(`Copy ${copy} says: ${text} is a fine choice.`, true);
  turn.status(TaskState.TASK_STATE_COMPLETED);
};

/** `headers`: which request headers arrived. Only where it is switched on. */
const headers: Behaviour = async ({ headers: shown }, turn, { copy }) => {
  turn.open(TaskState.TASK_STATE_WORKING);
  const lines = [...(shown ?? [])].map(([name, value]) => `${name}: ${value}`);
  turn.write([`Copy ${copy} got these headers:`, ...lines].join("\n"), true);
  turn.status(TaskState.TASK_STATE_COMPLETED);
};

/** The behaviour for a message: its first word chooses, or the question that the task waits on. */
export function behaviourFor(request: Request): Behaviour {
  if (request.asked) return thank;
  switch (request.text.split(/\s+/)[0]?.toLowerCase()) {
    case "stream":
      return stream;
    case "long":
      return long;
    case "ask":
      return ask;
    case "headers":
      return request.headers === undefined ? answer : headers;
    default:
      return answer;
  }
}
