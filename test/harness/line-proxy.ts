// Stands between operator and proxy and spoils lines of the stream, as a broken link or a broken operator would.
// In: the operator's URL, and what to do to each line. Out: a URL to give to the proxy, and what was spoiled.
import { createServer } from "node:http";
import { once } from "node:events";
import { Readable } from "node:stream";
import { request } from "undici";
import { STREAM_PATH } from "../../proxy/table/contract.ts";

/** Gives the lines to send instead of one line: none drops it, two double it; `cut` ends the connection. Lines wait for one that is late. */
export type Spoil = (line: string) => Spoiled | Promise<Spoiled>;
export type Spoiled = readonly string[] | "cut";

export interface LineProxy {
  readonly url: string;
  spoil: Spoil;
  readonly connections: number;
  close(): Promise<void>;
}

export async function startLineProxy(operatorUrl: string): Promise<LineProxy> {
  let connections = 0;
  const server = createServer((from, to) => {
    const abort = new AbortController();
    to.on("close", () => abort.abort());
    const answered = request(`${operatorUrl}${from.url}`, {
      method: from.method ?? "GET",
      headers: { "content-type": from.headers["content-type"] ?? "application/json" },
      body: from.method === "POST" ? from : null,
      signal: abort.signal,
      bodyTimeout: 0,
    });
    void answered
      .then(
        async (answer) => {
          if (from.url?.startsWith(STREAM_PATH) === true) connections += 1;
          to.writeHead(answer.statusCode, { "content-type": String(answer.headers["content-type"] ?? "text/plain") });
          let rest = "";
          answer.body.setEncoding("utf8");
          answer.body.on("error", () => to.destroy());
          for await (const chunk of Readable.from(answer.body)) {
            const lines = (rest + String(chunk)).split("\n");
            rest = lines.pop() ?? "";
            for (const line of lines) {
              const spoiled = await proxy.spoil(line);
              if (spoiled === "cut") return void to.destroy();
              for (const out of spoiled) to.write(`${out}\n`);
            }
          }
          to.end();
        },
        () => to.destroy(),
      )
      .catch(() => to.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const proxy: LineProxy = {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    spoil: (line) => [line],
    get connections() {
      return connections;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}
