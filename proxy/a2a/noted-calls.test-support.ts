// Servers of the SDKs as witnesses. In: calls of their request handler. Out: which operation each was, and of which ids.

export interface Call {
  readonly operation: string;
  readonly taskId: string;
  readonly contextId: string;
  readonly tenant: string;
}

const HANDLERS: Record<string, string> = {
  sendMessage: "SendMessage",
  sendMessageStream: "SendStreamingMessage",
  getTask: "GetTask",
  listTasks: "ListTasks",
  cancelTask: "CancelTask",
  resubscribe: "SubscribeToTask",
  createTaskPushNotificationConfig: "CreateTaskPushNotificationConfig",
  setTaskPushNotificationConfig: "CreateTaskPushNotificationConfig",
  getTaskPushNotificationConfig: "GetTaskPushNotificationConfig",
  listTaskPushNotificationConfigs: "ListTaskPushNotificationConfigs",
  deleteTaskPushNotificationConfig: "DeleteTaskPushNotificationConfig",
  getAuthenticatedExtendedAgentCard: "GetExtendedAgentCard",
};

interface Params {
  readonly id?: unknown;
  readonly taskId?: unknown;
  readonly contextId?: unknown;
  readonly tenant?: unknown;
  readonly message?: { readonly taskId?: unknown; readonly contextId?: unknown };
}

const text = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);

/** Request handlers for any SDK: they note what they were asked for, and then fail. `legacy`: of the 0.3 SDK. */
export function createNotes(): { readonly calls: Call[]; handler(card: unknown, legacy?: boolean): never } {
  const calls: Call[] = [];
  const note = (name: string, params: Params, legacy: boolean): never => {
    const operation = HANDLERS[name] ?? "";
    const isSend = operation.startsWith("Send");
    // 0.3 calls the task `id` but where a configuration is set.
    const byTaskId = legacy ? name === "setTaskPushNotificationConfig" : operation.includes("PushNotificationConfig");
    calls.push({
      operation,
      taskId: text(isSend ? params.message?.taskId : byTaskId ? params.taskId : params.id),
      contextId: text(isSend ? params.message?.contextId : operation === "ListTasks" ? params.contextId : ""),
      tenant: text(legacy ? "" : params.tenant),
    });
    throw new Error("noted");
  };
  const handler = (card: unknown, legacy = false): never =>
    new Proxy(
      {},
      {
        get: (_target, name) =>
          name === "getAgentCard"
            ? () => Promise.resolve(card)
            : (params: Params = {}) => note(String(name), params, legacy),
      },
    ) as never;
  return { calls, handler };
}
