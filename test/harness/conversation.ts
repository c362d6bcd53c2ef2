// A whole conversation with an agent, through each SDK: card, send, stream, long task polled and cancelled, question answered.
// In: the agent's base URL, a key, a binding, the name of an SDK. Out: what was seen, in one shape for all of them.
import { randomUUID } from "node:crypto";
import { SendMessageRequest, TaskState, type Part, type StreamResponse, type Task } from "@a2a-js/sdk";
import * as js10 from "@a2a-js/sdk/client";
import type * as a2a03 from "@a2a-js/sdk-0.3";
import * as js03 from "@a2a-js/sdk-0.3/client";
import { join } from "node:path";
import { start } from "./processes.ts";
import { pythonWith } from "./python.ts";

export type SdkBinding = "JSONRPC" | "HTTP+JSON";

export interface Conversation {
  readonly card: { readonly name: string; readonly url: string };
  readonly hello: string;
  readonly stream: { readonly text: string; readonly events: number };
  /** Task states, lower case with hyphens. */
  readonly long: { readonly polled: readonly string[]; readonly canceled: string };
  readonly ask: {
    readonly asked: string;
    readonly answered: string;
    readonly sameTask: boolean;
    readonly text: string;
  };
}

export const SDKS = ["js-1.3", "js-0.3", "python-1.3", "python-0.3"] as const;
export type Sdk = (typeof SDKS)[number];

/** Holds the conversation. Throws what the SDK throws. */
export function converse(sdk: Sdk, base: string, key: string, binding: SdkBinding): Promise<Conversation> {
  switch (sdk) {
    case "js-1.3":
      return converseJs10(base, key, binding);
    case "js-0.3":
      return converseJs03(base, key, binding);
    case "python-1.3":
      return conversePython("a2a-sdk-1.3", "conversation_1_0.py", base, key, binding);
    case "python-0.3":
      return conversePython("a2a-sdk-0.3", "conversation_0_3.py", base, key, binding);
  }
}

/** A fetch that presents the key, as an application would configure its SDK. */
export const fetchWith =
  (key: string): typeof fetch =>
  (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set("authorization", `Bearer ${key}`);
    return fetch(input, { ...init, headers });
  };

const stateName = (state: TaskState | undefined): string =>
  (TaskState[state ?? 0] ?? "").replace("TASK_STATE_", "").toLowerCase().replaceAll("_", "-");

const textOf10 = (parts: readonly Part[] | undefined): string =>
  (parts ?? []).map((part) => (part.content?.$case === "text" ? part.content.value : "")).join("");

const taskText10 = (task: Task): string =>
  textOf10(task.status?.message?.parts) + task.artifacts.map((artifact) => textOf10(artifact.parts)).join("");

function eventText10(event: StreamResponse): string {
  const { payload } = event;
  switch (payload?.$case) {
    case "task":
      return taskText10(payload.value);
    case "message":
      return textOf10(payload.value.parts);
    case "statusUpdate":
      return textOf10(payload.value.status?.message?.parts);
    case "artifactUpdate":
      return textOf10(payload.value.artifact?.parts);
    case undefined:
      return "";
  }
}

async function converseJs10(base: string, key: string, binding: SdkBinding): Promise<Conversation> {
  const options = { fetchImpl: fetchWith(key) };
  const transport =
    binding === "JSONRPC" ? new js10.JsonRpcTransportFactory(options) : new js10.RestTransportFactory(options);
  const factory = new js10.ClientFactory({
    transports: [transport],
    cardResolver: new js10.DefaultAgentCardResolver(options),
  });
  const client = await factory.createFromUrl(`${base}/`);
  const card = await client.getAgentCard();
  const say = (
    text: string,
    more: { taskId?: string; contextId?: string; returnImmediately?: boolean } = {},
  ): SendMessageRequest =>
    SendMessageRequest.fromJSON({
      message: {
        messageId: randomUUID(),
        role: "ROLE_USER",
        parts: [{ text }],
        ...(more.taskId === undefined ? {} : { taskId: more.taskId, contextId: more.contextId }),
      },
      configuration: { returnImmediately: more.returnImmediately ?? false },
    });
  const task = async (request: SendMessageRequest): Promise<Task> => {
    const answer = await client.sendMessage(request);
    if (!("status" in answer)) throw new Error("a message came where a task was expected");
    return answer;
  };

  const hello = await client.sendMessage(say("hello"));
  let text = "";
  let events = 0;
  for await (const event of client.sendMessageStream(say("stream one two three"))) {
    events += 1;
    text += eventText10(event);
  }
  const started = await task(say("long", { returnImmediately: true }));
  const polled: string[] = [];
  for (let i = 0; i < 4; i += 1)
    polled.push(
      stateName((await client.getTask({ tenant: "", id: started.id, historyLength: undefined })).status?.state),
    );
  const canceled = await client.cancelTask({ tenant: "", id: started.id, metadata: undefined });
  const asked = await task(say("ask"));
  const answered = await task(say("blue", { taskId: asked.id, contextId: asked.contextId }));
  return {
    card: { name: card.name, url: card.supportedInterfaces[0]?.url ?? "" },
    hello: "status" in hello ? taskText10(hello) : textOf10(hello.parts),
    stream: { text, events },
    long: { polled, canceled: stateName(canceled.status?.state) },
    ask: {
      asked: stateName(asked.status?.state),
      answered: stateName(answered.status?.state),
      sameTask: answered.id === asked.id,
      text: taskText10(answered),
    },
  };
}

