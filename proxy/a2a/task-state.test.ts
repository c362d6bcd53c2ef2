import { describe, expect, it } from "vitest";
import { isTerminal, taskState } from "./task-state.ts";

describe("taskState", () => {
  it.each([
    ["completed", "completed"],
    ["input-required", "input-required"],
    ["unknown", "unknown"],
    ["TASK_STATE_AUTH_REQUIRED", "auth-required"],
    ["TASK_STATE_CANCELED", "canceled"],
    ["TASK_STATE_CANCELLED", "canceled"],
    ["TASK_STATE_UNSPECIFIED", "unknown"],
    ["TASK_STATE_", undefined],
    ["TASK_STATE_PAUSED", undefined],
    ["COMPLETED", undefined],
    ["", undefined],
  ])("%s is %s", (state, expected) => expect(taskState(state)).toBe(expected));
});

it("only four states end a task", () => {
  const states = [
    "submitted",
    "working",
    "input-required",
    "completed",
    "canceled",
    "failed",
    "rejected",
    "auth-required",
    "unknown",
    undefined,
  ];
  expect(states.filter((state) => isTerminal(state))).toEqual(["completed", "canceled", "failed", "rejected"]);
});
