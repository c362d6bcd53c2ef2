// Attributes of spans and log records. In: a finished record. Out: KeyValues, written one after the other.
import { MAX_ID_BYTES, MAX_NAME_BYTES, cutAtBytes } from "../log-line.ts";
import type { FinishedRequest } from "../record.ts";
import * as names from "./names.ts";
import type { ProtobufWriter } from "./protobuf.ts";

const id = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : cutAtBytes(text, MAX_ID_BYTES);
const name = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : cutAtBytes(text, MAX_NAME_BYTES);

/** What went wrong, in few values: a reason of the gateway, a JSON-RPC code, or an HTTP status. Undefined: nothing did. */
export function errorType({ reason, rpcCode, status, outcome }: FinishedRequest): string | undefined {
  if (reason !== undefined) return reason;
  if (outcome === "client_closed") return outcome;
  if (rpcCode !== undefined) return String(rpcCode);
  return status >= 400 ? String(status) : undefined;
}

/** As the log line: who called what, how it went; ids and states of the payload unless the agent's logging says `None`. */
export function writeAttributes(writer: ProtobufWriter, field: number, record: FinishedRequest): void {
  const text = (key: string, value: string | undefined): void => writer.known(field, key, value);
  text(names.GEN_AI_OPERATION, "invoke_agent");
  text(names.GEN_AI_AGENT, name(record.agent));
  text(names.A2A_METHOD, id(record.operation));
  text(names.A2A_VERSION, id(record.version));
  text(names.BINDING, record.binding);
  if (record.binding === "JSONRPC") text(names.RPC_SYSTEM, "jsonrpc");
  text(names.KEY, name(record.key));
  text(names.FINGERPRINT, record.fingerprint);
  text(names.USER_ID, id(record.user));
  text(names.TEAM, id(record.team));
  text(names.BACKEND, name(record.backend));
  text(names.SERVER_ADDRESS, name(record.endpoint));
  text(names.OUTCOME, record.outcome);
  text(names.REASON, record.reason);
  text(names.KEY_FAULT, record.keyFault);
  text(names.ERROR_TYPE, errorType(record));
  text(names.COST_SOURCE, record.costSource);
  text(names.COST, record.cost);
  writer.attribute(field, [names.HTTP_STATUS, record.status]);
  writer.attribute(field, [names.RPC_ERROR_CODE, record.rpcCode]);
  writer.attribute(field, [names.HTTP_REQUEST_SIZE, record.requestBytes]);
  writer.attribute(field, [names.HTTP_RESPONSE_SIZE, record.responseBytes]);
  if (record.streaming) {
    writer.attribute(field, [names.STREAMING, true]);
    writer.attribute(field, [names.EVENTS, record.events]);
  }
  if (record.usage !== undefined) {
    writer.attribute(field, [names.GEN_AI_INPUT_TOKENS, figure(record.usage.get("inputTokens"))]);
    writer.attribute(field, [names.GEN_AI_OUTPUT_TOKENS, figure(record.usage.get("outputTokens"))]);
  }
  if (record.logging === "None") return;
  writer.attribute(field, [names.SENT_METHOD, id(record.method)]);
  writer.attribute(field, [names.A2A_TASK_ID, id(record.taskId)]);
  const context = id(record.contextId);
  writer.attribute(field, [names.A2A_CONTEXT_ID, context]);
  writer.attribute(field, [names.GEN_AI_CONVERSATION, context]);
  text(names.A2A_TASK_STATE, record.state);
}

const figure = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
