// Streams for tests. In: a port and a body. Out: the chunks as they come, without waiting for the end; and agents that stream.
import { type ClientRequest, type IncomingHttpHeaders, request, type ServerResponse } from "node:http";
import { TOKEN } from "./proxy.test-support.ts";

export interface OpenStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** All text so far. */
  readonly text: () => string;
  /** Resolves once the text so far holds this. */
  readonly holds: (part: string) => Promise<void>;
  /** Resolves at the end: whether it ended cleanly. */
  readonly ended: Promise<"clean" | "broken">;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly request: ClientRequest;
}

export const delay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Opens a stream; resolves with its head. */
export function openStream(port: number, body: string, path = "/a2a/travel"): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const req = request(
      {
        host: "127.0.0.1",
        port,
        method: "POST",
        path,
        agent: false,
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      },
      (res) => {
        let text = "";
        res.setEncoding("utf8");
        res.on("data", (chunk: string) => {
          text += chunk;
        });
        const ended = new Promise<"clean" | "broken">((done) => {
          res.on("error", () => done("broken"));
          res.on("close", () => done(res.complete ? "clean" : "broken"));
        });
        resolve({
          status: res.statusCode ?? 0,
          headers: res.headers,
          text: () => text,
          async holds(part) {
            while (!text.includes(part)) await delay();
          },
          ended,
          pause: () => res.pause(),
          resume: () => res.resume(),
          request: req,
        });
      },
    );
    req.on("error", reject);
    req.end(body);
  });
}

export const event = (result: unknown, id: unknown = 1): string =>
  `data: ${JSON.stringify({ jsonrpc: "2.0", id, result })}\n\n`;

export const working = {
  kind: "status-update",
  taskId: "task-1",
  contextId: "context-1",
  status: { state: "working" },
};
export const completed = { ...working, status: { state: "completed" }, final: true };

/** Begins a stream on the agent's side. */
export function beginStream(res: ServerResponse): void {
  res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "max-age=5" });
  res.flushHeaders();
}