const textOf03 = (parts: readonly a2a03.Part[] | undefined): string =>
  (parts ?? []).map((part) => (part.kind === "text" ? part.text : "")).join("");

const taskText03 = (task: a2a03.Task): string =>
  textOf03(task.status.message?.parts) + (task.artifacts ?? []).map((artifact) => textOf03(artifact.parts)).join("");

function eventText03(
  event: a2a03.Message | a2a03.Task | a2a03.TaskStatusUpdateEvent | a2a03.TaskArtifactUpdateEvent,
): string {
  switch (event.kind) {
    case "message":
      return textOf03(event.parts);
    case "task":
      return taskText03(event);
    case "status-update":
      return textOf03(event.status.message?.parts);
    case "artifact-update":
      return textOf03(event.artifact.parts);
  }
}

async function converseJs03(base: string, key: string, binding: SdkBinding): Promise<Conversation> {
  const options = { fetchImpl: fetchWith(key) };
  const transport =
    binding === "JSONRPC" ? new js03.JsonRpcTransportFactory(options) : new js03.RestTransportFactory(options);
  const factory = new js03.ClientFactory({
    transports: [transport],
    preferredTransports: [binding],
    cardResolver: new js03.DefaultAgentCardResolver(options),
  });
  const client = await factory.createFromUrl(`${base}/.well-known/agent-card.json`, "");
  const card = await client.getAgentCard();
  const say = (
    text: string,
    more: { taskId?: string; contextId?: string; blocking?: boolean } = {},
  ): a2a03.MessageSendParams => ({
    message: {
      kind: "message",
      messageId: randomUUID(),
      role: "user",
      parts: [{ kind: "text", text }],
      ...(more.taskId === undefined ? {} : { taskId: more.taskId }),
      ...(more.contextId === undefined ? {} : { contextId: more.contextId }),
    },
    configuration: { blocking: more.blocking ?? true },
  });
  const task = async (params: a2a03.MessageSendParams): Promise<a2a03.Task> => {
    const answer = await client.sendMessage(params);
    if (answer.kind !== "task") throw new Error("a message came where a task was expected");
    return answer;
  };

  const hello = await client.sendMessage(say("hello"));
  let text = "";
  let events = 0;
  for await (const event of client.sendMessageStream(say("stream one two three"))) {
    events += 1;
    text += eventText03(event);
  }
  const started = await task(say("long", { blocking: false }));
  const polled: string[] = [];
  for (let i = 0; i < 4; i += 1) polled.push((await client.getTask({ id: started.id })).status.state);
  const canceled = await client.cancelTask({ id: started.id });
  const asked = await task(say("ask"));
  const answered = await task(say("blue", { taskId: asked.id, contextId: asked.contextId }));
  return {
    card: { name: card.name, url: card.url },
    hello: hello.kind === "task" ? taskText03(hello) : textOf03(hello.parts),
    stream: { text, events },
    long: { polled, canceled: canceled.status.state },
    ask: {
      asked: asked.status.state,
      answered: answered.status.state,
      sameTask: answered.id === asked.id,
      text: taskText03(answered),
    },
  };
}

async function conversePython(
  sdk: "a2a-sdk-0.3" | "a2a-sdk-1.3",
  script: string,
  base: string,
  key: string,
  binding: SdkBinding,
): Promise<Conversation> {
  const python = await pythonWith(sdk);
  const child = start(python, [join(import.meta.dirname, "python", script), base, key, binding], { name: script });
  const code = await child.ended;
  const line = child
    .output()
    .split("\n")
    .find((text) => text.startsWith("{"));
  if (code !== 0 || line === undefined)
    throw new Error(`${script} ended with ${code}:\n${child.output().slice(-4_000)}`);
  return JSON.parse(line) as Conversation;
}
