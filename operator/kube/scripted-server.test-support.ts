// An HTTP server that answers as a test says, request by request, in place of an API server that misbehaves.
// In: handlers in the order of requests. Out: a client for it, and what was asked.
import { once } from "node:events";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { createKubeClient } from "./client.ts";
import type { KubeClient } from "./client.ts";

export type Handler = (response: ServerResponse, url: URL, body: string) => void;

export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface ScriptedServer {
  /** The client's. */
  readonly config: KubeConfig;
  readonly client: KubeClient;
  readonly asked: readonly Asked[];
  /** Answers the next request that no handler is left for, now or when it comes. */
  next(handler: Handler): void;
  close(): Promise<void>;
}

export async function startScriptedServer(...script: Handler[]): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  const handlers = [...script];
  const parked: ((handler: Handler) => void)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://server");
      const body = Buffer.concat(chunks).toString();
      asked.push({ method: request.method ?? "", url, body, headers: request.headers });
      const run = (handler: Handler): void => handler(response, url, body);
      const handler = handlers.shift();
      if (handler === undefined) parked.push(run);
      else run(handler);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: "scripted", server: `http://127.0.0.1:${port}`, skipTLSVerify: true }],
    users: [{ name: "tester", token: "tester-token" }],
    contexts: [{ name: "scripted", cluster: "scripted", user: "tester" }],
    currentContext: "scripted",
  });
  const client = createKubeClient({ config, now: () => 0 });
  return {
    config,
    client,
    asked,
    next: (handler) => {
      const waiting = parked.shift();
      if (waiting === undefined) handlers.push(handler);
      else waiting(handler);
    },
    close: async () => {
      await client.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A whole answer. */
export const answer =
  (status: number, body: unknown): Handler =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };

/** metav1.Status */
export const refusal = (code: number, reason: string, message = ""): Handler =>
  answer(code, { kind: "Status", code, reason, message });

/** One page of a list. */
export const page = (items: readonly unknown[], resourceVersion: string, token?: string): Handler =>
  answer(200, { metadata: { resourceVersion, ...(token === undefined ? {} : { continue: token }) }, items });

/** Events of a watch; then the connection stays, ends, or is destroyed. */
export const watch =
  (events: readonly unknown[], then: "stay" | "end" | "reset" = "stay"): Handler =>
  (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write(
      events.map((event) => `${typeof event === "string" ? event : JSON.stringify(event)}\n`).join(""),
      () => {
        if (then === "end") response.end();
        if (then === "reset") response.destroy();
      },
    );
    response.flushHeaders();
  };

export const namespace = (name: string, resourceVersion: string): Readonly<Record<string, unknown>> => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion, creationTimestamp: "2026-01-01T00:00:00Z" },
});
