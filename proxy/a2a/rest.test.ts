import { describe, expect, it } from "vitest";
import { parseRestRequest } from "./rest.ts";
import { parseRestQuery } from "./rest-query.ts";

const parse = (method: string, target: string, version?: string): ReturnType<typeof parseRestRequest> => {
  const [path = "", query = ""] = target.split(/\?(.*)/s);
  return parseRestRequest(method, path, query, version);
};

describe("what is served", () => {
  it.each([
    ["POST", "/message:send", "1.0", "SendMessage", "required", {}],
    ["POST", "/message:stream", "1.0", "SendStreamingMessage", "required", {}],
    ["POST", "/acme/message:send", "1.0", "SendMessage", "required", { tenant: "acme" }],
    ["GET", "/tasks", "1.0", "ListTasks", "none", {}],
    ["GET", "/tasks?contextId=C&pageSize=2", "1.0", "ListTasks", "none", { contextId: "C" }],
    ["GET", "/tasks?tenant=acme", "1.0", "ListTasks", "none", { tenant: "acme" }],
    ["GET", "/acme/tasks?tenant=acme", "1.0", "ListTasks", "none", { tenant: "acme" }],
    ["GET", "/tasks/T?historyLength=0", "1.0", "GetTask", "none", { taskId: "T" }],
    ["GET", "/acme/tasks/T", "1.0", "GetTask", "none", { taskId: "T", tenant: "acme" }],
    ["GET", "/tasks/a%3Ab", "1.0", "GetTask", "none", { taskId: "a:b" }],
    ["GET", "/tasks/T?id=T&taskId=T&name=tasks/T", "1.0", "GetTask", "none", { taskId: "T" }],
    ["POST", "/tasks/T:cancel", "1.0", "CancelTask", "optional", { taskId: "T" }],
    ["POST", "/tasks/a%3Ab:cancel", "1.0", "CancelTask", "optional", { taskId: "a:b" }],
    ["POST", "/tasks/T:subscribe", "1.0", "SubscribeToTask", "optional", { taskId: "T" }],
    ["GET", "/tasks/T:subscribe", "1.0", "SubscribeToTask", "none", { taskId: "T" }],
    [
      "POST",
      "/tasks/T/pushNotificationConfigs",
      "1.0",
      "CreateTaskPushNotificationConfig",
      "required",
      { taskId: "T" },
    ],
    ["GET", "/tasks/T/pushNotificationConfigs", "1.0", "ListTaskPushNotificationConfigs", "none", { taskId: "T" }],
    ["GET", "/tasks/T/pushNotificationConfigs/C?id=C", "1.0", "GetTaskPushNotificationConfig", "none", { taskId: "T" }],
    [
      "DELETE",
      "/x/tasks/T/pushNotificationConfigs/C",
      "1.0",
      "DeleteTaskPushNotificationConfig",
      "none",
      { taskId: "T", tenant: "x" },
    ],
    ["GET", "/extendedAgentCard", "1.0", "GetExtendedAgentCard", "none", {}],
    ["POST", "/v1/message:send", undefined, "SendMessage", "required", {}],
    ["GET", "/v1/tasks/T", "0.3", "GetTask", "none", { taskId: "T" }],
    ["GET", "/v1/card", undefined, "GetExtendedAgentCard", "none", {}],
    ["GET", "/v1/tasks/T", "1.0", "GetTask", "none", { taskId: "T", tenant: "v1" }],
    ["GET", "/tasks/%C3%A9", "1.0", "GetTask", "none", { taskId: "é" }],
  ])("%s %s (%s): %s", (method, target, version, name, body, ids) => {
    const result = parse(method, target, version);
    expect(result).toMatchObject({ ok: true, request: { operation: { name }, body } });
    if (!result.ok) return;
    const { operation: _, path: __, query: ___, body: ____, configId: _____, ...rest } = result.request;
    expect(rest).toEqual(ids);
  });

  it.each([
    ["GET", "/v1/tasks/T", undefined, "0.3"],
    ["GET", "/v1/tasks/T", "0.3", "0.3"],
    ["GET", "/v1/card", "1.0", "0.3"],
    ["GET", "/v1/tasks/T", "1.0", "1.0"],
    ["GET", "/tasks/T", undefined, "1.0"],
  ])("%s %s with %s is of %s", (method, target, header, version) =>
    expect(parse(method, target, header)).toMatchObject({ ok: true, request: { operation: { version } } }),
  );

  it("builds path and query in one spelling", () => {
    expect(parse("GET", "/%61cme/tasks/%54%3a1~?historyLength=%31&x=a+b&y", "1.0")).toMatchObject({
      request: { path: "/acme/tasks/T%3A1~", query: "historyLength=1&x=a%20b&y" },
    });
  });

  it("tells the version of the query", () => {
    expect(parse("GET", "/v1/tasks/T?a2a-version=1.0")).toMatchObject({
      request: { queryVersion: "1.0", tenant: "v1", operation: { version: "1.0" }, query: "a2a-version=1.0" },
    });
    expect(parse("GET", "/tasks/T?A2A-Version=1.0", "1.0")).toMatchObject({ ok: true });
    expect(parse("GET", "/tasks/T?A2A-Version=1.0", "0.3")).toEqual({ ok: false, reason: "InvalidPath" });
  });
});

