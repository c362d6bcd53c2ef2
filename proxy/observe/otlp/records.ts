// Finished records as OTLP. In: records, one at a time. Out: bytes of ExportTraceServiceRequest and ExportLogsServiceRequest
// (opentelemetry-proto 1.x, collector/trace/v1 and collector/logs/v1).
import { failure } from "../../request/failure.ts";
import type { FinishedRequest } from "../record.ts";
import { type AttributeWriter, createAttributes } from "./attributes.ts";
import * as names from "./names.ts";
import { type Attribute, ProtobufWriter, attributeKey } from "./protobuf.ts";

const SERVER = 2;
const CLIENT = 3;
const ERROR = 2;
/** Parent's remoteness is known, and it is remote (flags of Span). */
const REMOTE_PARENT = 0x300;
const SEVERITY = { info: 9, warn: 13, error: 17 } as const;

/** A request to a collector in the making: records become bytes as they come, so that none of them has to be kept. */
export interface Batch {
  add(record: FinishedRequest): void;
  /** Bytes so far. */
  readonly length: number;
  /** The whole request; the next one begins. */
  take(): Buffer;
  /** What was taken is needed no more. */
  giveBack(taken: Buffer): void;
}

/** @param resource attributes of the process; `version` is the scope's */
export function createSpanBatch(resource: readonly Attribute[], version: string): Batch {
  const writer = new ProtobufWriter();
  const attributes = createAttributes(writer, 9);
  return batchOf(writer, resource, version, (record) => {
    serverSpan(writer, attributes, record);
    upstreamSpan(writer, attributes, record);
  });
}

/** @param resource attributes of the process; `version` is the scope's */
export function createLogBatch(resource: readonly Attribute[], version: string): Batch {
  const writer = new ProtobufWriter();
  const attributes = createAttributes(writer, 6);
  const write = createLogRecords(writer, attributes);
  return batchOf(writer, resource, version, write);
}

function batchOf(
  writer: ProtobufWriter,
  resource: readonly Attribute[],
  version: string,
  write: (record: FinishedRequest) => void,
): Batch {
  let whole = 0;
  let scope = 0;

  function begin(): void {
    whole = writer.open(1);
    writeResource(writer, resource);
    scope = writer.open(2);
    writeScope(writer, version);
  }

  return {
    add(record) {
      if (writer.length === 0) begin();
      const from = writer.length;
      try {
        write(record);
      } catch (error) {
        writer.cut(from);
        throw error;
      }
    },
    get length() {
      return writer.length;
    },
    take() {
      if (writer.length === 0) begin();
      writer.close(scope);
      writer.close(whole);
      return writer.take();
    },
    giveBack: (taken) => writer.giveBack(taken),
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

function serverSpan(writer: ProtobufWriter, attributes: AttributeWriter, record: FinishedRequest): void {
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
  attributes.write(record);
  status(writer, record);
  writer.fixed32(16, (spans.parent === undefined ? 0x100 : REMOTE_PARENT) | 1);
  writer.close(span);
}

/** The request to the agent, from when it was sent; there is none where it never was. */
function upstreamSpan(writer: ProtobufWriter, attributes: AttributeWriter, record: FinishedRequest): void {
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
  attributes.writeUpstream(record);
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

function createLogRecords(writer: ProtobufWriter, attributes: AttributeWriter): (record: FinishedRequest) => void {
  const latency = attributeKey(6, names.LATENCY);
  const firstByte = attributeKey(6, names.FIRST_BYTE);
  const request = attributeKey(6, names.REQUEST);
  const response = attributeKey(6, names.RESPONSE);
  const event = encoded((scratch) => scratch.text(12, names.EVENT_REQUEST));
  const levels = {
    info: encoded((scratch) => levelAndBody(scratch, "info")),
    warn: encoded((scratch) => levelAndBody(scratch, "warn")),
    error: encoded((scratch) => levelAndBody(scratch, "error")),
  };

  return (record) => {
    const at = writer.open(2);
    writer.time(1, record.time);
    writer.raw(levels[record.reason === undefined ? "info" : failure(record.reason).level]);
    attributes.write(record);
    writer.number(latency, record.latency);
    writer.number(firstByte, record.firstByte);
    if (record.logging === "Full") {
      writer.words(request, record.requestContent);
      writer.words(response, record.responseContent);
    }
    writer.fixed32(8, record.sampled ? 1 : 0);
    writer.hex(9, record.traceId);
    if (record.spans !== undefined) writer.hex(10, record.spans.server);
    writer.time(11, record.time + record.latency);
    writer.raw(event);
    writer.close(at);
  };
}

function levelAndBody(writer: ProtobufWriter, level: keyof typeof SEVERITY): void {
  writer.uint(2, SEVERITY[level]);
  writer.text(3, level);
  const body = writer.open(5);
  writer.text(1, "request");
  writer.close(body);
}

/** What never changes. */
function encoded(write: (writer: ProtobufWriter) => void): Buffer {
  const scratch = new ProtobufWriter();
  write(scratch);
  return scratch.since(0);
}
