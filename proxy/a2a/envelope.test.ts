import {
  CancelTaskRequest,
  GetTaskPushNotificationConfigRequest,
  GetTaskRequest,
  ListTaskPushNotificationConfigsRequest,
  ListTasksRequest,
  SendMessageRequest,
  SubscribeToTaskRequest,
  TaskPushNotificationConfig,
} from "@a2a-js/sdk";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEnvelopeReader } from "./envelope.ts";
import type { EnvelopeResult } from "./envelope.ts";

function read(body: string | Uint8Array, cut?: number): EnvelopeResult {
  const bytes = Buffer.from(body as string);
  const reader = createEnvelopeReader();
  reader.push(bytes.subarray(0, cut ?? bytes.length));
  if (cut !== undefined) reader.push(bytes.subarray(cut));
  return reader.end();
}
const request = (method: string, params: unknown, id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });
const refused = (reason: string, id?: string): EnvelopeResult => ({ ok: false, reason, id }) as EnvelopeResult;

describe("the envelope", () => {
  it.each([
    ['"id":7,', "7"],
    ['"id":-3,', "-3"],
    ['"id":12345678901234567890,', "12345678901234567890"],
    ['"id":"a\\u00e9\\n",', '"a\\u00e9\\n"'],
    ['"id":"",', '""'],
    ['"id":null,', "null"],
    ["", undefined],
  ])("keeps the id token of {%s…}", (member, token) => {
    const result = read(`{${member}"jsonrpc":"2.0","method":"GetTask","params":{"id":"T"}}`);
    expect(result).toMatchObject({ ok: true, envelope: { method: "GetTask", taskId: "T" } });
    expect(result.ok && result.envelope.id).toBe(token);
  });

  it("does not mind the order of members or white space", () => {
    const body =
      ' {"params" : { "message": {"contextId":"C","taskId":"T"} },\n"method":"message/send","id":"x","jsonrpc":"2.0"} ';
    for (let cut = 0; cut <= body.length; cut++) {
      expect(read(body, cut)).toMatchObject({
        ok: true,
        envelope: { id: '"x"', taskId: "T", contextId: "C", operation: { name: "SendMessage", version: "0.3" } },
      });
    }
  });

  it.each(["", "{", "{]", '{"jsonrpc":"2.0"', "nul", '{"a":01}', "[".repeat(101) + "]".repeat(101)])(
    "finds no JSON in %.20j",
    (body) => expect(read(body)).toEqual(refused("ParseError")),
  );

  it.each(["[]", '[{"jsonrpc":"2.0","id":1,"method":"GetTask"}]', '"text"', "7", "null", "true"])(
    "finds no request in %s",
    (body) => expect(read(body)).toEqual(refused("InvalidRequest")),
  );

  it.each([Buffer.from("\ufeff{}"), Buffer.from("{}", "utf16le").fill(0xff, 0, 1), Buffer.from([0x7b, 0xff, 0x7d])])(
    "refuses other encodings",
    (body) => expect(read(body)).toEqual(refused("UnsupportedMediaType")),
  );

  it.each([
    ['{"id":1,"method":"m"}', "1"],
    ['{"jsonrpc":"1.0","id":1,"method":"m"}', "1"],
    ['{"jsonrpc":2.0,"id":1,"method":"m"}', "1"],
    ['{"jsonrpc":"2.0","id":1}', "1"],
    ['{"jsonrpc":"2.0","id":1,"method":7}', "1"],
    ['{"jsonrpc":"2.0","id":1,"method":""}', "1"],
    ['{"jsonrpc":"2.0","id":1,"method":"m","params":[]}', "1"],
    ['{"jsonrpc":"2.0","id":1,"method":"m","params":"x"}', "1"],
    ['{"jsonrpc":"2.0","id":1,"method":"m","Method":"n"}', "1"],
    ['{"jsonrpc":"2.0","id":1,"method":"m","m\\u0065thod":"n"}', "1"],
    ['{"jsonrpc":"2.0","id":1,"METHOD":"m"}', "1"],
    ['{"jsonrpc":"2.0","id":1,"method":"m","PARAMS":{}}', "1"],
    ['{"jsonrpc":"2.0","id":1,"method":"m","params":{},"params":{}}', "1"],
    ['{"jsonRPC":"2.0","id":1,"method":"m"}', "1"],
    ['{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"m"}', "1"],
    ['{"jsonrpc":"2.0","id":1,"ID":2,"method":"m"}', undefined],
    ['{"jsonrpc":"2.0","id":1,"id":1,"method":"m"}', undefined],
    ['{"jsonrpc":"2.0","id":1.5,"method":"m"}', undefined],
    ['{"jsonrpc":"2.0","id":1e2,"method":"m"}', undefined],
    ['{"jsonrpc":"2.0","id":{},"method":"m"}', undefined],
    ['{"jsonrpc":"2.0","id":["a"],"method":"m"}', undefined],
    ['{"jsonrpc":"2.0","id":true,"method":"m"}', undefined],
    [`{"jsonrpc":"2.0","id":"${"x".repeat(2000)}","method":"m"}`, undefined],
  ])("refuses %.80s", (body, id) => expect(read(body)).toEqual(refused("InvalidRequest", id)));

  it("lets extension methods pass with whatever they carry", () => {
    const result = read('{"jsonrpc":"2.0","id":1,"method":"ext/get","params":{"id":{"x":1},"id":2,"Message":[]}}');
    expect(result).toMatchObject({ ok: true, envelope: { method: "ext/get", operation: { name: "Extension" } } });
    expect(result.ok && result.envelope.taskId).toBeUndefined();
  });
});

