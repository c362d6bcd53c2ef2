import * as compat from "@a2a-js/sdk/compat/v0_3";
import { describe, expect, it } from "vitest";
import { EXTENSION, GET_AGENT_CARD, OPERATION_NAMES, operationOfMethod, operationOfName } from "./operation.ts";

const LEGACY = [
  "message/send",
  "message/stream",
  "tasks/get",
  "tasks/cancel",
  "tasks/resubscribe",
  "tasks/pushNotificationConfig/set",
  "tasks/pushNotificationConfig/get",
  "tasks/pushNotificationConfig/list",
  "tasks/pushNotificationConfig/delete",
  "agent/getAuthenticatedExtendedCard",
] as const;

describe("operationOfMethod", () => {
  it.each(LEGACY)("names %s as the SDK does", (method) => {
    const operation = operationOfMethod(method);
    expect(operation.name).toBe(compat.legacyJsonRpcToV1Method(method));
    expect(operation.version).toBe("0.3");
  });

  it("knows every 1.0 method that the SDK knows, by its own name", () => {
    const methods = OPERATION_NAMES.filter((name) => name !== EXTENSION && name !== GET_AGENT_CARD);
    expect(methods).toHaveLength(11);
    for (const method of methods) {
      expect(compat.isV1JsonRpcMethod(method)).toBe(true);
      expect(operationOfMethod(method)).toMatchObject({ name: method, version: "1.0" });
    }
  });

  it("covers the streaming form by one permission, and nothing else", () => {
    for (const method of ["message/stream", "SendStreamingMessage"]) {
      expect(operationOfMethod(method)).toMatchObject({ permission: "SendMessage", streaming: true });
    }
    expect(operationOfMethod("SubscribeToTask")).toMatchObject({ permission: "SubscribeToTask", streaming: true });
    expect(operationOfMethod("tasks/get")).toMatchObject({ permission: "GetTask", streaming: false });
  });

  it.each([
    "tasks/list",
    "ext/get",
    "sendMessage",
    "SENDMESSAGE",
    "",
    "__proto__",
    "constructor",
    GET_AGENT_CARD,
    EXTENSION,
  ])("takes %j for an extension's", (method) =>
    expect(operationOfMethod(method)).toMatchObject({ name: EXTENSION, permission: EXTENSION, version: undefined }),
  );

  it("gives the same by name and version", () => {
    expect(operationOfName("GetTask", "0.3")).toEqual(operationOfMethod("tasks/get"));
    expect(operationOfName("GetTask", "1.0")).toEqual(operationOfMethod("GetTask"));
    expect(operationOfName("ListTasks", "0.3")).toMatchObject({ name: "ListTasks", version: "0.3" });
  });
});
