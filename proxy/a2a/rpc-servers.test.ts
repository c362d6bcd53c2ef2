// What we read of a JSON-RPC request against what the handlers of the SDKs read of the same bytes.
import { LegacyJsonRpcTransportHandler } from "@a2a-js/sdk/compat/v0_3/server";
import { JsonRpcTransportHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { JsonRpcTransportHandler as LegacyHandler } from "@a2a-js/sdk-0.3/server";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createEnvelopeReader } from "./envelope.ts";
import { createNotes } from "./noted-calls.test-support.ts";

const CURRENT = [
  "SendMessage",
  "GetTask",
  "ListTasks",
  "CancelTask",
  "CreateTaskPushNotificationConfig",
  "GetTaskPushNotificationConfig",
  "ListTaskPushNotificationConfigs",
  "DeleteTaskPushNotificationConfig",
];
const LEGACY = [
  "message/send",
  "tasks/get",
  "tasks/cancel",
  "tasks/pushNotificationConfig/set",
  "tasks/pushNotificationConfig/get",
  "tasks/pushNotificationConfig/list",
  "tasks/pushNotificationConfig/delete",
];
const card = { name: "x", capabilities: { streaming: true, pushNotifications: true }, supportedInterfaces: [] };
const notes = createNotes();
const context = (): ServerCallContext => new ServerCallContext();
const servers: Record<
  string,
  { readonly methods: readonly string[]; readonly handle: (body: string) => Promise<unknown> }
> = {
  "1.3.0": {
    methods: CURRENT,
    handle: (body) => new JsonRpcTransportHandler(notes.handler(card)).handle(body, context()),
  },
  "1.3.0 for 0.3": {
    methods: LEGACY,
    handle: (body) => new LegacyJsonRpcTransportHandler(notes.handler(card)).handle(body, context()),
  },
  "0.3.14": { methods: LEGACY, handle: (body) => new LegacyHandler(notes.handler(card, true)).handle(body) },
};

/** Members as text, so that they can stand twice and in any spelling. */
const members = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.array(fc.oneof(...parts), { maxLength: 3 }).map((list) => list.join(","));
const value = fc.constantFrom('"A"', '"A"', '"B"', '"\\u0041"', "null", "5", '["A"]', '""');
const member = (...names: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...names), value).map(([name, text]) => `"${name}":${text}`);
const ids = member("id", "Id", "taskId", "task_id", "t\\u0061skId", "contextId", "context_id", "tenant");
const message = members(member("taskId", "taskId", "task_id", "contextId", "contextid"))
  .map((text) => `{"messageId":"m","role":"user","parts":[]${text === "" ? "" : `,${text}`}}`)
  .chain((text) => fc.constantFrom("message", "message", "Message").map((name) => `"${name}":${text}`));
const params = members(ids, ids, message, fc.constant('"pushNotificationConfig":{"url":"https://x"}'));
const envelopeNoise = fc.constantFrom(
  "",
  "",
  "",
  ',"Method":"tasks/get"',
  ',"params":{}',
  ',"ID":1',
  ',"p\\u0061rams":{"id":"B"}',
);

it.each(Object.entries(servers))("is the same in the handler of %s", async (_name, { methods, handle }) => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...methods), params, envelopeNoise, async (method, text, noise) => {
      const body = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{${text}}${noise}}`;
      const reader = createEnvelopeReader();
      reader.push(Buffer.from(body));
      const result = reader.end();
      if (!result.ok) return;
      notes.calls.length = 0;
      await handle(body);
      const { envelope } = result;
      for (const call of notes.calls) {
        compared++;
        expect(call.operation).toBe(envelope.operation.name);
        // An id that this server does not read (another spelling than its own) may be read here; never another, never less.
        expect(["", envelope.taskId]).toContain(call.taskId);
        expect(["", envelope.contextId]).toContain(call.contextId);
        expect(["", envelope.tenant]).toContain(call.tenant);
      }
    }),
    { numRuns: 800 },
  );
  expect(compared).toBeGreaterThan(50);
});
