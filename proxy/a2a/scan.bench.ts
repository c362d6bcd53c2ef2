// What reading costs, run by hand: `node proxy/a2a/scan.bench.ts`. Prints microseconds per body and per event, median of rounds.
import { pathToFileURL } from "node:url";
import { createEnvelopeReader } from "./envelope.ts";
import { createEventReader } from "./events.ts";
import { operationOfMethod } from "./operation.ts";

const ROUNDS = 15;
const CALLS = 20_000;

/** A send of about this many bytes: one long text, or text parts of 100 bytes. */
function sendBody(bytes: number, parts: "one" | "many"): Buffer {
  const part = (length: number): object => ({
    kind: "text",
    text: "Lorem ipsum dolor sit, ".repeat(length).slice(0, length),
  });
  const count = parts === "one" ? 1 : Math.max(1, Math.floor((bytes - 300) / 130));
  const length = parts === "one" ? bytes - 300 : 100;
  return Buffer.from(
    JSON.stringify({
      jsonrpc: "2.0",
      id: 17,
      method: "message/send",
      params: {
        message: {
          kind: "message",
          messageId: "5a0ff60f-44f1-4ad4-9a0c-4ee0ba9f7e3d",
          contextId: "0f26e5a6-8a43-44c0-8f5e-1d2b7d0a2f55",
          role: "user",
          parts: Array.from({ length: count }, () => part(length)),
        },
        configuration: { blocking: true, acceptedOutputModes: ["text/plain"] },
      },
    }),
  );
}

function measure(run: () => void): number {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < CALLS; i++) run();
    times.push(((performance.now() - start) * 1000) / CALLS);
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
}

function main(): void {
  const operation = operationOfMethod("message/stream");
  const event = Buffer.from(
    `data: ${JSON.stringify({
      jsonrpc: "2.0",
      id: 17,
      result: {
        kind: "status-update",
        taskId: "5a0ff60f-44f1-4ad4-9a0c-4ee0ba9f7e3d",
        contextId: "0f26e5a6-8a43-44c0-8f5e-1d2b7d0a2f55",
        status: { state: "working", timestamp: "2026-01-01T00:00:00.000Z" },
        final: false,
      },
    })}\n\n`,
  );
  const lines: string[] = [];
  for (const [name, body] of [
    ["1 KiB, one text", sendBody(1024, "one")],
    ["1 KiB, many parts", sendBody(1024, "many")],
    ["10 KiB, one text", sendBody(10_240, "one")],
    ["10 KiB, many parts", sendBody(10_240, "many")],
  ] as const) {
    const own = measure(() => {
      const reader = createEnvelopeReader();
      reader.push(body);
      reader.end();
    });
    const parse = measure(() => void JSON.parse(body.toString()));
    lines.push(`${name} (${body.length} B): ${own.toFixed(2)} µs; JSON.parse ${parse.toFixed(2)} µs`);
  }
  const reader = createEventReader("JSONRPC", operation, () => undefined);
  lines.push(`event (${event.length} B): ${measure(() => reader.push(event)).toFixed(2)} µs`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
