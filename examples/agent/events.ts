// The events of one turn, in the SDK's shapes. In: what the SDK says of the request, and its event bus. Out: functions that publish.
import { randomUUID } from "node:crypto";
import { Role, TaskState } from "@a2a-js/sdk";
import type { Message, Part } from "@a2a-js/sdk";
import { AgentEvent } from "@a2a-js/sdk/server";
import type { ExecutionEventBus, RequestContext } from "@a2a-js/sdk/server";

const textPart = (value: string): Part => ({
  content: { $case: "text", value },
  mediaType: "text/plain",
  filename: "",
  metadata: undefined,
});

/** All text of a message, trimmed. */
export function textOf(message: Message): string {
  return message.parts
    .map((part) => (part.content?.$case === "text" ? part.content.value : ""))
    .join(" ")
    .trim();
}

export interface Turn {
  /** The first event of every turn: the task, new or as it stands, now in `state`. */
  open(state: TaskState): void;
  status(state: TaskState, text?: string): void;
  /** A piece of the task's one artifact, `response`. The first piece makes it. */
  write(text: string, last: boolean): void;
  /** The task stands still until the client says more. */
  readonly waits: boolean;
}

/** `now` gives the time stamps of statuses. */
export function createTurn(context: RequestContext, bus: ExecutionEventBus, now: () => Date): Turn {
  const { taskId, contextId } = context;
  const artifactId = randomUUID();
  let pieces = 0;
  let latest = TaskState.TASK_STATE_UNSPECIFIED;

  const statusOf = (state: TaskState, text?: string) => ({
    state,
    timestamp: now().toISOString(),
    message:
      text === undefined
        ? undefined
        : {
            messageId: randomUUID(),
            contextId,
            taskId,
            role: Role.ROLE_AGENT,
            parts: [textPart(text)],
            metadata: undefined,
            extensions: [],
            referenceTaskIds: [],
          },
  });

  return {
    open(state) {
      bus.publish(
        AgentEvent.task({
          id: taskId,
          contextId,
          status: statusOf(state),
          artifacts: context.task?.artifacts ?? [],
          history: context.task?.history ?? [context.userMessage],
          metadata: undefined,
        }),
      );
    },
    status(state, text) {
      latest = state;
      bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: statusOf(state, text), metadata: undefined }));
    },
    write(text, last) {
      bus.publish(
        AgentEvent.artifactUpdate({
          taskId,
          contextId,
          artifact: {
            artifactId,
            name: "response",
            description: "",
            parts: [textPart(text)],
            metadata: undefined,
            extensions: [],
          },
          append: pieces++ > 0,
          lastChunk: last,
          metadata: undefined,
        }),
      );
    },
    get waits() {
      return latest === TaskState.TASK_STATE_INPUT_REQUIRED;
    },
  };
}