describe("ids", () => {
  const message = { messageId: "m", taskId: "T", contextId: "C", referenceTaskIds: ["A", "B"] };
  it.each([
    [
      "SendMessage",
      { message, tenant: "N" },
      { taskId: "T", contextId: "C", referenceTaskIds: ["A", "B"], tenant: "N" },
    ],
    ["message/stream", { message: { task_id: "T", context_id: "C" } }, { taskId: "T", contextId: "C" }],
    ["SendMessage", { message: { taskId: null, contextId: "" } }, {}],
    ["SendMessage", { configuration: { task_push_notification_config: { task_id: "T" } } }, { taskId: "T" }],
    ["GetTask", { id: "T", taskId: "X" }, { taskId: "T" }],
    ["tasks/get", { id: "T" }, { taskId: "T" }],
    ["tasks/resubscribe", { id: "T" }, { taskId: "T" }],
    ["CancelTask", { id: "T", tenant: "N" }, { taskId: "T", tenant: "N" }],
    ["ListTasks", { contextId: "C", id: ["opaque"] }, { contextId: "C" }],
    ["CreateTaskPushNotificationConfig", { taskId: "T", id: "cfg" }, { taskId: "T" }],
    ["tasks/pushNotificationConfig/set", { taskId: "T", pushNotificationConfig: { id: "cfg" } }, { taskId: "T" }],
    ["GetTaskPushNotificationConfig", { task_id: "T", id: "cfg" }, { taskId: "T" }],
    ["tasks/pushNotificationConfig/get", { id: "T", pushNotificationConfigId: "cfg" }, { taskId: "T" }],
    ["ListTaskPushNotificationConfigs", { taskId: "T" }, { taskId: "T" }],
    ["tasks/pushNotificationConfig/list", { id: "T" }, { taskId: "T" }],
    ["DeleteTaskPushNotificationConfig", { taskId: "T", id: "cfg" }, { taskId: "T" }],
    ["tasks/pushNotificationConfig/delete", { id: "T", pushNotificationConfigId: "cfg" }, { taskId: "T" }],
    ["GetExtendedAgentCard", undefined, {}],
    ["agent/getAuthenticatedExtendedCard", null, {}],
  ])("of %s %j", (method, params, ids) => {
    const result = read(request(method, params));
    expect(result.ok).toBe(true);
    if (!result.ok) return;
    const { id: _id, method: _method, operation: _operation, ...rest } = result.envelope;
    expect(rest).toEqual(ids);
  });

  it.each([
    ["GetTask", '{"id":"A","id":"B"}'],
    ["GetTask", '{"id":"A","Id":"B"}'],
    ["GetTask", '{"id":["A"]}'],
    ["GetTask", '{"id":5}'],
    ["GetTask", '{"id":"A","tenant":["N"]}'],
    ["GetTask", '{"id":"\\ud800"}'],
    ["ListTasks", '{"contextId":"A","context_id":"A"}'],
    ["SendMessage", '{"message":{"taskId":"A","task_id":"B"}}'],
    ["SendMessage", '{"message":{"taskId":"A"},"message":{}}'],
    ["SendMessage", '{"message":{"taskId":"A"},"Message":{"taskId":"B"}}'],
    ["SendMessage", '{"message":{"contextID":"B"}}'],
    ["SendMessage", '{"message":{"referenceTaskIds":"A"}}'],
    ["SendMessage", '{"message":{"referenceTaskIds":["A",1]}}'],
    ["SendMessage", '{"message":{"referenceTaskIds":[["A"]]}}'],
    ["SendMessage", '{"message":{"taskId":"A"},"configuration":{"taskPushNotificationConfig":{"taskId":"B"}}}'],
    ["SendMessage", '{"tenant":"A","configuration":{"taskPushNotificationConfig":{"tenant":"B"}}}'],
    ["SendMessage", '{"configuration":{},"Configuration":{"taskPushNotificationConfig":{"taskId":"B"}}}'],
    ["tasks/pushNotificationConfig/set", '{"taskId":"A","task_id":"A"}'],
  ])("are refused in %s %s", (method, params) => {
    const body = `{"jsonrpc":"2.0","id":"i","method":"${method}","params":${params}}`;
    expect(read(body)).toEqual(refused("InvalidParams", '"i"'));
  });
});

