// Attributes of spans and log records. In: a finished record. Out: KeyValues, written one after the other.
import { MAX_ID_BYTES, MAX_NAME_BYTES, cutAtBytes } from "../log-line.ts";
import type { FinishedRequest } from "../record.ts";
import { agentFields, callFields, callerFields, costFields, endFields, remember } from "../remembered.ts";
import * as names from "./names.ts";
import { type Attribute, type ProtobufWriter, attributeKey } from "./protobuf.ts";

const id = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : cutAtBytes(text, MAX_ID_BYTES);
const name = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : cutAtBytes(text, MAX_NAME_BYTES);
const figure = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

/** What went wrong, in few values: a reason of the gateway, a JSON-RPC code, or an HTTP status. Undefined: nothing did. */
export function errorType({
  reason,
  rpcCode,
  status,
  outcome,
}: Pick<FinishedRequest, "reason" | "rpcCode" | "status" | "outcome">): string | undefined {
  if (reason !== undefined) return reason;
  if (outcome === "client_closed") return outcome;
  if (rpcCode !== undefined) return String(rpcCode);
  return status >= 400 ? String(status) : undefined;
}

type Make<T> = T extends (picked: infer P, record: FinishedRequest) => boolean ? (record: P) => Attribute[] : never;

const agent: Make<typeof agentFields.same> = (record) => [
  [names.GEN_AI_OPERATION, "invoke_agent"],
  [names.GEN_AI_AGENT, name(record.agent)],
];

const caller: Make<typeof callerFields.same> = (record) => [
  [names.KEY, name(record.key)],
  [names.FINGERPRINT, record.fingerprint],
  [names.USER_ID, id(record.user)],
  [names.TEAM, id(record.team)],
];

const call: Make<typeof callFields.same> = (record) => [
  [names.A2A_METHOD, id(record.operation)],
  [names.SENT_METHOD, record.logging === "None" ? undefined : id(record.method)],
  [names.A2A_VERSION, id(record.version)],
  [names.BINDING, record.binding],
  [names.RPC_SYSTEM, record.binding === "JSONRPC" ? "jsonrpc" : undefined],
  [names.STREAMING, record.streaming || undefined],
];

const end: Make<typeof endFields.same> = (record) => [
  [names.BACKEND, name(record.backend)],
  [names.SERVER_ADDRESS, name(record.endpoint)],
  [names.OUTCOME, record.outcome],
  [names.REASON, record.reason],
  [names.KEY_FAULT, record.keyFault],
  [names.ERROR_TYPE, errorType(record)],
  [names.HTTP_STATUS, record.status],
  [names.RPC_ERROR_CODE, record.rpcCode],
];

const cost: Make<typeof costFields.same> = (record) => [
  [names.COST_SOURCE, record.costSource],
  [names.COST, record.cost],
];

/** What a client span says of how its request ended. */
const answer: Make<typeof endFields.same> = (record) => [
  [names.BACKEND, name(record.backend)],
  [names.SERVER_ADDRESS, name(record.endpoint)],
  [names.HTTP_STATUS, record.reason === undefined ? record.status : undefined],
  [names.ERROR_TYPE, errorType(record)],
];

/** Writes the attributes of a record, or of the span of its request to the agent. */
export interface AttributeWriter {
  write(record: FinishedRequest): void;
  writeUpstream(record: FinishedRequest): void;
}

/**
 * As the log line: who called what, how it went; ids and states of the payload unless the agent's logging says `None`.
 *
 * @param field of a KeyValue in the message that has attributes
 */
export function createAttributes(writer: ProtobufWriter, field: number): AttributeWriter {
  /** KeyValues in their encoded form, as the writer gives them. */
  const encoded = (attributes: readonly Attribute[]): Buffer => {
    const from = writer.length;
    for (const attribute of attributes) writer.attribute(field, attribute);
    const bytes = writer.since(from);
    writer.cut(from);
    return bytes;
  };
  const agentOf = remember(agentFields, (record) => encoded(agent(record)));
  const callerOf = remember(callerFields, (record) => encoded(caller(record)));
  const callOf = remember(callFields, (record) => encoded(call(record)));
  const endOf = remember(endFields, (record) => encoded(end(record)));
  const costOf = remember(costFields, (record) => encoded(cost(record)));
  const answerOf = remember(endFields, (record) => encoded(answer(record)));
  const requestBytes = attributeKey(field, names.HTTP_REQUEST_SIZE);
  const responseBytes = attributeKey(field, names.HTTP_RESPONSE_SIZE);
  const events = attributeKey(field, names.EVENTS);
  const inputTokens = attributeKey(field, names.GEN_AI_INPUT_TOKENS);
  const outputTokens = attributeKey(field, names.GEN_AI_OUTPUT_TOKENS);
  const taskId = attributeKey(field, names.A2A_TASK_ID);
  const contextId = attributeKey(field, names.A2A_CONTEXT_ID);
  const conversation = attributeKey(field, names.GEN_AI_CONVERSATION);

  return {
    write(record) {
      writer.raw(agentOf(record));
      writer.raw(callerOf(record));
      writer.raw(callOf(record));
      writer.raw(endOf(record));
      if (record.cost !== undefined) writer.raw(costOf(record));
      writer.number(requestBytes, record.requestBytes);
      writer.number(responseBytes, record.responseBytes);
      if (record.streaming) writer.number(events, record.events);
      if (record.usage !== undefined) {
        writer.number(inputTokens, figure(record.usage.get("inputTokens")));
        writer.number(outputTokens, figure(record.usage.get("outputTokens")));
      }
      if (record.logging === "None") return;
      writer.words(taskId, id(record.taskId));
      writer.words(contextId, id(record.contextId), conversation);
      writer.known(field, names.A2A_TASK_STATE, record.state);
    },
    writeUpstream(record) {
      writer.raw(agentOf(record));
      writer.known(field, names.A2A_METHOD, record.operation);
      writer.raw(answerOf(record));
    },
  };
}
