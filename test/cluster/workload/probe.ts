// Asks each proxy by itself whether a key still opens it, as a pod. In: addresses of proxies, a key. Out: on --port, GET / says when
// each of them served last and refused last.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { Agent, request } from "undici";

/** Milliseconds since the epoch, of the moment at which the request was sent. */
export interface Probed {
  readonly served: number;
  readonly refused: number;
}

const { values } = parseArgs({
  options: {
    urls: { type: "string", default: "" },
    key: { type: "string", default: "" },
    every: { type: "string", default: "50" },
    port: { type: "string", default: "8080" },
  },
});
const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort());
const dispatcher = new Agent({ connections: 2, headersTimeout: 10_000 });
const headers = { authorization: `Bearer ${values.key}`, "content-type": "application/json" };
const message = { kind: "message", role: "user", messageId: "m", parts: [{ kind: "text", text: "hi" }] };
const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "message/send", params: { message } });
const seen: Record<string, { served: number; refused: number }> = {};

async function probe(url: string): Promise<void> {
  const of = (seen[url] = { served: 0, refused: 0 });
  while (!stopping.signal.aborted) {
    const sent = Date.now();
    try {
      const { statusCode, body: answer } = await request(url, { method: "POST", headers, body, dispatcher });
      await answer.dump();
      if (statusCode === 200) of.served = sent;
      if (statusCode === 401 || statusCode === 403) of.refused = sent;
    } catch {
      // Neither served nor refused: asked again.
    }
    await new Promise((resolve) => setTimeout(resolve, Number(values.every)));
  }
}

const server = createServer((_, res) => {
  res.setHeader("content-type", "application/json");
  res.end(JSON.stringify(seen));
}).listen(Number(values.port));
stopping.signal.addEventListener("abort", () => process.exit(0));
await Promise.all(values.urls.split(",").map(probe));
server.close();
