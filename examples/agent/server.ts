// The example agent as an HTTP server. In: who it is and where it listens. Out: a server that answers A2A 1.0 and 0.3.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DefaultRequestHandler, InMemoryTaskStore } from "@a2a-js/sdk/server";
import { UserBuilder, agentCardHandler, jsonRpcHandler, restHandler } from "@a2a-js/sdk/server/express";
import express from "express";
import type { Settings } from "./behaviours.ts";
import { makeCard } from "./card.ts";
import { createExecutor } from "./executor.ts";

export interface AgentOptions extends Settings {
  readonly name: string;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly showHeaders: boolean;
}

export interface RunningAgent {
  /** Base URL without a trailing slash. */
  readonly url: string;
  /** Takes no more connections, lets answers and tasks end, then closes; after `limitMs` it cuts what is left. */
  drain(limitMs: number): Promise<void>;
}

/** Rejects when the port is taken. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const app = express();
  app.disable("x-powered-by");
  const server = createServer(app);
  let draining = false;
  server.on("request", (_request, response) => {
    if (draining) response.setHeader("connection", "close");
    // An answer that was under way when the drain began leaves an idle connection behind.
    response.on("close", () => setImmediate(() => draining && server.closeIdleConnections()));
  });
  // Longer than the gateway keeps idle connections, so that no request meets a connection that is just closing.
  server.keepAliveTimeout = 75_000;
  server.listen(options.port, options.host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`;

  const executor = createExecutor(options, { showHeaders: options.showHeaders });
  const requestHandler = new DefaultRequestHandler(makeCard(options, url), new InMemoryTaskStore(), executor);
  const legacyCompat = { enabled: true };
  const userBuilder = UserBuilder.noAuthentication;
  for (const name of ["agent-card.json", "agent.json"]) {
    app.use(`/.well-known/${name}`, agentCardHandler({ agentCardProvider: requestHandler, legacyCompat }));
  }
  app.post("/", jsonRpcHandler({ requestHandler, userBuilder, legacyCompat }));
  app.use("/", restHandler({ requestHandler, userBuilder, legacyCompat }));

  return {
    url,
    async drain(limitMs) {
      draining = true;
      const closed = once(server, "close");
      const timer = setTimeout(() => server.closeAllConnections(), limitMs);
      server.close();
      server.closeIdleConnections();
      await closed;
      await Promise.race([executor.idle(), new Promise((resolve) => setTimeout(resolve, limitMs).unref())]);
      clearTimeout(timer);
    },
  };
}
