import { formatSSEErrorEvent, formatSSEEvent, StreamResponse } from "@a2a-js/sdk";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Binding } from "../table/contract.ts";
import type { Seen } from "./answer.ts";
import { errorEvent } from "./error-body.ts";
import { createEventReader, MAX_EVENT_BYTES } from "./events.ts";
import type { EventReader } from "./events.ts";
import { operationOfMethod } from "./operation.ts";

interface Read {
  readonly reader: EventReader;
  readonly seen: Seen[];
}
function start(binding: Binding = "HTTP+JSON", method = "SendStreamingMessage"): Read {
  const seen: Seen[] = [];
  return { reader: createEventReader(binding, operationOfMethod(method), (one) => seen.push(one)), seen };
}
function read(text: string, cuts: readonly number[] = [], binding?: Binding, method?: string): Read {
  const bytes = Buffer.from(text);
  const all = start(binding, method);
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    all.reader.push(bytes.subarray(from, cut));
    from = cut;
  }
  return all;
}
const update = (taskId: string, state = "TASK_STATE_WORKING"): object => ({
  statusUpdate: { taskId, contextId: "C", status: { state } },
});
const seenOf = (taskId: string, state = "working"): Seen => ({ taskId, contextId: "C", state });

describe("framing", () => {
  const json = JSON.stringify(update("é😀"));
  const middle = json.indexOf(",") + 1;
  it.each([
    ["one line", `data: ${json}\n\n`],
    ["no space after the colon", `data:${json}\n\n`],
    ["CRLF", `data: ${json}\r\n\r\n`],
    ["CR", `data: ${json}\r\r`],
    ["mixed ends", `data: ${json}\r\n\n`],
    ["several lines", `data: ${json.slice(0, middle)}\ndata: ${json.slice(middle)}\n\n`],
    ["an empty data line", `data\ndata: ${json}\ndata:\n\n`],
    ["a byte order mark", `\ufeffdata: ${json}\n\n`],
    [
      "other fields and comments",
      `: ping\nid: 7\nevent: x\nretry: 3\nunknown\ndata2: {}\nDATA: {}\n data: {}\ndata: ${json}\n: pong\n\n`,
    ],
  ])("%s, wherever it is cut", (_name, text) => {
    const length = Buffer.byteLength(text);
    const single = Array.from({ length }, (_, i) => [i]);
    for (const cuts of [[], ...single, Array.from({ length }, (_, i) => i)]) {
      const { reader, seen } = read(text, cuts);
      expect(seen).toEqual([seenOf("é😀")]);
      expect(reader.events()).toBe(1);
    }
  });

  it("counts events with data only, and only when they are whole", () => {
    const { reader, seen } = read(": ping\n\nid: 1\n\nevent: x\n\ndata: not json\n\ndata:\n\ndata: {}");
    expect(reader.events()).toBe(2);
    expect(seen).toEqual([]);
    reader.push(Buffer.from("\n\n"));
    expect([reader.events(), seen]).toEqual([3, [{}]]);
  });

  it("does not mix two events", () => {
    const { seen } = read(`data: {"statusUpdate":{"taskId":"A"\n\ndata: ${JSON.stringify(update("B"))}\n\n`);
    expect(seen).toEqual([seenOf("B")]);
  });

  it("reads what the SDK writes, in any chunks and with any line ends", () => {
    const ids = fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        ids,
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.boolean(),
        (taskIds, eol, at, ping) => {
          const text = taskIds
            .map(
              (taskId) =>
                `${ping ? `: ping${eol}` : ""}${formatSSEEvent(StreamResponse.toJSON(StreamResponse.fromJSON(update(taskId))))}`,
            )
            .join("")
            .replaceAll("\n", eol);
          const cuts = at.map((cut) => cut % (Buffer.byteLength(text) + 1)).toSorted((a, b) => a - b);
          const { reader, seen } = read(text, cuts);
          expect(seen).toEqual(taskIds.map((taskId) => seenOf(taskId)));
          expect([reader.events(), reader.terminal()]).toEqual([taskIds.length, false]);
        },
      ),
    );
  });

  it("counts an event that is too large without reading it, and reads the next", () => {
    const { reader, seen } = start();
    reader.push(Buffer.from('data: {"statusUpdate":{"taskId":"big","x":"'));
    const filler = Buffer.alloc(MAX_EVENT_BYTES / 4, "x");
    for (let i = 0; i < 5; i++) reader.push(filler);
    reader.push(Buffer.from(`"}}\n\ndata: ${JSON.stringify(update("B"))}\n\n`));
    expect(seen).toEqual([seenOf("B")]);
    expect(reader.events()).toBe(2);
  });
});

