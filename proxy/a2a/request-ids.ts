// Where ids stand in requests. In: the facts of a scanned body. Out: the ids, or that they cannot be relied on.
// Agents' decoders take more spellings than the specification lists (both cases of protobuf JSON, the first of two members
// or the last); so any id that two decoders could read differently is refused.
import { FACT } from "./json-shape.ts";
import type { Position } from "./json-shape.ts";
import type { JsonScan } from "./json-scan.ts";

export interface Ids {
  readonly taskId?: string | undefined;
  readonly contextId?: string | undefined;
  readonly referenceTaskIds?: readonly string[] | undefined;
  readonly tenant?: string | undefined;
}

/** Slots that request bodies of both bindings share: of JSON-RPC `params`, of the HTTP+JSON body. */
export const SLOT = {
  id: 1,
  taskId: 2,
  contextId: 3,
  tenant: 4,
  message: 5,
  messageTaskId: 6,
  messageContextId: 7,
  references: 8,
  reference: 9,
  configuration: 10,
  webhook: 11,
  webhookTaskId: 12,
  webhookTenant: 13,
} as const;
/** The first slot that a binding may use for itself. */
export const FREE_SLOT = 14;

const TASK_ID = ["taskId", "task_id"];
const CONTEXT_ID = ["contextId", "context_id"];

/** The positions; `messageNames`: what the member that holds the message may be called. */
export function idPositions(messageNames: readonly string[]): readonly Position[] {
  return [
    { slot: SLOT.id, names: ["id"], keep: "text" },
    { slot: SLOT.taskId, names: TASK_ID, keep: "text" },
    { slot: SLOT.contextId, names: CONTEXT_ID, keep: "text" },
    { slot: SLOT.tenant, names: ["tenant"], keep: "text" },
    {
      slot: SLOT.message,
      names: messageNames,
      members: [
        { slot: SLOT.messageTaskId, names: TASK_ID, keep: "text" },
        { slot: SLOT.messageContextId, names: CONTEXT_ID, keep: "text" },
        { slot: SLOT.references, names: ["referenceTaskIds", "reference_task_ids"], elements: SLOT.reference },
      ],
    },
    {
      slot: SLOT.configuration,
      names: ["configuration"],
      members: [
        {
          slot: SLOT.webhook,
          names: ["taskPushNotificationConfig", "task_push_notification_config"],
          members: [
            { slot: SLOT.webhookTaskId, names: TASK_ID, keep: "text" },
            { slot: SLOT.webhookTenant, names: ["tenant"], keep: "text" },
          ],
        },
      ],
    },
  ];
}

const AMBIGUOUS = FACT.doubled | FACT.variant;
const NOT_A_STRING =
  AMBIGUOUS | FACT.number | FACT.object | FACT.array | FACT.true | FACT.false | FACT.tooLong | FACT.illFormed;
const NOT_A_LIST = NOT_A_STRING & ~FACT.array;

/** Several statements of one id: an absent, null or empty one (the default of protobuf JSON) says nothing. */
export interface Statement {
  readonly ok: boolean;
  readonly value: string | undefined;
}

/** The one value that all these slots state; not ok when two differ, or one is no plain string. */
export function stated(scan: JsonScan, slots: readonly number[]): Statement {
  let value: string | undefined;
  for (const slot of slots) {
    const facts = scan.facts(slot);
    if ((facts & NOT_A_STRING) !== 0) return { ok: false, value: undefined };
    const text = (facts & FACT.string) === 0 ? undefined : scan.text(slot);
    if (text === undefined || text === "") continue;
    if (value !== undefined && value !== text) return { ok: false, value: undefined };
    value = text;
  }
  return { ok: true, value };
}

/** Whether objects on the way to an id stand once and in one spelling. */
export function unambiguous(scan: JsonScan, slots: readonly number[]): boolean {
  return slots.every((slot) => (scan.facts(slot) & AMBIGUOUS) === 0);
}

/** `referenceTaskIds`: undefined when it is no list of strings. */
export function references(scan: JsonScan): readonly string[] | undefined {
  const facts = scan.facts(SLOT.references);
  if ((facts & NOT_A_LIST) !== 0 || (facts & FACT.string) !== 0) return undefined;
  if ((scan.facts(SLOT.reference) & ~FACT.string) !== 0) return undefined;
  return scan.list(SLOT.reference);
}

/** Which slots state what, per operation. */
interface Places {
  readonly containers: readonly number[];
  readonly taskId: readonly number[];
  readonly contextId: readonly number[];
  readonly tenant: readonly number[];
  readonly references: boolean;
}

const NO_REFERENCES: readonly string[] = [];

const places = (part: Partial<Places>): Places => ({
  containers: [],
  taskId: [],
  contextId: [],
  tenant: [SLOT.tenant],
  references: false,
  ...part,
});
const SEND = places({
  containers: [SLOT.message, SLOT.configuration, SLOT.webhook],
  taskId: [SLOT.messageTaskId, SLOT.webhookTaskId],
  contextId: [SLOT.messageContextId],
  tenant: [SLOT.tenant, SLOT.webhookTenant],
  references: true,
});
const BY_ID = places({ taskId: [SLOT.id] });
const BY_TASK_ID = places({ taskId: [SLOT.taskId] });
const BY_CONTEXT_ID = places({ contextId: [SLOT.contextId] });
const NO_IDS = places({});
const OPAQUE = places({ tenant: [] });

/** By operation name and version; 0.3 calls the task `id` in push configuration methods, 1.0 the configuration. */
function placesOf(operation: string, version: string | undefined): Places {
  switch (operation) {
    case "SendMessage":
    case "SendStreamingMessage":
      return SEND;
    case "GetTask":
    case "CancelTask":
    case "SubscribeToTask":
      return BY_ID;
    case "ListTasks":
      return BY_CONTEXT_ID;
    case "CreateTaskPushNotificationConfig":
      return BY_TASK_ID;
    case "GetTaskPushNotificationConfig":
    case "ListTaskPushNotificationConfigs":
    case "DeleteTaskPushNotificationConfig":
      return version === "0.3" ? BY_ID : BY_TASK_ID;
    case "GetExtendedAgentCard":
      return NO_IDS;
    default:
      return OPAQUE;
  }
}

/** The ids of a request; undefined when one is doubled, misspelled, not a string, or stated twice and different. */
export function readIds(scan: JsonScan, operation: string, version: string | undefined): Ids | undefined {
  const at = placesOf(operation, version);
  if (!unambiguous(scan, at.containers)) return undefined;
  const taskId = stated(scan, at.taskId);
  const contextId = stated(scan, at.contextId);
  const tenant = stated(scan, at.tenant);
  if (!taskId.ok || !contextId.ok || !tenant.ok) return undefined;
  const referenceTaskIds = at.references ? references(scan) : NO_REFERENCES;
  if (referenceTaskIds === undefined) return undefined;
  return {
    taskId: taskId.value,
    contextId: contextId.value,
    referenceTaskIds: referenceTaskIds.length === 0 ? undefined : referenceTaskIds,
    tenant: tenant.value,
  };
}
