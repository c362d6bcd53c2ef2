// The operations of A2A. In: a JSON-RPC method in the spelling of 0.3 or 1.0. Out: one canonical operation, by its 1.0 name.

export type Version = "0.3" | "1.0";

export interface Operation {
  /** The 1.0 method name; `Extension` for a method that is none of the protocol's. */
  readonly name: string;
  /** What `VirtualKey.operations` must hold for it: `SendMessage` covers its streaming form. */
  readonly permission: string;
  /** Undefined for an extension method: it belongs to no version. */
  readonly version: Version | undefined;
  /** Its success is a stream of events. */
  readonly streaming: boolean;
}

export const EXTENSION = "Extension";
/** Reading the public card: no method, but counted like an operation. */
export const GET_AGENT_CARD = "GetAgentCard";

/** Canonical name, 0.3 method (A2A 0.3.0 section 3.5.6, A2A 1.0 appendix A). ListTasks has no 0.3 method. */
const METHODS: readonly (readonly [string, string | undefined])[] = [
  ["SendMessage", "message/send"],
  ["SendStreamingMessage", "message/stream"],
  ["GetTask", "tasks/get"],
  ["ListTasks", undefined],
  ["CancelTask", "tasks/cancel"],
  ["SubscribeToTask", "tasks/resubscribe"],
  ["CreateTaskPushNotificationConfig", "tasks/pushNotificationConfig/set"],
  ["GetTaskPushNotificationConfig", "tasks/pushNotificationConfig/get"],
  ["ListTaskPushNotificationConfigs", "tasks/pushNotificationConfig/list"],
  ["DeleteTaskPushNotificationConfig", "tasks/pushNotificationConfig/delete"],
  ["GetExtendedAgentCard", "agent/getAuthenticatedExtendedCard"],
];

/** Every `Operation.name`, and the card read: the values of a metric label. */
export const OPERATION_NAMES: readonly string[] = [...METHODS.map(([name]) => name), GET_AGENT_CARD, EXTENSION];

const make = (name: string, version: Version): Operation => ({
  name,
  permission: name === "SendStreamingMessage" ? "SendMessage" : name,
  version,
  streaming: name === "SendStreamingMessage" || name === "SubscribeToTask",
});

const byMethod = new Map<string, Operation>();
const byName = new Map<string, Operation>();
for (const [name, legacy] of METHODS) {
  byMethod.set(name, make(name, "1.0"));
  if (legacy !== undefined) byMethod.set(legacy, make(name, "0.3"));
  byName.set(`1.0 ${name}`, make(name, "1.0"));
  byName.set(`0.3 ${name}`, make(name, "0.3"));
}

/** Every method of the protocol, in all versions. */
export const METHOD_NAMES: readonly string[] = [...byMethod.keys()];

const extension: Operation = { name: EXTENSION, permission: EXTENSION, version: undefined, streaming: false };

/** The operation that a JSON-RPC method names; method names are case-sensitive. Any other method is an extension's. */
export function operationOfMethod(method: string): Operation {
  return byMethod.get(method) ?? extension;
}

/** The operation of this 1.0 name as the given version has it. */
export function operationOfName(name: string, version: Version): Operation {
  return byName.get(`${version} ${name}`) ?? extension;
}