describe("what is refused", () => {
  it.each([
    ["GET", "/metrics"],
    ["GET", "/tasks/tasks"],
    ["GET", "/tasks/extendedAgentCard"],
    ["GET", "/tasks/message:send"],
    ["GET", "/tasks/tasks/T"],
    ["GET", "/tasks/pushNotificationConfigs"],
    ["POST", "/tasks/:cancel"],
    ["GET", "/a/b/tasks/T"],
    ["GET", "/tasks/T/other"],
    ["GET", "/card"],
    ["GET", "/message/send"],
    ["POST", "/message:delete"],
    ["GET", "/.well-known/agent-card.json"],
  ])("%s %s is unknown", (method, target) =>
    expect(parse(method, target, "1.0")).toEqual({ ok: false, reason: "PathNotFound" }),
  );

  it.each([
    ["GET", "/message:send", "POST"],
    ["DELETE", "/tasks/T", "GET"],
    ["HEAD", "/tasks/T", "GET"],
    ["get", "/tasks/T", "GET"],
    ["GET", "/tasks/T:cancel", "POST"],
    ["PUT", "/tasks/T:subscribe", "GET, POST"],
    ["POST", "/tasks", "GET"],
    ["constructor", "/tasks", "GET"],
    ["__proto__", "/tasks", "GET"],
  ])("%s %s has no such method, but %s", (method, target, allow) =>
    expect(parse(method, target, "1.0")).toEqual({ ok: false, reason: "MethodNotAllowed", allow }),
  );

  it.each([
    ["POST", "/tasks/T%3Acancel"],
    ["GET", "/tasks/T%2FpushNotificationConfigs"],
    ["GET", "/tasks%2FT"],
    ["GET", "/tasks/%2e%2e"],
    ["GET", "/tasks/.."],
    ["GET", "/./tasks"],
    ["GET", "/"],
    ["GET", "//tasks"],
    ["GET", "/tasks/"],
    ["GET", "/tasks//T"],
    ["GET", "/tasks/T%00"],
    ["GET", "/tasks/T%0a"],
    ["GET", "/tasks/a%5Cb"],
    ["GET", "/tasks/%ff"],
    ["GET", "/tasks/%"],
    ["GET", "/tasks/%zz"],
    ["GET", "/tasks/é"],
    ["GET", "/tasks/a b"],
    ["POST", "/tasks/T:CANCEL"],
    ["GET", "/TASKS/T:subscribe"],
    ["GET", "/Tasks"],
    ["POST", "/Message:send"],
    ["GET", "/tasks/T/PushNotificationConfigs"],
    ["GET", "/V1/tasks/T"],
    ["GET", "/acme/tasks?tenant=other"],
    ["GET", "/tasks?contextId=A&contextId=A"],
    ["GET", "/tasks?contextId=A&context_id=A"],
    ["GET", "/tasks?context_id=A"],
    ["GET", "/tasks?ContextId=A"],
    ["GET", "/tasks?contextId[]=A"],
    ["GET", "/tasks?contextId%5B0%5D=A"],
    ["GET", "/tasks?%63ontextId=A&contextId=B"],
    ["GET", "/tasks?x=1&x=2"],
    ["GET", "/tasks?=1"],
    ["GET", "/tasks?x=%ff"],
    ["GET", "/tasks?taskId=T"],
    ["GET", "/tasks/T?id=X"],
    ["GET", "/tasks/T?task_id=X"],
    ["GET", "/tasks/T?name=tasks/X"],
    ["GET", "/tasks/T?name=T"],
    ["GET", "/tasks/T/pushNotificationConfigs/C?id=T"],
  ])("%s %s is ambiguous", (method, target) =>
    expect(parse(method, target, "1.0")).toEqual({ ok: false, reason: "InvalidPath" }),
  );
});

describe("parseRestQuery", () => {
  it("gives back what it took", () => {
    const parameters = new URLSearchParams({ a: "1&2=3", "b c": "é+", d: "" });
    const parsed = parseRestQuery(parameters.toString());
    expect([...new URLSearchParams(parsed?.query)]).toEqual([...parameters]);
  });

  it("takes an empty value for none", () => {
    expect(parseRestQuery("tenant=&contextId")?.known.size).toBe(0);
  });
});
