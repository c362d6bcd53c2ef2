import { describe, expect, it } from "vitest";
import { createRestBodyReader } from "./rest-body.ts";
import type { RestBodyResult } from "./rest-body.ts";
import { parseRestRequest } from "./rest.ts";

function read(target: string, body: string | Uint8Array, version?: string): RestBodyResult {
  const [method = "", path = ""] = target.split(" ");
  const parsed = parseRestRequest(method, path, "", version);
  if (!parsed.ok) throw new Error(parsed.reason);
  const reader = createRestBodyReader(parsed.request);
  for (const byte of Buffer.from(body as string)) reader.push(Buffer.of(byte));
  return reader.end();
}
const ids = (value: object): RestBodyResult => ({ ok: true, ids: value });
const refused = (reason: string): RestBodyResult => ({ ok: false, reason }) as RestBodyResult;

describe("ids of a body", () => {
  it.each([
    ["POST /message:send", { message: { taskId: "T", contextId: "C" } }, { taskId: "T", contextId: "C" }],
    ["POST /v1/message:send", { request: { task_id: "T" } }, { taskId: "T" }],
    ["POST /acme/message:stream", { message: { contextId: "C" } }, { contextId: "C", tenant: "acme" }],
    ["POST /acme/message:send", { tenant: "acme", message: {} }, { tenant: "acme" }],
    ["POST /message:send", { tenant: "acme", message: {} }, { tenant: "acme" }],
    ["POST /tasks/T:cancel", {}, { taskId: "T" }],
    ["POST /tasks/T:cancel", { id: "T", metadata: { id: "X" } }, { taskId: "T" }],
    ["POST /v1/tasks/T:cancel", { name: "tasks/T" }, { taskId: "T" }],
    ["POST /tasks/T:subscribe", null, { taskId: "T" }],
    ["POST /tasks/T/pushNotificationConfigs", { taskId: "T", id: "cfg", url: "https://x" }, { taskId: "T" }],
    ["POST /tasks/T/pushNotificationConfigs", { name: "anything", url: "https://x" }, { taskId: "T" }],
    ["POST /v1/tasks/T/pushNotificationConfigs", { name: "tasks/T/pushNotificationConfigs/cfg" }, { taskId: "T" }],
    [
      "POST /v1/tasks/T/pushNotificationConfigs",
      { parent: "tasks/T", config_id: "c", config: { name: "tasks/T/pushNotificationConfigs/c" } },
      { taskId: "T" },
    ],
  ])("%s %j", (target, body, expected) => expect(read(target, JSON.stringify(body))).toEqual(ids(expected)));

  it("are those of the path when an optional body is missing", () => {
    expect(read("POST /tasks/T:cancel", "")).toEqual(ids({ taskId: "T" }));
    expect(read("GET /acme/tasks/T", "")).toEqual(ids({ taskId: "T", tenant: "acme" }));
  });
});

describe("refused", () => {
  it.each([
    ["POST /message:send", '{"message":{"taskId":"A"},"request":{"taskId":"B"}}'],
    ["POST /message:send", '{"message":{"taskId":"A","task_id":"B"}}'],
    ["POST /acme/message:send", '{"tenant":"other","message":{}}'],
    ["POST /tasks/T:cancel", '{"id":"X"}'],
    ["POST /tasks/T:cancel", '{"taskId":"X"}'],
    ["POST /tasks/T:cancel", '{"id":"T","Id":"X"}'],
    ["POST /tasks/T:cancel", '{"id":["T"]}'],
    ["POST /acme/tasks/T:cancel", '{"tenant":"other"}'],
    ["POST /tasks/T/pushNotificationConfigs", '{"task_id":"X"}'],
    ["POST /v1/tasks/T/pushNotificationConfigs", '{"name":"tasks/X/pushNotificationConfigs/c"}'],
    ["POST /v1/tasks/T/pushNotificationConfigs", '{"name":"tasks/X"}'],
    ["POST /v1/tasks/T/pushNotificationConfigs", '{"name":"projects/T"}'],
    ["POST /v1/tasks/T/pushNotificationConfigs", '{"name":"tasks/T/../X"}'],
    ["POST /v1/tasks/T/pushNotificationConfigs", '{"name":"tasks/T","name":"tasks/X"}'],
    ["POST /v1/tasks/T/pushNotificationConfigs", '{"parent":"tasks/X"}'],
    ["POST /v1/tasks/T/pushNotificationConfigs", '{"config":{"name":"tasks/X/pushNotificationConfigs/c"}}'],
    ["POST /v1/tasks/T/pushNotificationConfigs", '{"config":{},"config":{"name":"tasks/X"}}'],
  ])("%s %s", (target, body) => expect(read(target, body)).toEqual(refused("InvalidParams")));

  it("resource names also where v1 is read as a tenant", () => {
    const body = '{"name":"tasks/X/pushNotificationConfigs/c"}';
    expect(read("POST /v1/tasks/T/pushNotificationConfigs", body, "1.0")).toEqual(refused("InvalidParams"));
  });

  it.each([
    ["POST /message:send", "", "ParseError"],
    ["POST /message:send", "{", "ParseError"],
    ["POST /message:send", "null", "InvalidRequest"],
    ["POST /message:send", "[]", "InvalidRequest"],
    ["POST /tasks/T:cancel", '"x"', "InvalidRequest"],
    ["GET /tasks/T", "{}", "InvalidRequest"],
    ["POST /message:send", "\ufeff{}", "UnsupportedMediaType"],
  ])("%s %j", (target, body, reason) => expect(read(target, body)).toEqual(refused(reason)));
});
