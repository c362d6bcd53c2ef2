// A client that never lets go, as a pod. In: the gateway's URL, a key, how much of what. Out: on --port, GET /figures says what it
// saw since it began, so that a test takes the difference over what it did in between. It ends on SIGTERM.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { Agent, request } from "undici";
import { createTally } from "./tally.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    key: { type: "string" },
    rate: { type: "string", default: "20" },
    streams: { type: "string", default: "100" },
    words: { type: "string", default: "10" },
    port: { type: "string", default: "8080" },
  },
});
const { url = "", key = "" } = values;
const words = Array.from({ length: Number(values.words) }, (_, index) => `w${index + 1}`);
const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort());

const tally = createTally();
/** Connections are kept and used again, as SDKs do; a proxy that ends must tell them in time. */
const kept = new Agent({ connections: 200, headersTimeout: 30_000, bodyTimeout: 60_000 });

const message = (method: string, id: string, text: string): string =>
  JSON.stringify({
    jsonrpc: "2.0",
    id,
    method,
    params: { message: { kind: "message", role: "user", messageId: id, parts: [{ kind: "text", text }] } },
  });

/** One request; every second one by a connection of its own. */
async function ask(count: number): Promise<void> {
  const own = count % 2 === 0 ? new Agent({ headersTimeout: 30_000 }) : undefined;
  const started = performance.now();
  try {
    const { statusCode, body } = await request(url, {
      method: "POST",
      headers,
      body: message("message/send", `r${count}`, "hi"),
      dispatcher: own ?? kept,
    });
    const text = await body.text();
    tally.request(
      statusCode === 200 && text.includes('"result"') ? undefined : `${statusCode} ${text.slice(0, 200)}`,
      performance.now() - started,
    );
  } catch (error) {
    tally.request(reason(error), performance.now() - started);
  } finally {
    await own?.close();
  }
}

/** One stream after another, each as long as its words take. */
async function follow(number: number): Promise<void> {
  for (let count = 0; !stopping.signal.aborted; count++) {
    const id = `s${number}-${count}`;
    tally.opened();
    try {
      const { statusCode, body } = await request(url, {
        method: "POST",
        headers: { ...headers, accept: "text/event-stream" },
        body: message("message/stream", id, `stream ${words.join(" ")}`),
        dispatcher: kept,
      });
      const text = await body.text();
      tally.closed(statusCode === 200 ? endOf(text) : `${statusCode} ${text.slice(0, 200)}`);
    } catch (error) {
      tally.closed(reason(error));
    }
  }
}

/** Undefined: the stream came to its own end. */
function endOf(text: string): string | undefined {
  if (/"final":\s*true/.test(text)) return undefined;
  const error = /"error":\s*(\{.*\})/.exec(text);
  return error === null ? `no end: ${text.slice(-200)}` : `error: ${error[1]?.slice(0, 200)}`;
}

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? `${String(error.code)} ` : "";
  return `${code}${error instanceof Error ? error.message : String(error)}`;
}

const server = createServer((_, res) => {
  res.setHeader("content-type", "application/json");
  res.end(JSON.stringify(tally.figures()));
}).listen(Number(values.port));

const streams = Array.from({ length: Number(values.streams) }, (_, number) => follow(number));
let count = 0;
const ticking = setInterval(() => void ask(count++), 1000 / Number(values.rate));
stopping.signal.addEventListener("abort", () => {
  clearInterval(ticking);
  server.close();
  void Promise.race([Promise.all(streams), new Promise((resolve) => setTimeout(resolve, 1_000))]).then(() =>
    process.exit(0),
  );
});