describe("betweenEvents", () => {
  it.each([
    ["", true],
    [": ping\n", true],
    [": pi", false],
    ["data: {}", false],
    ["data: {}\n", false],
    ["id: 1\n", false],
    ["event: x\n", false],
    ["dat", false],
    ["data: {}\n\n", true],
    ["data: {}\r\n\r", false],
    ["data: {}\r\n\r\n", true],
    ["data: {}\r\r", true],
    ["data: {}\n\ndata: {}\n", false],
  ])("after %j: %s", (text, expected) => expect(read(text).reader.betweenEvents()).toBe(expected));
});

describe("terminal", () => {
  const rpc = (result: object): string => formatSSEEvent({ jsonrpc: "2.0", id: 1, result });
  it.each<[string, Binding, string, boolean]>([
    ["working", "HTTP+JSON", formatSSEEvent(update("T")), false],
    ["input required", "HTTP+JSON", formatSSEEvent(update("T", "TASK_STATE_INPUT_REQUIRED")), false],
    ["completed", "HTTP+JSON", formatSSEEvent(update("T", "TASK_STATE_COMPLETED")), true],
    ["a task that failed", "JSONRPC", rpc({ task: { id: "T", status: { state: "TASK_STATE_FAILED" } } }), true],
    ["a task that works", "JSONRPC", rpc({ task: { id: "T", status: { state: "TASK_STATE_WORKING" } } }), false],
    ["an artifact", "JSONRPC", rpc({ artifactUpdate: { taskId: "T" } }), false],
    ["a message", "JSONRPC", rpc({ message: { messageId: "m" } }), true],
    ["a 0.3 message", "JSONRPC", rpc({ kind: "message", messageId: "m" }), true],
    [
      "a 0.3 final",
      "JSONRPC",
      rpc({ kind: "status-update", taskId: "T", status: { state: "input-required" }, final: true }),
      true,
    ],
    [
      "a 0.3 update",
      "JSONRPC",
      rpc({ kind: "status-update", taskId: "T", status: { state: "working" }, final: false }),
      false,
    ],
    ["a 0.3 protobuf update", "HTTP+JSON", formatSSEEvent({ status_update: { task_id: "T", final: true } }), true],
    [
      "the SDK's error event",
      "JSONRPC",
      formatSSEErrorEvent({ jsonrpc: "2.0", id: 1, error: { code: -32603, message: "x" } }),
      true,
    ],
    ["our error event", "JSONRPC", errorEvent("JSONRPC", "UpstreamReset", { id: "1" }), true],
    ["our HTTP+JSON error event", "HTTP+JSON", errorEvent("HTTP+JSON", "UpstreamReset", {}), true],
  ])("%s", (_name, binding, text, terminal) => {
    const { reader } = read(text, [9], binding);
    expect([reader.events(), reader.terminal()]).toEqual([1, terminal]);
  });

  it("stays once it was seen", () => {
    const { reader } = read(formatSSEEvent(update("T", "TASK_STATE_COMPLETED")) + formatSSEEvent(update("T")));
    expect(reader.terminal()).toBe(true);
  });

  it("gives the code of an error in the stream", () => {
    const { seen } = read(errorEvent("JSONRPC", "UpstreamReset", { id: "1" }), [], "JSONRPC", "message/stream");
    expect(seen).toEqual([{ rpcCode: -32054 }]);
  });
});
