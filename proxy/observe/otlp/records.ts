// Finished records as OTLP. In: records in batches. Out: bytes of ExportTraceServiceRequest and ExportLogsServiceRequest
// (opentelemetry-proto 1.x, collector/trace/v1 and collector/logs/v1).
import { failure } from "../../request/failure.ts";
import type { FinishedRequest } from "../record.ts";
import { errorType, writeAttributes } from "./attributes.ts";
import * as names from "./names.ts";
import { type Attribute, ProtobufWriter } from "./protobuf.ts";

const SERVER = 2;
const CLIENT = 3;
const ERROR = 2;
/** Parent's remoteness is known, and it is remote (flags of Span). */
const REMOTE_PARENT = 0x300;
const SEVERITY: Readonly<Record<string, number>> = { debug: 5, info: 9, warn: 13, error: 17 };

export interface Encoder {
  spans(records: readonly FinishedRequest[]): Buffer;
  logs(records: readonly FinishedRequest[]): Buffer;
}

/** @param resource attributes of the process; `version` is the scope's */
export function createEncoder(resource: readonly Attribute[], version: string): Encoder {
  const writer = new ProtobufWriter();

  function request(write: () => void): Buffer {
    const whole = writer.open(1);
    writeResource(writer, resource);
    const scope = writer.open(2);
    writeScope(writer, version);
    write();
    writer.close(scope);
    writer.close(whole);
    return writer.take();
  }

  return {
    spans: (records) =>
      request(() => {
        for (const record of records) {
          serverSpan(writer, record);
          upstreamSpan(writer, record);
        }
      }),
    logs: (records) =>
      request(() => {
        for (const record of records) logRecord(writer, record);
      }),
  };
}

export function writeResource(writer: ProtobufWriter, attributes: readonly Attribute[]): void {
  const resource = writer.open(1);
  for (const attribute of attributes) writer.attribute(1, attribute);
  writer.close(resource);
}

export function writeScope(writer: ProtobufWriter, version: string): void {
  const scope = writer.open(1);
  writer.text(1, names.SCOPE);
  writer.text(2, version);
  writer.close(scope);
}

function serverSpan(writer: ProtobufWriter, record: FinishedRequest): void {
  const { spans } = record;
  if (spans === undefined) return;
  const span = writer.open(2);
  writer.hex(1, record.traceId);
  writer.hex(2, spans.server);
  if (spans.parent !== undefined) writer.hex(4, spans.parent);
  writer.text(5, record.operation ?? "request");
  writer.uint(6, SERVER);
  writer.time(7, record.time);
  writer.time(8, record.time + record.latency);
  writeAttributes(writer, 9, record);
  status(writer, record);
  writer.fixed32(16, (spans.parent === undefined ? 0x100 : REMOTE_PARENT) | 1);
  writer.close(span);
}

/** The request to the agent, from when it was sent; there is none where it never was. */
function upstreamSpan(writer: ProtobufWriter, record: FinishedRequest): void {
  const { spans, sentAt } = record;
  if (spans === undefined || sentAt === undefined) return;
  const span = writer.open(2);
  writer.hex(1, record.traceId);
  writer.hex(2, spans.upstream);
  writer.hex(4, spans.server);
  writer.text(5, record.operation ?? "request");
  writer.uint(6, CLIENT);
  writer.time(7, record.time + sentAt);
  writer.time(8, record.time + record.latency);
  writer.known(9, names.GEN_AI_OPERATION, "invoke_agent");
  writer.known(9, names.GEN_AI_AGENT, record.agent);
  writer.known(9, names.A2A_METHOD, record.operation);
  writer.known(9, names.BACKEND, record.backend);
  writer.known(9, names.SERVER_ADDRESS, record.endpoint);
  if (record.reason === undefined) writer.attribute(9, [names.HTTP_STATUS, record.status]);
  writer.known(9, names.ERROR_TYPE, errorType(record));
  status(writer, record);
  writer.fixed32(16, 0x101);
  writer.close(span);
}

/** A refused request is no fault of a server (HTTP semantic conventions, status of server spans). */
function status(writer: ProtobufWriter, record: FinishedRequest): void {
  if (record.outcome === "ok" || record.outcome === "client_closed") return;
  if (record.outcome === "refused" && record.status < 500) return;
  const at = writer.open(15);
  writer.uint(3, ERROR);
  writer.close(at);
}

function logRecord(writer: ProtobufWriter, record: FinishedRequest): void {
  const at = writer.open(2);
  writer.time(1, record.time);
  const level = record.reason === undefined ? "info" : failure(record.reason).level;
  writer.uint(2, SEVERITY[level] ?? 9);
  writer.text(3, level);
  const body = writer.open(5);
  writer.text(1, "request");
  writer.close(body);
  writeAttributes(writer, 6, record);
  writer.attribute(6, [names.LATENCY, record.latency]);
  writer.attribute(6, [names.FIRST_BYTE, record.firstByte]);
  if (record.logging === "Full") {
    writer.attribute(6, [names.REQUEST, record.requestContent]);
    writer.attribute(6, [names.RESPONSE, record.responseContent]);
  }
  writer.fixed32(8, record.sampled ? 1 : 0);
  writer.hex(9, record.traceId);
  if (record.spans !== undefined) writer.hex(10, record.spans.server);
  writer.time(11, record.time + record.latency);
  writer.text(12, names.EVENT_REQUEST);
  writer.close(at);
}