describe("against the decoders of the SDK", () => {
  const id = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom<unknown>("A", "B", "tasks/é", "") },
    fc.constantFrom<unknown>(null, 5, ["A"], { id: "A" }, true),
  );
  const names = fc.constantFrom(
    "id",
    "ID",
    "taskId",
    "task_id",
    "TaskId",
    "contextId",
    "context_id",
    "tenant",
    "t\\u0061skId",
  );
  /** Objects as text, so that members can be doubled. */
  const object = (inner: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc
      .array(fc.tuple(names, id), { maxLength: 3 })
      .chain((members) =>
        inner.map(
          (more) =>
            `{${[...members.map(([name, value]) => `"${name}":${JSON.stringify(value)}`), more].filter(Boolean).join(",")}}`,
        ),
      );
  const params = object(
    fc.oneof(
      fc.constant(""),
      object(fc.constant("")).map((text) => `"message":${text}`),
      object(fc.constant("")).map((text) => `"configuration":{"taskPushNotificationConfig":${text}}`),
    ),
  );
  const decoders: Record<string, (params: unknown) => (string | undefined)[]> = {
    SendMessage: (value) => {
      const { message, tenant } = SendMessageRequest.fromJSON(value);
      return [message?.taskId, message?.contextId, tenant];
    },
    GetTask: (value) => [GetTaskRequest.fromJSON(value).id, "", GetTaskRequest.fromJSON(value).tenant],
    CancelTask: (value) => [CancelTaskRequest.fromJSON(value).id, "", CancelTaskRequest.fromJSON(value).tenant],
    SubscribeToTask: (value) => [
      SubscribeToTaskRequest.fromJSON(value).id,
      "",
      SubscribeToTaskRequest.fromJSON(value).tenant,
    ],
    ListTasks: (value) => ["", ListTasksRequest.fromJSON(value).contextId, ListTasksRequest.fromJSON(value).tenant],
    CreateTaskPushNotificationConfig: (value) => {
      const config = TaskPushNotificationConfig.fromJSON(value);
      return [config.taskId, "", config.tenant];
    },
    GetTaskPushNotificationConfig: (value) => {
      const config = GetTaskPushNotificationConfigRequest.fromJSON(value);
      return [config.taskId, "", config.tenant];
    },
    ListTaskPushNotificationConfigs: (value) => {
      const list = ListTaskPushNotificationConfigsRequest.fromJSON(value);
      return [list.taskId, "", list.tenant];
    },
  };

  it.each(Object.keys(decoders))("reads the same ids of %s, or refuses", (method) => {
    let accepted = 0;
    fc.assert(
      fc.property(params, (text) => {
        const result = read(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${text}}`);
        expect(result.ok ? "InvalidParams" : result.reason).toBe("InvalidParams");
        if (!result.ok) return;
        accepted++;
        const { envelope } = result;
        const [taskId, contextId, tenant] = decoders[method]?.(JSON.parse(text)) ?? [];
        // An inline webhook's task and tenant are read where the message has none.
        const inline = (JSON.parse(text) as { configuration?: unknown }).configuration !== undefined;
        const orInline = (theirs: string | undefined, ours: string | undefined): string =>
          theirs || (inline ? ours : "") || "";
        expect([envelope.taskId ?? "", envelope.contextId ?? "", envelope.tenant ?? ""]).toEqual([
          orInline(taskId, envelope.taskId),
          contextId ?? "",
          orInline(tenant, envelope.tenant),
        ]);
      }),
      { numRuns: 600 },
    );
    expect(accepted).toBeGreaterThan(30);
  });
});
