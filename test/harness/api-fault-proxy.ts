// Stands between an operator and the real API server and breaks what a network and a busy API server break.
// In: the API server. Out: an address for a kubeconfig, what was asked through it, and ways to spoil it.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import type { ApiServer } from "./api-server.ts";

export interface AskedRequest {
  readonly method: string;
  readonly path: string;
  readonly watch: boolean;
  /** A watch that begins with all objects. */
  readonly listing: boolean;
}

export interface ApiFaultProxy {
  /** Path of a kubeconfig that leads through the proxy. */
  readonly kubeconfig: string;
  /** Everything asked so far, oldest first. */
  readonly asked: readonly AskedRequest[];
  /** Whether connections are accepted; closing cuts those that are open. */
  setUp(up: boolean): void;
  /** Watches that the API server has answered and that are open. */
  openWatches(): number;
  /** Destroys every watch that is open; gives how many there were. */
  resetWatches(): number;
  /** No byte of the watches that are open now comes through any more, though they stay open. */
  stallWatches(): void;
  /** Answers requests that fit by `answer` in place of the API server, until it is called again with undefined. */
  answerBy(answer: ((asked: AskedRequest, response: ServerResponse) => boolean) | undefined): void;
  close(): Promise<void>;
}

/** `host`: the address of this machine that it listens on. */
export async function startApiFaultProxy(api: ApiServer, host = "127.0.0.1"): Promise<ApiFaultProxy> {
  const target = new URL(api.url);
  const agent = new Agent({ keepAlive: true, ca: readFileSync(api.caFile) });
  const asked: AskedRequest[] = [];
  const watches = new Map<ServerResponse, IncomingMessage>();
  let up = true;
  let answer: ((asked: AskedRequest, response: ServerResponse) => boolean) | undefined;

  const server = createServer((from, to) => {
    const url = new URL(from.url ?? "/", api.url);
    const one = {
      method: from.method ?? "",
      path: url.pathname,
      watch: url.searchParams.get("watch") === "true",
      listing: url.searchParams.has("sendInitialEvents"),
    };
    asked.push(one);
    if (answer?.(one, to) === true) return;
    const sent = request(
      { host: target.hostname, port: target.port, method: from.method, path: from.url, headers: from.headers, agent },
      (answered) => {
        to.writeHead(answered.statusCode ?? 502, answered.headers);
        to.flushHeaders();
        answered.pipe(to);
        answered.on("error", () => to.destroy());
        if (one.watch) watches.set(to, answered);
      },
    );
    sent.on("error", () => to.destroy());
    to.on("close", () => {
      watches.delete(to);
      sent.destroy();
    });
    from.pipe(sent);
  });
  server.on("connection", (socket) => {
    if (!up) socket.destroy();
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    kubeconfig: api.kubeconfigFor(`http://${host}:${port}`),
    asked,
    setUp: (value) => {
      up = value;
      if (!up) server.closeAllConnections();
    },
    openWatches: () => watches.size,
    resetWatches: () => {
      const open = [...watches.keys()];
      for (const response of open) response.destroy();
      return open.length;
    },
    stallWatches: () => {
      for (const [to, answered] of watches) {
        answered.unpipe(to);
        answered.resume();
      }
    },
    answerBy: (value) => {
      answer = value;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      agent.destroy();
      await once(server, "close");
    },
  };
}
