import { SendMessageResponse, StreamResponse, Task, TaskPushNotificationConfig, TaskState } from "@a2a-js/sdk";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Binding } from "../table/contract.ts";
import { createAnswerReader } from "./answer.ts";
import type { Seen } from "./answer.ts";
import { operationOfMethod, operationOfName } from "./operation.ts";

function seen(binding: Binding, method: string, answer: unknown, chunk = 7): Seen | undefined {
  const bytes = Buffer.from(typeof answer === "string" ? answer : JSON.stringify(answer));
  const reader = createAnswerReader(binding, operationOfMethod(method));
  for (let i = 0; i < bytes.length; i += chunk) reader.push(bytes.subarray(i, i + chunk));
  return reader.end();
}
const rpc = (result: unknown): unknown => ({ jsonrpc: "2.0", id: 1, result });

const status = { state: "TASK_STATE_INPUT_REQUIRED", message: { taskId: "other", contextId: "other" } };
const task = Task.fromJSON({
  id: "T",
  contextId: "C",
  status,
  history: [{ messageId: "m", taskId: "old", contextId: "old" }],
  artifacts: [{ artifactId: "a", parts: [{ data: { id: "X", taskId: "X", status: { state: "failed" } } }] }],
});
const all = { taskId: "T", contextId: "C", state: "input-required" };

describe("answers of 1.0", () => {
  const sent = { task: Task.toJSON(task) };
  it.each<[Binding, string, unknown, Seen]>([
    ["JSONRPC", "SendMessage", rpc(sent), all],
    ["HTTP+JSON", "SendMessage", sent, all],
    ["JSONRPC", "GetTask", rpc(Task.toJSON(task)), all],
    ["HTTP+JSON", "CancelTask", Task.toJSON(task), all],
    [
      "JSONRPC",
      "SendMessage",
      rpc({ message: { messageId: "m", contextId: "C", taskId: "T" } }),
      { contextId: "C", taskId: "T" },
    ],
    ["HTTP+JSON", "SendMessage", { message: { messageId: "m", contextId: "C" } }, { contextId: "C" }],
    ["JSONRPC", "ListTasks", rpc({ tasks: [Task.toJSON(task)], nextPageToken: "" }), {}],
    ["JSONRPC", "DeleteTaskPushNotificationConfig", rpc(null), {}],
    ["HTTP+JSON", "DeleteTaskPushNotificationConfig", "{}", {}],
  ])("%s %s", (binding, method, answer, expected) => expect(seen(binding, method, answer)).toEqual(expected));

  it("takes the id of a push configuration for no task", () => {
    const config = TaskPushNotificationConfig.toJSON(
      TaskPushNotificationConfig.fromJSON({ id: "cfg", taskId: "T", url: "https://x" }),
    );
    expect(seen("JSONRPC", "CreateTaskPushNotificationConfig", rpc(config))).toEqual({ taskId: "T" });
  });

  it("reads what the SDK wrote, whatever the ids", () => {
    const id = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(id, id, fc.constantFrom(1, 3, 64, 4096), (taskId, contextId, chunk) => {
        const payload = { $case: "task", value: { ...task, id: taskId, contextId } } as const;
        const answer = rpc(SendMessageResponse.toJSON({ payload }));
        const got = createAnswerReader("JSONRPC", operationOfMethod("SendMessage"));
        const bytes = Buffer.from(JSON.stringify(answer));
        for (let i = 0; i < bytes.length; i += chunk) got.push(bytes.subarray(i, i + chunk));
        expect(got.end()).toEqual({ taskId, contextId, state: "input-required" });
      }),
    );
  });
});

describe("answers of 0.3", () => {
  const legacyTask = { kind: "task", id: "T", contextId: "C", status: { state: "input-required" } };
  it.each<[Binding, string, unknown, Seen]>([
    ["JSONRPC", "message/send", rpc(legacyTask), all],
    ["JSONRPC", "tasks/get", rpc({ ...legacyTask, kind: undefined }), all],
    ["JSONRPC", "message/send", rpc({ kind: "message", messageId: "m", contextId: "C" }), { contextId: "C" }],
    [
      "JSONRPC",
      "tasks/pushNotificationConfig/set",
      rpc({ taskId: "T", pushNotificationConfig: { id: "c" } }),
      { taskId: "T" },
    ],
    ["JSONRPC", "tasks/pushNotificationConfig/list", rpc([{ taskId: "T" }]), {}],
    [
      "HTTP+JSON",
      "message/send",
      { task: { id: "T", context_id: "C", status: { state: "TASK_STATE_CANCELLED" } } },
      { taskId: "T", contextId: "C", state: "canceled" },
    ],
    ["HTTP+JSON", "message/send", { msg: { message_id: "m", context_id: "C" } }, { contextId: "C" }],
  ])("%s %s %#", (binding, method, answer, expected) => expect(seen(binding, method, answer)).toEqual(expected));
});

describe("errors and other answers", () => {
  it("gives the code of a JSON-RPC error", () => {
    expect(
      seen("JSONRPC", "GetTask", { jsonrpc: "2.0", id: 1, error: { code: -32001, message: "x", data: { code: 5 } } }),
    ).toEqual({
      rpcCode: -32001,
    });
    expect(seen("JSONRPC", "GetTask", { error: { code: "x" } })).toEqual({});
    expect(seen("JSONRPC", "GetTask", { error: null, result: { id: "T" } })).toEqual({ taskId: "T" });
    expect(seen("HTTP+JSON", "GetTask", { error: { code: 404, status: "NOT_FOUND" } })).toEqual({});
  });

  it.each(["", "{", "not found", "<html>", '{"result":01}'])("is undefined for %j", (text) =>
    expect(seen("JSONRPC", "GetTask", text)).toBeUndefined(),
  );

  it.each(["[]", "null", '"x"', "3"])("says nothing for %s", (text) =>
    expect(seen("HTTP+JSON", "GetTask", text)).toEqual({}),
  );

  it("ignores states that no version knows", () => {
    expect(seen("HTTP+JSON", "GetTask", { id: "T", status: { state: "TASK_STATE_DREAMING" } })).toEqual({
      taskId: "T",
    });
  });

  it("reads an answer of many megabytes", () => {
    const reader = createAnswerReader("HTTP+JSON", operationOfName("GetTask", "1.0"));
    reader.push(Buffer.from('{"id":"T","artifacts":["'));
    const filler = Buffer.alloc(1 << 20, "x");
    for (let i = 0; i < 8; i++) reader.push(filler);
    reader.push(Buffer.from('"],"contextId":"C"}'));
    expect(reader.end()).toEqual({ taskId: "T", contextId: "C" });
  });
});

it("knows every state of the SDK", () => {
  const names = Object.values(TaskState).filter(
    (name): name is string => typeof name === "string" && name.startsWith("TASK_STATE_"),
  );
  expect(names.length).toBeGreaterThan(8);
  for (const state of names) {
    const answer = StreamResponse.toJSON(StreamResponse.fromJSON({ statusUpdate: { taskId: "T", status: { state } } }));
    const expected =
      state === "TASK_STATE_UNSPECIFIED" ? undefined : state.slice(11).toLowerCase().replaceAll("_", "-");
    expect(seen("HTTP+JSON", "SendStreamingMessage", answer)?.state).toBe(expected);
  }
});
